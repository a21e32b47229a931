"""What a commit is to a root, whichever way its store makes it happen.

(1) Parts are written in a workspace, (2) an intent names all final paths, (3) the parts are published, (4) the record
is created or replaced, if it is still what it was, (5) what it replaced is deleted, (6) then the intent. ``locking``
does so on a local disk, ``conditional`` on an object store.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wsparquet.commit.record import Commit, Head
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity, Key
from wsparquet.store.workspace import Workspace

__all__ = ["DEAD_SECONDS", "CommitProtocol", "Draft", "Superseded", "token_of"]


DEAD_SECONDS = 24 * 3600.0
"""The age at which an intent is taken for that of a dead attempt; publishing takes minutes."""


class Superseded(DatasetError):
    """The record is not what it was: somebody else committed the same source. ``found`` is the record now there."""

    def __init__(self, identity: Identity, found: Commit | None) -> None:
        path = identity.key.commit_path
        state = f"that of attempt {found.token}" if found else "none"
        super().__init__(f"{path}: the record changed while its source was read, it is now {state}; look again")
        self.identity = identity
        self.found = found


@dataclass(frozen=True)
class Draft:
    """A commit to be: its record, and where its files lie now: ``(temporary, final)`` paths."""

    record: Commit
    moves: tuple[tuple[Path, str], ...]


class CommitProtocol(Protocol):
    """How sources come into a root and out of it, all of their rows or none. Everything raises DatasetError."""

    def probe(self) -> None:
        """Raise if the store cannot keep two writers apart."""
        ...

    def commit(self, work: Workspace, draft: Draft, *, expected: Commit | Head | None) -> Commit:
        """Steps (2) to (6); returns the record as written. Raises Superseded if the record is not ``expected``."""
        ...

    def remove(self, work: Workspace, key: Key) -> Commit | None:
        """Take a source out again; returns its last record, None if it had none."""
        ...

    def settle_all(self, folder: str, *, dead_seconds: float = DEAD_SECONDS) -> None:
        """Finish what attempts with an intent below ``folder`` left half done when they died.

        Where nobody can tell who is dead, an intent of that age is taken for that of a dead one.
        """
        ...


def token_of(record: Commit | Head | None) -> str | None:
    """The token of what is there, None for nothing."""
    return record.token if record else None

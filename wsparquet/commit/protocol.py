"""The steps of a commit, and the interface of the two protocols that carry them out.

1. Parts are written in a workspace.
2. An intent that names all final paths is written.
3. The parts are published.
4. The commit record is created or replaced, if it is still the expected one.
5. The files of the replaced commit are deleted.
6. The intent is deleted.

``locking`` does this on a local disk, ``conditional`` on an object store.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wsparquet.commit.record import Commit, CommitHeader
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity, Key
from wsparquet.store.workspace import Workspace

__all__ = ["DEAD_SECONDS", "CommitConflict", "CommitProtocol", "Draft", "token_of"]


DEAD_SECONDS = 24 * 3600.0
"""The age at which an attempt counts as dead if only its intent is known. Publishing takes minutes."""


class CommitConflict(DatasetError):
    """Another writer committed the same source in the meantime; ``found`` is the record that is there now."""

    def __init__(self, identity: Identity, found: Commit | None) -> None:
        path = identity.key.commit_path
        state = f"now it is that of attempt {found.token}" if found else "now there is none"
        super().__init__(f"{path}: the record changed while its source was converted; {state}; run again")
        self.identity = identity
        self.found = found


@dataclass(frozen=True)
class Draft:
    """A commit that is ready to be published: its record, and ``(temporary, final)`` paths of its files."""

    record: Commit
    moves: tuple[tuple[Path, str], ...]


class CommitProtocol(Protocol):
    """Adds sources to a root and removes them, with all of their rows or none. Every method raises DatasetError."""

    def probe(self) -> None:
        """Raise if the store cannot keep concurrent writers apart."""
        ...

    def commit(self, work: Workspace, draft: Draft, *, expected: Commit | CommitHeader | None) -> Commit:
        """Do steps 2 to 6 and return the record as written.

        Raises CommitConflict if the current record is not ``expected``.
        """
        ...

    def remove(self, work: Workspace, key: Key) -> Commit | None:
        """Remove a source and return its last record; None if the source was not committed."""
        ...

    def recover(self, identity: Identity | None = None, *, dead_seconds: float = DEAD_SECONDS) -> None:
        """Finish or undo the commits that dead attempts left half done, in the whole root or the identity's account.

        If the store cannot tell which attempts are dead, those whose intent is older than ``dead_seconds`` are.
        """
        ...


def token_of(record: Commit | CommitHeader | None) -> str | None:
    """The token of a record; None for no record."""
    return record.token if record else None

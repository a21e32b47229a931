"""The steps of a commit, and the interface of the two protocols that perform them.

1. Parts are written in a workspace.
2. An intent that names all final paths is written.
3. The parts are published.
4. The commit record is created or replaced, unless another writer has changed it.
5. The files of the replaced commit are deleted, see ``retired``.
6. The intent is deleted.

A day record is replaced in the same steps; see ``days``.

The module ``locking`` performs these steps on a local disk, ``conditional`` on an object store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast

from wsparquet.commit.days import DayRecord
from wsparquet.commit.record import Commit, CommitHeader, Sighting
from wsparquet.errors import DatasetError
from wsparquet.layout import Day, Identity, Key
from wsparquet.store.workspace import Workspace

__all__ = [
    "DEAD_SECONDS",
    "CommitConflict",
    "CommitProtocol",
    "DayConflict",
    "Draft",
    "Record",
    "conflict",
    "content_of",
    "token_of",
    "unchecked",
]


DEAD_SECONDS = 24 * 3600.0
"""The age of an intent in seconds at which its attempt counts as dead, if nothing else shows that the attempt is dead.

A live attempt publishes within minutes.
"""


class CommitConflict(DatasetError):
    """Another writer has committed the same source concurrently; ``found`` is the current record."""

    def __init__(self, identity: Identity, found: Commit | None) -> None:
        super().__init__(_changed(identity, found, "its source was converted"))
        self.identity = identity
        self.found = found


class DayConflict(DatasetError):
    """Another writer has changed the same day record concurrently."""

    def __init__(self, day: Day, found: DayRecord | None) -> None:
        super().__init__(_changed(day, found, "its files were merged"))


def _changed(identity: Identity | Day, found: Commit | DayRecord | None, during: str) -> str:
    state = f"the current record is that of attempt {found.token}" if found else "there is no record now"
    return f"{identity.key.record_path}: the record changed while {during}; {state}; run again"


def conflict(record: Commit | DayRecord, found: Commit | DayRecord | None) -> CommitConflict | DayConflict:
    """Return the error for an attempt that could not write ``record`` because ``found`` is current."""
    if isinstance(record, DayRecord):
        return DayConflict(record.identity, cast("DayRecord | None", found))
    return CommitConflict(record.identity, cast("Commit | None", found))


Record = TypeVar("Record", Commit, DayRecord)


def unchecked() -> None:
    """Check nothing."""


@dataclass(frozen=True)
class Draft(Generic[Record]):
    """A record that is ready to be published, and the ``(temporary, final)`` paths of the files to publish with it.

    ``check`` is called between steps 2 and 3. If it raises, no file of the draft remains.
    """

    record: Record
    moves: tuple[tuple[Path, str], ...]
    check: Callable[[], None] = unchecked


class CommitProtocol(Protocol):
    """Adds sources to a root and removes them atomically. Every method raises DatasetError if the store fails."""

    def probe(self) -> None:
        """Raise DatasetError if the store cannot keep concurrent writers from overwriting each other's records."""
        ...

    def commit(self, work: Workspace, draft: Draft[Commit], *, expected: Commit | CommitHeader | None) -> Commit:
        """Do steps 2 to 6 of a commit and return the written record.

        Raises CommitConflict if the current record is not ``expected``.
        """
        ...

    def commit_day(self, work: Workspace, draft: Draft[DayRecord], *, expected: DayRecord | None) -> DayRecord:
        """Publish new day parts and replace the day record ``expected``, in the same steps as a commit.

        Step 5 deletes the replaced day parts and the members' own parts, unless the record keeps them for a time.
        Raises DayConflict if the current record is not ``expected``.
        """
        ...

    def yield_to(self, work: Workspace, header: CommitHeader, to: Identity) -> Commit:
        """Replace a record with a record that has no rows and refers to the source ``to``. Return the new record.

        Raises CommitConflict if ``header`` is not the header of the current record.
        """
        ...

    def note(self, work: Workspace, header: CommitHeader, sightings: Sequence[Sighting]) -> Commit | None:
        """Add to a record ``sightings``, which are other places of its text. Return the new record.

        If the record no longer has the content id of ``header``, change nothing and return None.
        """
        ...

    def shrink(self, work: Workspace, key: Key, change: Callable[[Commit, str], Commit]) -> Commit | None:
        """Replace a record by what ``change`` makes of it with ``Commit.shrunk``, and delete the parts that it omits.

        Return the current record, or None if the source is not committed. If ``change`` returns the record itself,
        change nothing.
        """
        ...

    def remove(self, work: Workspace, key: Key) -> Commit | None:
        """Remove a source and return its last record; None if the source was not committed."""
        ...

    def recover(self, identity: Identity | None = None, *, dead_seconds: float = DEAD_SECONDS) -> None:
        """Finish or undo the commits of dead attempts. With ``identity``, do this only in that identity's account.

        If the store cannot tell which attempts are dead, attempts whose intent is older than ``dead_seconds`` count as
        dead.
        """
        ...


def content_of(record: Commit | CommitHeader | DayRecord | None) -> str | None:
    """Return the content id of a record, or None if there is no record.

    The content id stays the same if a record is only rewritten, for example to note a copy.
    """
    return record.content_id if record else None


def token_of(record: Commit | CommitHeader | DayRecord | None) -> str | None:
    """Return the token of a record, or None if there is no record."""
    return record.token if record else None

"""Commits on a local disk: steps 2 to 6 run while the process holds a lock for the identity.

A live attempt holds the lock as long as its intent exists. A process that holds the lock and finds another process's
intent therefore knows that the attempt of the intent is dead, and finishes or undoes that attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

from wsparquet.commit.days import DayRecord, is_waiting
from wsparquet.commit.log import CommitLog
from wsparquet.commit.protocol import DEAD_SECONDS, CommitConflict, Draft, Record, conflict, content_of
from wsparquet.commit.record import Commit, CommitHeader, Intent, Sighting
from wsparquet.commit.retired import RetiredParts
from wsparquet.errors import DatasetError
from wsparquet.layout import DayKey, Identity, Key
from wsparquet.store.local import LocalDisk
from wsparquet.store.workspace import Workspace

__all__ = ["LockingProtocol"]


class LockingProtocol:
    """The commit protocol on a local disk: each commit holds a lock on its source's identity."""

    def __init__(self, disk: LocalDisk, retired: RetiredParts) -> None:
        self._disk = disk
        self._retired = retired
        self._log = CommitLog(disk)

    def probe(self) -> None:
        """Do nothing: a file system without working locks raises when a lock is acquired."""

    def commit(self, work: Workspace, draft: Draft[Commit], *, expected: Commit | CommitHeader | None) -> Commit:
        """Do steps 2 to 6 of a commit (see ``protocol``) and return the written record.

        Raises CommitConflict if the current record is not ``expected``, DatasetError if the disk fails. In either case,
        no file of the draft remains. If the disk fails during the cleanup too, the next run cleans up.
        """
        return self._commit(work, draft, expected)

    def commit_day(self, work: Workspace, draft: Draft[DayRecord], *, expected: DayRecord | None) -> DayRecord:
        """Publish new day parts and replace the day record ``expected``. Raises like ``commit``."""
        return self._commit(work, draft, expected)

    def _commit(
        self, work: Workspace, draft: Draft[Record], expected: Commit | CommitHeader | DayRecord | None
    ) -> Record:
        disk, key = self._disk, draft.record.identity.key
        with disk.lock(key):
            found = cast("Record | None", self._finish_attempts(key))
            if content_of(found) != content_of(expected):
                raise conflict(draft.record, found)
            record = draft.record.after(found, found.replaceable() if found is not None else ())
            with self._finishing(key):
                self._write_intent(work, record, expected=found)
                draft.check()
                disk.publish(draft.moves)
                self._write_record(work, record, replaced=found)
        return record

    def yield_to(self, work: Workspace, header: CommitHeader, to: Identity) -> Commit:
        """Replace a record with a record that has no rows and refers to the source ``to``. Return the new record.

        Raises CommitConflict if ``header`` is not the header of the current record.
        """
        key = header.identity.key
        with self._disk.lock(key):
            found = self._finish_source(key)
            if found is None or found.content_id != header.content_id:
                raise CommitConflict(header.identity, found)
            # The process that wrote the record of ``to`` may be about to sync it, or may have died before.
            self._disk.sync(to.key.record_path)
            return self._replace(work, found, found.yielded(work.token, to))

    def shrink(self, work: Workspace, key: Key, change: Callable[[Commit, str], Commit]) -> Commit | None:
        """Replace a record by what ``change`` makes of it with ``Commit.shrunk``, and delete the parts that it omits.

        Return the current record, or None if the source is not committed. If ``change`` returns the record itself,
        change nothing.
        """
        with self._disk.lock(key):
            found = self._finish_source(key)
            record = change(found, work.token) if found is not None else None
            if found is None or record is None or record is found:
                return found
            return self._replace(work, found, record)

    def note(self, work: Workspace, header: CommitHeader, sightings: Sequence[Sighting]) -> Commit | None:
        """Add to a record ``sightings``, which are other places of its text. Return the new record.

        If the record no longer has the content id of ``header``, change nothing and return None.
        """
        key = header.identity.key
        with self._disk.lock(key):
            found = self._finish_source(key)
            if found is None or found.content_id != header.content_id:
                return None
            record = found.sighted(work.token, sightings)
            if record is found:
                return found
            # No intent is needed: the record is replaced atomically, and all other files are kept.
            self._write_record(work, record, replaced=found)
            return record

    def _replace(self, work: Workspace, found: Commit, record: Commit) -> Commit:
        """Replace a record by one with fewer files, and delete the others; the caller must hold the identity's lock."""
        with self._finishing(record.identity.key):
            self._write_intent(work, record, expected=found)
            self._write_record(work, record, replaced=found)
        return record

    def remove(self, work: Workspace, key: Key) -> Commit | None:
        """Remove a source and return its last record; None if the source was not committed.

        First, a tombstone that names the files to delete replaces the record. The tombstone is deleted after the files
        that it names.
        """
        with self._disk.lock(key):
            found = self._finish_source(key)
            if found is None:
                return None
            self._replace(work, found, found.tombstone(work.token))
        return found

    def recover(self, identity: Identity | None = None, *, dead_seconds: float = DEAD_SECONDS) -> None:
        """Finish or undo all attempts with an intent. With ``identity``, do this only in that identity's account.

        Wait until live attempts of the same sources end. ``dead_seconds`` is not used: locks show which attempts are
        dead.
        """
        del dead_seconds
        for key in dict.fromkeys(key for key, _ in self._log.intent_files(identity)):
            with self._disk.lock(key):
                self._finish_attempts(key)

    def _write_intent(
        self, work: Workspace, record: Commit | DayRecord, *, expected: Commit | DayRecord | None
    ) -> None:
        """Do step 2."""
        path = record.identity.key.intent_path(record.token)
        temporary = work.write("intent.json", Intent.of(record, expected=expected).to_json())
        if not self._disk.create(temporary, path):
            raise DatasetError(f"{path}: expected no file, found one; two attempts had the same token: run again")

    def _write_record(
        self, work: Workspace, record: Commit | DayRecord, *, replaced: Commit | DayRecord | None
    ) -> None:
        """Do step 4; the caller must have held the lock of the source or day since it read ``replaced``."""
        temporary = work.write("record.json", record.to_json())
        if replaced is not None:
            self._disk.replace(temporary, record.path)
        elif not self._disk.create(temporary, record.path):
            raise conflict(record, self._log.current(record.identity.key))

    @contextmanager
    def _finishing(self, key: Key | DayKey) -> Iterator[None]:
        """Do steps 5 and 6 at the end of the context, in which steps 2 to 4 are done.

        Deletes the old record's files if the new record was written, otherwise the new record's files.
        """
        written = False
        try:
            yield
            written = True
        finally:
            self._finish_attempts(key, synced=written)

    def _finish_source(self, key: Key) -> Commit | None:
        """Do steps 5 and 6 for every attempt of a source, and return its record; the caller must hold its lock."""
        return cast("Commit | None", self._finish_attempts(key))

    def _finish_attempts(self, key: Key | DayKey, *, synced: bool = False) -> Commit | DayRecord | None:
        """Do steps 5 and 6 for every attempt of a source or day, and return its record; the caller must hold its lock.

        Deletes all files that the intents and the record's ``obsolete`` name, except the record's own files. First
        makes the record durable, unless it is ``synced``: an attempt may have died before it synced the record. If the
        power failed after the deletion, the disk could otherwise have the record that names the deleted files.
        """
        intents = self._log.intents_of(key)
        if intents and not synced:
            self._disk.sync(key.record_path)
        record = self._log.current(key)
        waiting = is_waiting(record)
        # Without an intent, no file is left to delete: an earlier call has deleted the files.
        if intents:
            named = {path for intent in intents.values() for path in intent.paths}
            kept: set[str] = set()
            if record is not None:
                kept.update(record.paths, record.obsolete if waiting else ())
                named.update(self._log.replaced_by(record) if not waiting else ())
            self._retired.delete(named - kept)
        if record is not None and record.removed:
            self._disk.delete([record.path])
            record = None
        # While replaced files wait, an intent stays, so that a later run deletes them.
        self._disk.delete(intents if not waiting else ())
        return record

"""Commits on a local disk: steps (2) to (6) run under the identity's lock.

So an intent that is seen with that lock held is that of a dead attempt: ``settle`` finishes it either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wsparquet.commit.protocol import DEAD_SECONDS, Draft, Superseded, token_of
from wsparquet.commit.record import Commit, Head, Intent, decode_commit, decode_intent, named_intent
from wsparquet.errors import DatasetError
from wsparquet.layout import Key, intent_key
from wsparquet.store.local import LocalDisk
from wsparquet.store.workspace import Workspace

__all__ = ["LockingProtocol"]


class LockingProtocol:
    """Commits under a lock of their identity."""

    def __init__(self, disk: LocalDisk) -> None:
        self._disk = disk

    def probe(self) -> None:
        """Nothing: locks are there, or raise themselves."""

    def commit(self, work: Workspace, draft: Draft, *, expected: Commit | Head | None) -> Commit:
        """Steps (2) to (6); returns the record as written.

        Raises Superseded if the record is not ``expected``, DatasetError if the disk fails. In either case nothing of
        the draft is left, unless the disk fails so thoroughly that the next run has to clean up.
        """
        disk, key = self._disk, draft.record.identity.key
        with disk.lock(key):
            found = settle(disk, key)
            if token_of(found) != token_of(expected):
                raise Superseded(draft.record.identity, found)
            record = replace(draft.record, obsolete=found.paths if found else ())
            try:
                announce(disk, work, record, expected=found)
                disk.publish(draft.moves)
                put_record(disk, work, record, old=found)
            finally:
                # Whichever of both is the record now, what the other one names goes, then the intent.
                settle(disk, key)
        return record

    def remove(self, work: Workspace, key: Key) -> Commit | None:
        """Take a source out again; returns its last record, None if it had none.

        The record gives way to one without parts, which carries what is to be deleted, and which goes last.
        """
        disk = self._disk
        with disk.lock(key):
            found = settle(disk, key)
            if found is None:
                return None
            tombstone = found.tombstone(work.token)
            try:
                announce(disk, work, tombstone, expected=found)
                put_record(disk, work, tombstone, old=found)
            finally:
                settle(disk, key)
        return found

    def settle_all(self, folder: str, *, dead_seconds: float = DEAD_SECONDS) -> None:  # noqa: ARG002 - locks tell
        """Settle every identity that has an intent below ``folder``, those of live attempts once these are through."""
        keys = dict.fromkeys(named_intent(entry.path)[0] for entry in self._disk.entries(folder))
        for key in keys:
            with self._disk.lock(key):
                settle(self._disk, key)


def read_commit(disk: LocalDisk, key: Key) -> Commit | None:
    """The record of an identity, None if there is none."""
    data = disk.read(key.commit_path)
    return None if data is None else decode_commit(data, key.commit_path)


def announce(disk: LocalDisk, work: Workspace, record: Commit, *, expected: Commit | None) -> None:
    """Step (2)."""
    path = record.identity.key.intent_path(record.token)
    temporary = work.write("intent.json", Intent.of(record, expected=expected).to_json())
    if not disk.create(temporary, path):
        raise DatasetError(f"{path}: expected no file, found one; a token came twice: run again")


def put_record(disk: LocalDisk, work: Workspace, record: Commit, *, old: Commit | None) -> None:
    """Step (4); the identity's lock is held since ``old`` was read."""
    temporary = work.write("record.json", record.to_json())
    if old is not None:
        disk.replace(temporary, record.path)
    elif not disk.create(temporary, record.path):
        raise Superseded(record.identity, read_commit(disk, record.identity.key))


def settle(disk: LocalDisk, key: Key) -> Commit | None:
    """Finish steps (5) and (6) of every attempt at an identity, whose lock must be held; returns its record.

    Of all files that its intents or its record's ``obsolete`` name, those stay that the record names as its own.
    """
    intents = dict(intents_of(disk, key))
    record = read_commit(disk, key)
    named = {path for intent in intents.values() for path in intent.paths}
    kept: set[str] = set()
    if record is not None:
        named.update(record.obsolete)
        kept.update(record.paths)
    # Without an intent all of it has been done before.
    if intents:
        disk.delete(sorted(named - kept))
    if record is not None and record.removed:
        disk.delete([record.path])
        record = None
    disk.delete(intents)
    return record


def intents_of(disk: LocalDisk, key: Key) -> Iterator[tuple[str, Intent]]:
    """All intents of an identity with their paths."""
    for path in (entry.path for entry in disk.entries(key.intents_folder)):
        found = intent_key(path)
        if found is not None and found[0] == key and (data := disk.read(path)) is not None:
            yield path, decode_intent(data, path, key)

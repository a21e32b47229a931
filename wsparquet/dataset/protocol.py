"""How a commit happens on a local disk: in which order, and what becomes of one that was cut short.

(1) parts are written in a workspace, (2) an intent names all final paths, (3) the parts are published, (4) the record
is created or replaced, (5) what it replaced is deleted, (6) then the intent. Steps (2) to (6) run under the identity's
lock, so an intent that is seen with that lock held is that of a dead attempt: ``settle`` finishes it either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from wsparquet.dataset.layout import Key, intent_key
from wsparquet.dataset.local import LocalDisk
from wsparquet.dataset.records import Commit, Head, Intent, decode_commit, decode_intent
from wsparquet.dataset.workspace import Workspace
from wsparquet.errors import DatasetError

__all__ = ["Draft", "Superseded", "commit", "read_commit", "remove", "settle", "settle_all"]


class Superseded(DatasetError):
    """The record is not what it was: somebody else committed the same source. ``found`` is the record now there."""

    def __init__(self, path: str, found: Commit | None) -> None:
        state = f"that of attempt {found.token}" if found else "none"
        super().__init__(f"{path}: the record changed while its source was read, it is now {state}; look again")
        self.found = found


@dataclass(frozen=True)
class Draft:
    """A commit to be: its record, and where its files lie now: ``(temporary, final)`` paths."""

    record: Commit
    moves: tuple[tuple[Path, str], ...]


def read_commit(disk: LocalDisk, key: Key) -> Commit | None:
    """The record of an identity, None if there is none."""
    data = disk.read(key.commit_path)
    return None if data is None else decode_commit(data, key.commit_path)


def commit(disk: LocalDisk, work: Workspace, draft: Draft, *, expected: Commit | Head | None) -> Commit:
    """Steps (2) to (6); returns the record as written.

    Raises Superseded if the record is not ``expected``, DatasetError if the disk fails. In either case nothing of the
    draft is left, unless the disk fails so thoroughly that the next run has to clean up.
    """
    key = draft.record.identity.key
    with disk.lock(key):
        found = settle(disk, key)
        if _token(found) != _token(expected):
            raise Superseded(key.commit_path, found)
        record = replace(draft.record, obsolete=found.paths if found else ())
        try:
            announce(disk, work, record)
            disk.publish(draft.moves)
            put_record(disk, work, record, old=found)
        finally:
            # Whichever of both is the record now, what the other one names goes, then the intent.
            settle(disk, key)
    return record


def remove(disk: LocalDisk, work: Workspace, key: Key) -> Commit | None:
    """Take a source out again; returns its last record, None if it had none.

    The record gives way to one without parts, which carries what is to be deleted, and which goes last.
    """
    with disk.lock(key):
        found = settle(disk, key)
        if found is None:
            return None
        tombstone = replace(found, token=work.token, parts=(), quarantine=None, obsolete=found.paths, removed=True)
        try:
            announce(disk, work, tombstone)
            put_record(disk, work, tombstone, old=found)
        finally:
            settle(disk, key)
    return found


def announce(disk: LocalDisk, work: Workspace, record: Commit) -> None:
    """Step (2)."""
    path = record.identity.key.intent_path(record.token)
    temporary = work.write("intent.json", Intent(record.token, record.paths).to_json())
    if not disk.create(temporary, path):
        raise DatasetError(f"{path}: expected no file, found one; a token came twice: run again")


def put_record(disk: LocalDisk, work: Workspace, record: Commit, *, old: Commit | None) -> None:
    """Step (4); the identity's lock is held since ``old`` was read."""
    temporary = work.write("record.json", record.to_json())
    if old is not None:
        disk.replace(temporary, record.path)
    elif not disk.create(temporary, record.path):
        raise Superseded(record.path, read_commit(disk, record.identity.key))


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
    for path in disk.walk(key.intents_folder):
        found = intent_key(path)
        if found is not None and found[0] == key and (data := disk.read(path)) is not None:
            yield path, decode_intent(data, path, key)


def settle_all(disk: LocalDisk, folder: str) -> None:
    """Settle every identity that has an intent below ``folder``, those of live attempts once these are through."""
    keys: dict[Key, None] = {}
    for path in disk.walk(folder):
        found = intent_key(path)
        if found is None:
            raise DatasetError(
                f"{path}: expected an intent's file name, found {PurePosixPath(path).name!r}; "
                "somebody else has written there: move the file away"
            )
        keys[found[0]] = None
    for key in keys:
        with disk.lock(key):
            settle(disk, key)


def _token(record: Commit | Head | None) -> str | None:
    return record.token if record else None

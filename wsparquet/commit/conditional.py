"""Commits on an object store, without locks: a record is replaced only if no other writer has changed it.

A record is never deleted: a removed source leaves a tombstone, which is a record without parts. If the current record
differs from the record that an attempt expects, the attempt can therefore never succeed: it is *superseded*. An
attempt's intent says which record the attempt expects. Any process can therefore recognize a superseded attempt and
delete the files that its intent names. An attempt that expects the current record may be alive or dead. After a day it
counts as dead and is *invalidated*: the record is rewritten under a new token, with no other change, so that the
attempt is superseded.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar, cast

from wsparquet.commit.days import DayRecord, is_waiting
from wsparquet.commit.log import CommitLog
from wsparquet.commit.parsing import decode_commit, decode_day
from wsparquet.commit.protocol import (
    DEAD_SECONDS,
    CommitConflict,
    Draft,
    Record,
    conflict,
    content_of,
    token_of,
)
from wsparquet.commit.record import Commit, CommitFacts, CommitHeader, Intent, Sighting
from wsparquet.commit.retired import RetiredParts
from wsparquet.errors import DatasetError
from wsparquet.layout import PROBES, Day, DayKey, Identity, Key
from wsparquet.schema import SCHEMA_VERSION
from wsparquet.store.store import Absent, Changed, Expectation, Refused, Store, Version
from wsparquet.store.workspace import Workspace

__all__ = ["ConditionalProtocol"]


class ConditionalProtocol:
    """Commits by conditional writes. With ``single_writer``, compares records and then writes unconditionally."""

    def __init__(self, store: Store, retired: RetiredParts, *, single_writer: bool) -> None:
        self._store = store
        self._retired = retired
        self._log = CommitLog(store)
        self._single_writer = single_writer
        self._probed = False

    # --- Does the store support conditional writes? -------------------------------------------------------------------

    def probe(self) -> None:
        """Check once that the store supports conditional writes.

        Raises:
            DatasetError: the store does not support them, so concurrent runs could replace each other's records; or the
                store denies permission to write or delete objects.

        """
        if self._single_writer or self._probed:
            return
        path = f"{PROBES}/{secrets.token_hex(8)}"
        try:
            fault = next(self._ignored(path), None)
        except BaseException:
            # Report only the first error: without permission to write, the deletion often fails, too.
            with suppress(DatasetError):
                self._store.delete([path])
            raise
        self._store.delete([path])
        if fault is not None:
            raise DatasetError(
                f"{self._store.place()}: expected a store that supports conditional writes, found one that "
                f"{fault}; use another store, or `single_writer` if no two runs ever write this root at once"
            )
        self._probed = True

    def _ignored(self, path: str) -> Iterator[str]:
        """Yield each fault of the store's conditional writes. The second and the third of four writes must fail."""
        yield from self._failed(path, b"first", Absent(), "If-None-Match")
        yield from self._ignored_by(path, b"second", Absent(), "If-None-Match")
        yield from self._ignored_by(path, b"third", Version('"0123456789abcdef0123456789abcdef"'), "If-Match")
        found = self._store.read_version(path)
        if found is None:
            yield "does not find the object that it has just written"
        else:
            # Some stores and proxies change entity tags in transit. No record could then be replaced.
            yield from self._failed(path, b"fourth", found[1], "If-Match")

    def _failed(self, path: str, data: bytes, expect: Expectation, name: str) -> Iterator[str]:
        try:
            self._store.put(path, data, expect=expect)
        except Changed:
            yield f"does not write with {name} even if the object is as expected"
        except Refused as error:
            yield f"refuses {name} ({error})"

    def _ignored_by(self, path: str, data: bytes, expect: Expectation, name: str) -> Iterator[str]:
        try:
            self._store.put(path, data, expect=expect)
        except Changed:
            return
        except Refused as error:
            yield f"refuses {name} ({error})"
        else:
            yield f"ignores {name}"

    # --- Commits ------------------------------------------------------------------------------------------------------

    def commit(self, work: Workspace, draft: Draft[Commit], *, expected: Commit | CommitHeader | None) -> Commit:
        """Do steps 2 to 6 of a commit (see ``protocol``) and return the written record.

        Raises CommitConflict if the current record is not ``expected``, either at the start or at the write; then no
        file of the draft remains. Raises DatasetError if the store fails; then the next run finishes or undoes the
        commit.
        """
        del work
        return self._commit(draft, expected)

    def commit_day(self, work: Workspace, draft: Draft[DayRecord], *, expected: DayRecord | None) -> DayRecord:
        """Publish new day parts and replace the day record ``expected``. Raises like ``commit``."""
        del work
        return self._commit(draft, expected)

    def _commit(self, draft: Draft[Record], expected: Commit | CommitHeader | DayRecord | None) -> Record:
        key = draft.record.identity.key
        current, version = self._read(key)
        found = cast("Record | None", current)
        if content_of(_unless_removed(found)) != content_of(expected):
            raise conflict(draft.record, _unless_removed(found))
        record = draft.record.after(found, self._obsolete(key, found))
        intent = self._write_intent(record, found)
        try:
            draft.check()
            self._store.publish(draft.moves)
        except BaseException:
            # Report the first error. If the cleanup fails too, the next run cleans up.
            with suppress(DatasetError):
                self._store.delete(record.published)
                self._store.delete([intent])
            raise
        written = self._write_record(record, version, intent)
        self._finish_attempts(key, written=written)
        return written

    def yield_to(self, work: Workspace, header: CommitHeader, to: Identity) -> Commit:
        """Replace a record with a record that has no rows and refers to the source ``to``. Return the new record.

        Raises CommitConflict if ``header`` is not the header of the current record.
        """
        found, version = self._read_source(header.identity.key)
        if found is None or found.removed or found.content_id != header.content_id:
            raise CommitConflict(header.identity, _unless_removed(found))
        return self._replace(found, version, found.yielded(work.token, to))

    def note(self, work: Workspace, header: CommitHeader, sightings: Sequence[Sighting]) -> Commit | None:
        """Add to a record ``sightings``, which are other places of its text. Return the new record.

        If the record no longer has the content id of ``header``, change nothing and return None.
        """
        found, version = self._read_source(header.identity.key)
        if found is None or found.removed or found.content_id != header.content_id:
            return None
        record = found.sighted(work.token, sightings)
        if record is found:
            return found
        try:
            self._rewrite(found, record, version)
        except Changed:
            return None
        return record

    def shrink(self, work: Workspace, key: Key, change: Callable[[Commit, str], Commit]) -> Commit | None:
        """Replace a record by what ``change`` makes of it with ``Commit.shrunk``, and delete the parts that it omits.

        Return the current record, or None if the source is not committed. If ``change`` returns the record itself,
        change nothing.
        """
        found, version = self._read_source(key)
        if found is None or found.removed:
            return None
        record = change(found, work.token)
        return found if record is found else self._replace(found, version, record)

    def remove(self, work: Workspace, key: Key) -> Commit | None:
        """Remove a source and return its last record; None if the source was not committed. A tombstone remains."""
        found, version = self._read_source(key)
        if found is None or found.removed:
            return None
        self._replace(found, version, found.tombstone(work.token))
        return found

    def _replace(self, found: Commit, version: Expectation, record: Commit) -> Commit:
        """Replace a record with a record of fewer files, and delete the files that only the replaced record names."""
        key = found.identity.key
        kept = {*record.paths}
        record = replace(record, obsolete=tuple(path for path in self._obsolete(key, found) if path not in kept))
        intent = self._write_intent(record, found)
        written = self._write_record(record, version, intent)
        self._finish_attempts(key, written=written)
        return written

    def _write_record(self, record: Record, version: Expectation, intent: str) -> Record:
        """Do step 4 and return the current record.

        If another run has rewritten the record before the answer arrived, the current record has another token.

        Raises CommitConflict if another commit's record is current. Before that, the files of this attempt are deleted,
        except those that the other record names. After any other error, it is unknown whether the record was written;
        the next run finds out.
        """
        try:
            self._put(record, version)
        except Changed:
            # The write may have succeeded although its answer was lost. Another run may have rewritten the record since
            # then, with the same parts.
            found = self._log.current(record.identity.key)
        else:
            return record
        self._retired.delete({*record.published}.difference(found.paths if found else ()))
        # Also delete the files that the other record replaced: perhaps only this attempt's intent names them.
        self._finish_attempts(record.identity.key)
        self._store.delete([intent])
        if found is None or not _is_same_commit(found, record):
            raise conflict(record, _unless_removed(found))
        return cast("Record", found)

    def _read_source(self, key: Key) -> tuple[Commit | None, Expectation]:
        """Return the record of a source, which may be a tombstone, and its version."""
        found, version = self._read(key)
        return cast("Commit | None", found), version

    def _read(self, key: Key | DayKey) -> tuple[Commit | DayRecord | None, Expectation]:
        """Return the record of a source, which may be a tombstone, or of a day, and its version."""
        found = self._store.read_version(key.record_path)
        if found is None:
            return None, Absent()
        data, version = found
        decode = decode_commit if isinstance(key, Key) else decode_day
        return decode(data, key.record_path), version

    def _obsolete(self, key: Key | DayKey, found: Commit | DayRecord | None) -> tuple[str, ...]:
        """Return all files that the next record replaces: the files that the current record and the intents name."""
        paths = dict.fromkeys(found.replaceable() if found else ())
        for intent in self._log.intents_of(key).values():
            paths.update(dict.fromkeys(intent.paths))
            if found is not None and intent.expected != found.token:
                # The intent belongs to the current record or to a superseded attempt. In both cases, steps 5 and 6
                # remain to be done.
                paths.update(dict.fromkeys(found.obsolete))
        return tuple(paths)

    def _write_intent(self, record: Commit | DayRecord, found: Commit | DayRecord | None) -> str:
        path = record.identity.key.intent_path(record.token)
        self._store.put(path, Intent.of(record, expected=found).to_json())
        return path

    def _put(self, record: Commit | DayRecord, version: Expectation) -> None:
        """Write a record. Raises Changed if the store's current record does not have the version ``version``."""
        try:
            if self._single_writer:
                self._compare(record.path, version)
            self._store.put(record.path, record.to_json(), expect=None if self._single_writer else version)
        except Refused as error:
            # The probe succeeded earlier, so a different server must have answered this request.
            raise DatasetError(
                f"cannot write {self._store.place(record.path)} conditionally: {error}; run again"
            ) from error

    def _compare(self, path: str, version: Expectation) -> None:
        found = self._store.read_version(path)
        if (found[1] if found else Absent()) != version:
            raise Changed(path)

    # --- Dead and superseded attempts ---------------------------------------------------------------------------------

    def recover(self, identity: Identity | None = None, *, dead_seconds: float = DEAD_SECONDS) -> None:
        """Finish or undo superseded commits, and commits whose intents are older than ``dead_seconds``."""
        latest = time.time() - dead_seconds
        old: dict[Key | DayKey, set[str]] = {}
        for key, entry in self._log.intent_files(identity):
            paths = old.setdefault(key, set())
            if entry.modified < latest:
                paths.add(entry.path)
        for key, paths in old.items():
            if paths:
                self._invalidate(key, paths)
            self._finish_attempts(key)

    def _invalidate(self, key: Key | DayKey, old: set[str]) -> None:
        """Invalidate attempts that expect the current record, by rewriting that record under a new token.

        If none of the attempts with the ``old`` intents expects the current record, do nothing, because these attempts
        are already superseded.
        """
        found, version = self._read(key)
        intents = self._log.intents_of(key)
        waiting = [intents[path].identity for path in intents.keys() & old if token_of(found) == intents[path].expected]
        if not waiting:
            return
        token = secrets.token_hex(8)
        record = replace(found, token=token) if found else _empty_record(waiting[0], token)
        with suppress(Changed):
            self._rewrite(found, record, version)

    def _rewrite(self, found: Commit | DayRecord | None, record: Commit | DayRecord, version: Expectation) -> None:
        """Give a record another token, with the same files. Raises Changed if another writer was first.

        This write needs no intent: it supersedes attempts whose own intents name all files to delete.
        """
        obsolete = tuple(path for path in self._obsolete(record.identity.key, found) if path not in record.paths)
        self._put(replace(record, obsolete=obsolete), version)

    def _finish_attempts(self, key: Key | DayKey, *, written: Commit | DayRecord | None = None) -> None:
        """Do steps 5 and 6 for the attempt that wrote the current record and for all superseded attempts.

        The record must be read after the intents: only then is every attempt that does not expect it certainly
        superseded. If the only intent belongs to the record just ``written``, the record is not read again.
        """
        intents = self._log.intents_of(key)
        own = [path for path, intent in intents.items() if written and intent.token == written.token]
        record = written if len(own) == len(intents) else self._log.current(key)
        done = {path: each for path, each in intents.items() if each.expected != token_of(record)}
        gone = {path for intent in done.values() for path in intent.paths}
        waiting = is_waiting(record)
        if record is not None and done:
            gone.update(self._log.replaced_by(record) if not waiting else ())
            gone.difference_update(record.paths, record.obsolete if waiting else ())
        self._retired.delete(gone)
        if waiting:
            # The intents stay, so that a later run deletes the replaced files.
            return
        # Delete the intent of the current record last, because a later run needs it to find the other deletions.
        self._store.delete(sorted(path for path in done if path not in own))
        self._store.delete(own)


Found = TypeVar("Found", bound=Commit | DayRecord | None)


def _unless_removed(record: Found) -> Found | None:
    """Return the record, or None if the record is the tombstone of a removed source."""
    return None if record is None or record.removed else record


def _is_same_commit(record: Commit | DayRecord, other: Commit | DayRecord) -> bool:
    """Return whether both records are of the same commit, possibly rewritten, for example by an invalidation."""
    return record.content_id == other.content_id


def _empty_record(identity: Identity | Day, token: str) -> Commit | DayRecord:
    """Return a tombstone for a source that was never committed, or the record of a day without day parts."""
    if isinstance(identity, Day):
        return DayRecord.new(identity, token)
    facts = CommitFacts(checksum="", size=None, url=None, etag=None, mtime=None, source_name=identity.name)
    return Commit(
        identity=identity,
        token=token,
        facts=facts,
        parts=(),
        quarantine=None,
        obsolete=(),
        software="",
        schema_version=SCHEMA_VERSION,
        committed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        content_id=token,
        removed=True,
    )

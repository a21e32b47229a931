"""Commits on an object store: no locks, but a record is written only if it is still what it was.

A record is never deleted: a source that is taken out leaves one without parts. So once a record is not the one that an
attempt expects it never will be again, and the attempt is *lost*. Its intent tells (``expected``), and whoever sees it
may delete what it names. An attempt that nobody has overtaken may be alive or dead. It is left alone for a day, then
overtaken by a record that changes nothing but the token.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from wsparquet.commit.protocol import DEAD_SECONDS, Draft, Superseded, token_of
from wsparquet.commit.record import Commit, CommitFacts, Head, Intent, decode_commit, decode_intent, named_intent
from wsparquet.errors import DatasetError
from wsparquet.layout import PROBES, Identity, Key
from wsparquet.schema import SCHEMA_VERSION
from wsparquet.store.store import Absent, Changed, Expectation, Refused, Store, Version
from wsparquet.store.workspace import Workspace

__all__ = ["ConditionalProtocol"]


class ConditionalProtocol:
    """Commits by conditional writes; with a ``single_writer`` the records are compared before they are written."""

    def __init__(self, store: Store, *, single_writer: bool) -> None:
        self._store = store
        self._single_writer = single_writer
        self._probed = False

    # --- Whether the store can do it ----------------------------------------------------------------------------------

    def probe(self) -> None:
        """See whether the store honours conditions, once.

        Raises:
            DatasetError: it does not, so two runs at once could replace each other's records; or nothing can be
                written, or deleted, there.

        """
        if self._single_writer or self._probed:
            return
        path = f"{PROBES}/{secrets.token_hex(8)}"
        try:
            faults = list(self._ignored(path))
        except BaseException:
            # The first error is the one to be told: who may not write may not delete either.
            with suppress(DatasetError):
                self._store.delete([path])
            raise
        self._store.delete([path])
        if faults:
            raise DatasetError(
                f"{self._store.place()}: expected a store that writes an object only on condition, found one that "
                f"{faults[0]}; use another one, or --single-writer if no two runs ever write this root at once"
            )
        self._probed = True

    def _ignored(self, path: str) -> Iterator[str]:
        """What the store does instead of what it should."""
        put = self._store.put
        for name, expect in (("If-None-Match", Absent()), ("If-Match", Version('"0123456789abcdef0123456789abcdef"'))):
            put(path, b"first")
            try:
                put(path, b"second", expect=expect)
                yield f"ignores {name}"
            except Changed:
                continue
            except Refused as error:
                yield f"refuses {name} ({error})"

    # --- Commits ------------------------------------------------------------------------------------------------------

    def commit(self, work: Workspace, draft: Draft, *, expected: Commit | Head | None) -> Commit:
        """Steps (2) to (6); returns the record as written.

        Raises Superseded if the record is not ``expected``, or no longer when it is to be replaced; nothing of the
        draft is left then. Raises DatasetError if the store fails: then the next run finishes, or clears, what is left.
        """
        del work
        key = draft.record.identity.key
        found, version = self._read(key)
        if token_of(_counting(found)) != token_of(expected):
            raise Superseded(draft.record.identity, _counting(found))
        record = replace(draft.record, obsolete=self._obsolete(key, found))
        intent = self._announce(record, found)
        try:
            self._store.publish(draft.moves)
        except BaseException:
            # The first error is the one to be told. What is left here, the next run clears.
            with suppress(DatasetError):
                self._drop(intent, record.paths)
            raise
        written = self._write(record, version, intent)
        self._settle(key, written=written)
        return written

    def remove(self, work: Workspace, key: Key) -> Commit | None:
        """Take a source out again; returns its last record, None if it had none. A record without parts stays."""
        found, version = self._read(key)
        if found is None or found.removed:
            return None
        tombstone = replace(found.tombstone(work.token), obsolete=self._obsolete(key, found))
        intent = self._announce(tombstone, found)
        written = self._write(tombstone, version, intent)
        self._settle(key, written=written)
        return found

    def _write(self, record: Commit, version: Expectation, intent: str) -> Commit:
        """Step (4); returns the record as it is now, under another token if it was overtaken before its answer came.

        Raises Superseded if another one is there; nothing of this one's is left then but what that one names. If it
        fails otherwise, nobody knows whether the record is written: the next run sees.
        """
        try:
            self._put(record, version)
        except Changed:
            # It may have been written and its answer lost. Then whoever overtook it has kept its parts.
            found = self._read(record.identity.key)[0]
        else:
            return record
        self._store.delete(sorted({*record.paths}.difference(found.paths if found else ())))
        # What the other record replaces is deleted here, too: once this intent is gone, nothing may tell of it.
        self._settle(record.identity.key)
        self._store.delete([intent])
        if found is None or not _says_the_same(found, record):
            raise Superseded(record.identity, _counting(found))
        return found

    def _drop(self, intent: str, published: Iterable[str]) -> None:
        """Delete what an attempt has published whose record can never be written, then its intent."""
        self._store.delete(published)
        self._store.delete([intent])

    def _read(self, key: Key) -> tuple[Commit | None, Expectation]:
        """The record of an identity, also one without parts, and its version."""
        found = self._store.read_version(key.commit_path)
        return (None, Absent()) if found is None else (decode_commit(found[0], key.commit_path), found[1])

    def _obsolete(self, key: Key, found: Commit | None) -> tuple[str, ...]:
        """Everything that the next record replaces: what counts now, and what attempts have announced."""
        paths = dict.fromkeys(found.paths if found else ())
        for intent in self._intents(key).values():
            paths.update(dict.fromkeys(intent.paths))
            if found is not None and intent.expected != found.token:
                # The winner's, or a loser's: so the record's steps (5) and (6) are not done yet.
                paths.update(dict.fromkeys(found.obsolete))
        return tuple(paths)

    def _announce(self, record: Commit, found: Commit | None) -> str:
        path = record.identity.key.intent_path(record.token)
        self._store.put(path, Intent.of(record, expected=found).to_json())
        return path

    def _put(self, record: Commit, version: Expectation) -> None:
        """Write a record. Raises Changed if the one that is there is not of this version, or not any more."""
        try:
            if self._single_writer:
                self._compare(record.path, version)
            self._store.put(record.path, record.to_json(), expect=None if self._single_writer else version)
        except Refused as error:
            # Probed before; so another server answers now.
            raise DatasetError(
                f"cannot write {self._store.place(record.path)} on condition: {error}; run again"
            ) from error

    def _compare(self, path: str, version: Expectation) -> None:
        found = self._store.read_version(path)
        if (found[1] if found else Absent()) != version:
            raise Changed(path)

    # --- What attempts left half done ---------------------------------------------------------------------------------

    def settle_all(self, folder: str, *, dead_seconds: float = DEAD_SECONDS) -> None:
        """Finish what attempts with an intent below ``folder`` left half done, those that cannot be alive."""
        latest = time.time() - dead_seconds
        dead: dict[Key, set[str]] = {}
        for entry in self._store.entries(folder):
            paths = dead.setdefault(named_intent(entry.path)[0], set())
            if entry.modified < latest:
                paths.add(entry.path)
        for key, paths in dead.items():
            if paths:
                self._overtake(key, paths)
            self._settle(key)

    def _overtake(self, key: Key, dead: set[str]) -> None:
        """Have attempts lose that wait for the record as it is, by another one that says the same.

        Nothing is done unless one of the ``dead`` intents is waiting: old ones that have lost already harm nobody.
        """
        found, version = self._read(key)
        intents = self._intents(key)
        waiting = [
            intents[path].identity for path in intents.keys() & dead if token_of(found) == intents[path].expected
        ]
        if not waiting:
            return
        token = secrets.token_hex(8)
        record = replace(found, token=token) if found else _nothing(waiting[0], token)
        obsolete = tuple(path for path in self._obsolete(key, found) if path not in record.paths)
        with suppress(Changed):
            # Not announced: all that has to be deleted is named by the intents that lose.
            self._put(replace(record, obsolete=obsolete), version)

    def _settle(self, key: Key, *, written: Commit | None = None) -> None:
        """Steps (5) and (6), for the attempt that wrote the record and for all that lost against it.

        The record is read after the intents: only then is one lost for certain that does not expect it. It need not be
        where the one just ``written`` has the only intent.
        """
        intents = self._intents(key)
        own = [path for path, intent in intents.items() if written and intent.token == written.token]
        record = written if len(own) == len(intents) else self._read(key)[0]
        done = {path: each for path, each in intents.items() if each.expected != token_of(record)}
        gone = {path for intent in done.values() for path in intent.paths}
        if record is not None and done:
            gone.update(record.obsolete)
            gone.difference_update(record.paths)
        self._store.delete(sorted(gone))
        # The winner's last, since it says that there is something left to be deleted.
        self._store.delete(sorted(path for path in done if path not in own))
        self._store.delete(own)

    def _intents(self, key: Key) -> dict[str, Intent]:
        """All intents of an identity with their paths."""
        entries = self._store.entries(key.intents_folder)
        paths = [entry.path for entry in entries if named_intent(entry.path)[0] == key]
        return {path: decode_intent(data, path, key) for path, data in self._store.read_all(paths)}


def _counting(record: Commit | None) -> Commit | None:
    """A record that counts: one of a source that was taken out does not."""
    return None if record is None or record.removed else record


def _says_the_same(record: Commit, other: Commit) -> bool:
    """Whether two records are one commit, whatever their tokens: names of parts are random, but there may be none."""
    said, found = ((replace(each.head, token=""), each.paths, each.removed) for each in (record, other))
    return said == found


def _nothing(identity: Identity, token: str) -> Commit:
    """A record that says that nothing is there, in the place of none."""
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
        removed=True,
    )

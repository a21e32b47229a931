"""The commit log of a root. All other packages read commit records and intents through this module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge

from wsparquet.commit.checkpoint import Checkpoint
from wsparquet.commit.days import Counting, DayRecord
from wsparquet.commit.index import CommitIndex
from wsparquet.commit.parsing import decode_commit, decode_day, decode_header, decode_intent
from wsparquet.commit.record import Commit, Intent
from wsparquet.commit.twins import counting, refer_to_rows
from wsparquet.errors import DatasetError
from wsparquet.layout import (
    COMMITS,
    DAY_INTENTS,
    DAYS,
    INTENTS,
    Day,
    DayKey,
    Identity,
    Key,
    parse_day_intent_path,
    parse_day_record_path,
    parse_intent_path,
)
from wsparquet.store.store import Entry, Store

__all__ = ["CommitLog", "is_intent_file"]


LOOKS = 5
"""How many times a reader tries to read all records while other runs change them."""


def is_intent_file(path: str) -> bool:
    """Return whether a file is in the folder of intents or of day intents."""
    return path.startswith((f"{INTENTS}/", f"{DAY_INTENTS}/"))


class CommitLog:
    """The commit records, day records and intents of one root; every call reads them from the store again.

    Methods raise DatasetError if the store fails, or if a record or an intent is unreadable or names files of another
    source or day.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def make_folders(self) -> None:
        """Create the folders of commit records and intents if the store has folders and they are missing."""
        for folder in (INTENTS, COMMITS):
            self._store.make_folder(folder)

    # --- Commit records, read from their own files --------------------------------------------------------------------

    def first_path(self) -> str | None:
        """Return the path of the first commit record, or None if the root has no record."""
        return next((entry.path for entry in self._store.entries(COMMITS)), None)

    def record_paths(self) -> Iterator[str]:
        """Yield the paths of all commit records, and then of all day records."""
        for folder in (COMMITS, DAYS):
            yield from (entry.path for entry in self._store.entries(folder))

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the undecoded bytes of every commit record, sorted by path."""
        return self._store.read_below(COMMITS)

    def commits(self, *, skip_unreadable: bool = False) -> Iterator[Commit]:
        """Yield every commit, read without the checkpoint, sorted by path; skip removed sources.

        With ``skip_unreadable``, a record that cannot be decoded is skipped instead of raising DatasetError.
        """
        for path, data in self.files():
            try:
                commit = decode_commit(data, path)
            except DatasetError:
                if skip_unreadable:
                    continue
                raise
            if not commit.removed:
                yield commit

    def read(self, identity: Identity) -> Commit | None:
        """Return the current commit of a source, or None if the source was never committed or is removed."""
        commit = self.record_of(identity.key)
        return None if commit is None or commit.removed else commit

    def record_of(self, key: Key) -> Commit | None:
        """Return the current record of a source, which may be a tombstone, or None if there is no record."""
        data = self._store.read(key.record_path)
        return None if data is None else decode_commit(data, key.record_path)

    # --- Day records --------------------------------------------------------------------------------------------------

    def day_files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the undecoded bytes of every day record, sorted by path."""
        return self._store.read_below(DAYS)

    def days(self) -> dict[Day, DayRecord]:
        """Return all day records."""
        return {record.identity: record for record in _decoded_days(self.day_files())}

    def day_versions(self) -> dict[str, str | None]:
        """Return the versions of all day records (see ``Entry.version``) by path."""
        return dict(pair for some in self._store.versions(DAYS) for pair in some)

    def days_at(self, paths: Iterable[str]) -> Iterator[DayRecord]:
        """Yield the day records at some paths; missing records are skipped."""
        return _decoded_days(self._store.read_all(paths))

    def day_of(self, key: DayKey) -> DayRecord | None:
        """Return the record of a day, or None if the day has no record."""
        data = self._store.read(key.record_path)
        return None if data is None else decode_day(data, key.record_path)

    def current(self, key: Key | DayKey) -> Commit | DayRecord | None:
        """Return the record of a source, which may be a tombstone, or of a day; None if there is no record."""
        return self.record_of(key) if isinstance(key, Key) else self.day_of(key)

    def replaced_by(self, record: Commit | DayRecord) -> set[str]:
        """Return the paths of the files that are deleted once ``record`` is current, as step 5 of a commit does."""
        if isinstance(record, Commit):
            return {*record.obsolete}
        return {*record.obsolete, *self.covered_by(record)}

    def covered_by(self, record: DayRecord) -> list[str]:
        """Return the paths of the members' own parts whose rows are in the day's parts.

        Delete these files only if ``record`` is durable. A day record loses a member only after the member's commit got
        another content id, and then these files are obsolete.
        """
        day = record.identity
        keys = [Identity(day.account, name).key.record_path for name in record.members]
        found = []
        for path, data in self._store.read_all(keys):
            commit = decode_commit(data, path)
            parts = (part for part in commit.parts if part.date == day.day)
            found += [part.path for part in parts if record.covers(commit, part.table)]
        return found

    # --- Commit records, read from the checkpoint if it is current ----------------------------------------------------

    def index(self, *, write_checkpoint: bool = False) -> CommitIndex:
        """Return an index of all commits, read through the checkpoint.

        With ``write_checkpoint``, the checkpoint is replaced if many records are missing from it.
        """
        checkpoint = Checkpoint(self._store)
        update = checkpoint.update() if write_checkpoint else None
        headers = []
        for path, data in self._store.read_all(checkpoint.others):
            headers.append(decode_header(data, path))
            if update is not None:
                update.add(path, data)
        if update is not None:
            update.write_if_worthwhile()
        return CommitIndex(self.read, filter(None, headers), checkpoint.stored)

    def cached_commits(self) -> Iterator[Commit]:
        """Yield every commit, read through the checkpoint, sorted by path; skip removed sources.

        Commits read from the checkpoint have an empty report.
        """
        checkpoint = Checkpoint(self._store)
        others = (decode_commit(data, path) for path, data in self._store.read_all(checkpoint.others))
        current = (commit for commit in others if not commit.removed)
        return merge(checkpoint.stored.commits(), current, key=lambda commit: commit.path)

    def counting_commits(self) -> list[Commit]:
        """Return every commit whose rows count, read through the checkpoint, sorted by path.

        If a commit yields to its twin between the listing and the reading, the reader sees the commit without rows. The
        records are then read again, because the twin may be missing from the listing.

        Raises DatasetError if commits keep yielding during the reading.
        """
        for _ in range(LOOKS):
            commits = list(self.cached_commits())
            if not self._has_missed_rows(commits):
                return counting(commits)
        raise _changing()

    def counting(self) -> Counting:
        """Return what decides which rows count, read through the checkpoint.

        A source of a compacted day may be replaced or removed after its commit record was read, and the day record then
        no longer lists it. Both records together would say that its rows are in its own parts, which the compaction has
        deleted. The records are then read again.

        Raises the same errors as ``counting_commits``.
        """
        for _ in range(LOOKS):
            before = self.day_versions()
            found = Counting(self.counting_commits(), self.days())
            if not found.days or not self._is_torn(found, before):
                return found
        raise _changing()

    def _is_torn(self, found: Counting, before: Mapping[str, str | None]) -> bool:
        """Return whether a commit has changed since it was read, and its rows may have been in day parts.

        ``before``: the versions of the day records before the commits were read. A day whose record has not changed
        since then had the own parts of all commits that it does not list.
        """
        after = self.day_versions().items()
        changed = {path for path, version in after if version is None or before.get(path) != version}
        days = {day for day, record in found.days.items() if record.path in changed}
        if not days:
            return False
        doubtful = (
            commit
            for commit in found.commits
            if any(Day(commit.identity.account, part.date) in days for part in found.own_parts(commit))
        )
        return any(
            (current := self.read(commit.identity)) is None or current.token != commit.token for commit in doubtful
        )

    def _has_missed_rows(self, commits: Iterable[Commit]) -> bool:
        known = {commit.identity: commit for commit in commits}
        dangling = (each for each in known.values() if each.same_as and refer_to_rows(each, known.get) is None)
        return any(refer_to_rows(each, self.read) is not None for each in dangling)

    # --- Intents ------------------------------------------------------------------------------------------------------

    def intents_of(self, key: Key | DayKey) -> dict[str, Intent]:
        """Return all intents of one source or day, by path."""
        entries = self._store.entries(key.intents_folder)
        paths = [entry.path for entry in entries if (found := _parse(entry.path)) and found[0] == key]
        return {path: decode_intent(data, path, key) for path, data in self._store.read_all(paths)}

    def intent_files(self, identity: Identity | None = None) -> Iterator[tuple[Key | DayKey, Entry]]:
        """Yield the key of the source or day and the file of each intent.

        With ``identity``, yield only the intents of sources of its account. Raises DatasetError if a file in the folder
        of intents does not have an intent's name.
        """
        for folder in (INTENTS, DAY_INTENTS) if identity is None else (identity.key.intents_folder,):
            for entry in self._store.entries(folder):
                found = _parse(entry.path)
                if found is None:
                    raise DatasetError(
                        f"{entry.path}: expected an intent's file name, found {entry.path.rpartition('/')[2]!r}; "
                        "wsparquet did not write this file: move it away"
                    )
                yield found[0], entry

    def paths_of_live_intents(self, since: float) -> Iterator[str]:
        """Yield the paths of intents modified after ``since`` (seconds since 1970), and all paths that they name."""
        for key, entry in self.intent_files():
            if entry.modified > since and (data := self._store.read(entry.path)) is not None:
                yield entry.path
                yield from decode_intent(data, entry.path, key).paths


def _changing() -> DatasetError:
    return DatasetError(
        f"{COMMITS}: expected unchanging commit records, found that other runs changed them during each of {LOOKS} "
        "readings; open the root again"
    )


def _decoded_days(files: Iterable[tuple[str, bytes]]) -> Iterator[DayRecord]:
    for path, data in files:
        if parse_day_record_path(path) is None:
            raise DatasetError(
                f"{path}: expected the file name of a day record, found {path.rpartition('/')[2]!r}; wsparquet did "
                "not write this file: move it away"
            )
        yield decode_day(data, path)


def _parse(path: str) -> tuple[Key | DayKey, str] | None:
    return parse_intent_path(path) or parse_day_intent_path(path)

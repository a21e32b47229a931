"""Checks a complete root against its commit records and, if the caller gives any, against sources."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypedDict, Unpack

from wsparquet.commit import Commit, CommitHeader, CommitIndex, CommitLog, Text
from wsparquet.commit.days import Counting, DayRecord
from wsparquet.commit.protocol import DEAD_SECONDS
from wsparquet.commit.twins import find_twins
from wsparquet.conversion.options import default_jobs
from wsparquet.dataset import Access, Root
from wsparquet.dataset.cleaning import find_strays
from wsparquet.dataset.erased import people_of, read_erased
from wsparquet.decode import DecoderOptions, Limits
from wsparquet.errors import DatasetError, SourceError, WsparquetError
from wsparquet.iceberg import mismatches
from wsparquet.layout import ERASED_FILE, Day
from wsparquet.options import check_number, make_options
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.options import check_privacy, loaded
from wsparquet.progress import Listener, Progress, logged
from wsparquet.source import Failed, Source, SourceLimits, Sources, as_list, expand, interruptible
from wsparquet.store.store import Store
from wsparquet.stream import check_common
from wsparquet.verification.against import Committed, Comparison
from wsparquet.verification.commits import check_commit
from wsparquet.verification.days import check_day
from wsparquet.verification.doubles import Doubles
from wsparquet.verification.outcome import Kind, Problem, Verification

__all__ = ["Checks", "VerifyKeywords", "VerifyOptions", "verify"]


RECORDS_AT_ONCE = 1000
"""How many commit records are read before the first of them is checked."""


class VerifyKeywords(TypedDict, total=False):
    """The fields of ``VerifyOptions`` as keyword arguments."""

    jobs: int
    source_limits: SourceLimits
    limits: Limits
    storage_options: Mapping[str, Any] | None
    key_file: str | os.PathLike[str] | SecretKey | None


@dataclass(frozen=True)
class VerifyOptions:
    """The options of ``verify``. The function also takes each field as a keyword argument.

    ``jobs``: how many commits or sources are checked at the same time. ``key_file``: the file with the secret key of
    hashes, or a ``SecretKey``, needed for a comparison with sources if columns of the root are hashed or people were
    erased; by default the key is in the environment variable ``WSPARQUET_KEY``. The other fields mean the same as in
    ``ConvertOptions``.

    >>> wsparquet.verify("lake", options=wsparquet.VerifyOptions(jobs=1)).exit_code
    0

    Raises:
        OptionError: a field has an invalid value.

    """

    jobs: int = field(default_factory=default_jobs)
    source_limits: SourceLimits = field(default_factory=SourceLimits)
    limits: Limits = field(default_factory=Limits)
    storage_options: Mapping[str, Any] | None = field(default=None, repr=False)
    key_file: str | os.PathLike[str] | SecretKey | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Reject invalid values."""
        check_number("jobs", self.jobs, minimum=1)
        check_common("auto", self.source_limits, self.limits, self.storage_options)
        check_privacy(None, self.key_file)

    @property
    def access(self) -> Access:
        """How to access the root."""
        return Access(self.storage_options or {}, key=loaded(self.key_file))


def verify(
    root: str | os.PathLike[str],
    *,
    against: Sources = (),
    options: VerifyOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[VerifyKeywords],
) -> Verification:
    """Check that a root contains exactly what its commit records say, and return all problems.

    Each part is read, and its size, checksum, schema, rows and times are compared with the commit record. The counts of
    each commit record must add up, and the folders of the tables must contain no other file. In a published root, the
    Iceberg tables must name exactly the parts that count. ``against`` is a path,
    glob, folder or URL, or a list of them: the reference decoder decodes these sources again, and each value is
    compared with the committed rows. The order of the rows does not matter. The root is not changed. ``on_progress`` is
    called from several threads. The keyword arguments are the fields of ``VerifyOptions``, and they take precedence
    over ``options``.

    >>> wsparquet.verify("lake", against="downloads/").raise_for_failures()
    <Verification root=...lake, commits=2, parts=..., rows=40, sources=2, compared_rows=40, seconds=...>

    Raises:
        OptionError: a keyword argument is unknown or has an invalid value; this error is also a ValueError.
        DatasetError: there is no root, or its store fails.
        SchemaError: the root has another schema version.
        KeyboardInterrupt: the run was interrupted. The argument of the error is what it found, a ``Verification``.

    """
    started = time.monotonic()
    options = make_options(VerifyOptions, options, keywords)
    opened = Root.open(root, create=False, access=options.access)
    run = Checks(opened, options, logged(on_progress, failures_only=True))
    if given := as_list(against, name="against"):
        opened.check_privacy()
    try:
        run.root_itself()
        if given:
            run.sources(expand(given, exclude=os.fspath(root), storage_options=options.storage_options))
    except KeyboardInterrupt as interruption:
        run.result.interrupted = True
        interruption.args = (run.result,)
        raise
    finally:
        run.result.seconds = time.monotonic() - started
    return run.result


_Check = Callable[[CommitLog, Store, str, bytes, Doubles], Verification]


class Checks:
    """The checks of one call of ``verify``, or of one task of a distributed verification."""

    def __init__(self, root: Root, options: VerifyOptions, tell: Listener) -> None:
        self.root = root
        self.options = options
        self.tell = tell
        self.result = Verification(root.place)
        self._stopped = threading.Event()
        self.doubles = Doubles(root.schema)

    def _each(self, checks: Iterable[Callable[[], Verification]]) -> None:
        with ThreadPoolExecutor(max(self.options.jobs, 1), thread_name_prefix="wsparquet") as pool:
            try:
                for found in pool.map(lambda check: check(), checks):
                    self.result.add(found)
            except BaseException:
                # After an interruption, each comparison in progress stops before the next chunk of its source.
                self._stopped.set()
                pool.shutdown(cancel_futures=True)
                raise

    # --- The root itself ----------------------------------------------------------------------------------------------

    def root_itself(self) -> None:
        """Check each commit record against its files, and find files that no commit record names."""
        log = self.root.log
        self.tell(Progress("found", "", files=sum(1 for _ in log.record_paths())))
        for check, files in ((self.record, log.files()), (self.day, log.day_files())):
            # All records of a large root would not fit in memory.
            while some := list(islice(files, RECORDS_AT_ONCE)):
                self._each(partial(check, path, data) for path, data in some)
        self.whole()

    def whole(self) -> None:
        """Find the problems that only all commit records together show.

        ``doubles`` must have the parts of all commits.
        """
        self.result.problems.extend(self._strays())
        self.result.problems.extend(self._twins())
        self.result.problems.extend(self.doubles.problems(self.root.store, self._commits(), self._days()))
        self.result.problems.extend(self._published())
        self.result.problems.extend(self._erasure())

    def record(self, path: str, data: bytes) -> Verification:
        """Check a commit record against its files."""
        return self._checked(check_commit, path, data)

    def day(self, path: str, data: bytes) -> Verification:
        """Check a day record against its files."""
        return self._checked(check_day, path, data)

    def _checked(self, check: _Check, path: str, data: bytes) -> Verification:
        found = check(self.root.log, self.root.store, path, data, self.doubles)
        self.told(found, path.rpartition("/")[2], path, found.rows)
        return found

    def told(self, found: Verification, name: str, url: str, rows: int) -> None:
        """Report the result of one check."""
        if found.problems:
            self.tell(Progress("failed", name, url, error=str(found.problems[0])))
        else:
            self.tell(Progress("committed", name, url, rows=rows))

    def _strays(self) -> Iterator[Problem]:
        """Yield a problem for each file that no commit record names, and for each file that several records name.

        If several records name the same file, at least one of these records is forged.
        """
        named: Counter[str] = Counter()

        def count() -> set[str]:
            named.update(path for commit in self._commits() for path in commit.paths)
            named.update(path for record in self._days().values() for path in record.paths)
            return {*named}

        now = time.time()
        for each in find_strays(self.root, latest=now, live_since=now - DEAD_SECONDS, named=count):
            if each.kind in {"part", "quarantine", "foreign"}:
                yield Problem("stray", each.path, "a record that names it", "none; see `wsparquet clean`")
        for path, times in named.items():
            if times > 1:
                yield Problem("shared", path, "one record that names it", f"{times}")

    def _twins(self) -> Iterator[Problem]:
        """Yield a problem for each commit with a preferred twin. Readers count only the preferred twin."""
        for loser, winner in find_twins(self._commits()):
            found = f"another with the same content: {winner.path}; the next run that writes removes one of the two"
            yield Problem("twin", loser.path, "one commit of this content", found)

    def _published(self) -> Iterator[Problem]:
        """Yield a problem for each difference between the published tables and the commit records."""
        try:
            found = mismatches(self.root)
        except DatasetError as error:
            yield Problem("published", self.root.place, "published tables that can be read", str(error))
            return
        for each in found:
            remedy = "the run that changes the root publishes it at its end, and so does `wsparquet publish`"
            yield Problem("published", each.where, each.expected, f"{each.found}; {remedy}")

    def _erasure(self) -> Iterator[Problem]:
        """Yield a problem if an erasure did not end, so that rows of erased people may still be in the root."""
        try:
            found = read_erased(self.root.store)
        except DatasetError as error:
            yield Problem("unerased", self.root.store.place(ERASED_FILE), "a list of erased people", str(error))
            return
        if found is not None and found.unfinished:
            remedy = "one that was interrupted; `wsparquet erase` without ids finishes it"
            yield Problem("unerased", self.root.store.place(ERASED_FILE), "only finished erasures", remedy)

    def _days(self) -> dict[Day, DayRecord]:
        try:
            return self.root.log.days()
        except DatasetError:
            # Unreadable day records have been reported already.
            return {}

    def _commits(self) -> Iterator[Commit]:
        # Unreadable commit records have been reported already.
        return self.root.log.commits(skip_unreadable=True)

    # --- Comparison with sources --------------------------------------------------------------------------------------

    def sources(self, found: Sequence[Source | Failed]) -> None:
        """Compare each source with its commit."""
        self.tell(Progress("found", "", files=len(found)))
        self.read_commits()
        self._each(partial(self.source, each) for each in found)

    def read_commits(self) -> None:
        """Read the commits and the day records that are readable, for the comparisons of ``source``."""
        self.commits = CommitIndex(self.root.log.read, (commit.header for commit in self._commits()))
        self.days = self._days()
        self.expired = self.root.version.expired
        erased = people_of(self.root.store, partial(loaded, self.options.key_file))
        self.people = erased[0] if erased else None

    def source(self, source: Source | Failed) -> Verification:
        """Compare a source with its commit in ``commits``."""
        if isinstance(source, Failed):
            found = self._wrong("source", source.url, "a source", str(source.error))
        else:
            self.tell(Progress("started", source.name, source.url, source.size))
            with interruptible(self._stopped.is_set):
                found = self._compared(source)
        self.told(found, source.name, source.url, found.compared_rows)
        return found

    def _compared(self, source: Source) -> Verification:
        try:
            commits = self._commits_of(source)
            older = not commits and self._is_older(source)
        except WsparquetError as error:
            return self._wrong("source", source.url, "a source that can be read", str(error))
        if older:
            return Verification(self.root.place, sources=1)
        if not commits:
            return self._wrong("uncommitted", source.url, "a commit of this source", "no commit with its content")
        result = Verification(self.root.place)
        for commit in commits:
            options = self.options
            decoding = DecoderOptions(limits=options.limits, masks=self.root.masks)
            counting = Counting([commit], self.days)
            parts = (*counting.own_parts(commit), *counting.day_parts(commit))
            committed, store = Committed(commit, parts, self.root.schema), self.root.store
            comparison = Comparison(
                store,
                committed,
                source,
                options=decoding,
                source_limits=options.source_limits,
                expired=self.expired,
                people=self.people,
            )
            result.add(comparison.run(partial(self._read, source)))
        result.sources = min(result.sources, 1)
        return result

    def _commits_of(self, source: Source) -> list[Commit]:
        """Return the commits with the source's content. If some of them also have its name, return only these.

        If a copy is compressed in another way, only its text is equal. The commits with the same text are then
        returned.
        """
        heads = self.commits.by_checksum(source.checksum()) or self._of_text(source)
        rows = [found for head in heads if (found := self.commits.with_rows(head)) is not None]
        named = [head for head in rows if head.facts.source_name == source.name] or rows
        identities = dict.fromkeys(head.identity for head in named)
        return [commit for identity in identities if (commit := self.commits.read(identity)) is not None]

    def _of_text(self, source: Source) -> Sequence[CommitHeader]:
        return self.commits.by_text(self._text_of(source))

    def _is_older(self, source: Source) -> bool:
        """Return whether a newer content of the same file has replaced the source's rows."""
        return bool(self.commits.by_older_text(self._text_of(source)))

    def _text_of(self, source: Source) -> Text:
        with source.open(self.options.source_limits) as reader:
            for _ in reader:
                if self._stopped.is_set():
                    raise SourceError(f"{source.url}: interrupted; run again to compare it")
            return Text(reader.text_blake3, reader.inflated_bytes)

    def _read(self, source: Source, stored: int) -> None:
        if self._stopped.is_set():
            raise SourceError(f"{source.url}: interrupted; run again to compare it")
        self.tell(Progress("read", source.name, source.url, source.size, stored))

    def _wrong(self, kind: Kind, where: str, expected: str, found: str) -> Verification:
        return Verification(self.root.place, problems=[Problem(kind, where, expected, found)])

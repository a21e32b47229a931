"""Merges the small parts of each table and day of a root."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Unpack

from wsparquet.commit.days import DayRecord
from wsparquet.commit.protocol import DayConflict
from wsparquet.compaction.options import CompactKeywords, CompactOptions
from wsparquet.compaction.outcome import Compaction, MergedTable, Sizes, UnmergedDay
from wsparquet.compaction.plan import planned_days
from wsparquet.dataset import Root
from wsparquet.dataset.day_parts import DayChange, MergeLimits, PartsGone
from wsparquet.dataset.erased import ErasedMeanwhile
from wsparquet.errors import WsparquetError
from wsparquet.iceberg import publish_changes
from wsparquet.layout import HIVE_NULL
from wsparquet.options import check_choice, make_options
from wsparquet.progress import Listener, Progress, logged

__all__ = ["MergeResult", "MergeRun", "compact", "compact_root", "merge_day"]


def compact(
    root: str | os.PathLike[str],
    *,
    options: CompactOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[CompactKeywords],
) -> Compaction:
    """Merge the small files of each table and day into few large ones, sorted by visit and time.

    Hourly sources make several files an hour. After the compaction, a table's day has one file up to the target size,
    with Bloom filters on ``visitId`` and ``visitorId``, so that engines find one visit or one visitor fast. The rows
    are the same, and a later conversion or removal of a source still replaces exactly the rows of this source. Readers
    need not stop: a merged file begins to count at the instant at which the small files stop counting, and the small
    files are then deleted. A query that listed the folder before then fails once, because a file is missing.

    ``root`` is a folder or ``s3://bucket/…``. The keyword arguments are the fields of ``CompactOptions``, and they take
    precedence over ``options``.

    >>> from datetime import timedelta
    >>> wsparquet.compact("lake", min_files=2, older_than=timedelta(0))
    <Compaction root=...lake, days=1, rows=40, files_before=14, files_after=7>

    Raises:
        OptionError: a keyword argument is unknown or has an invalid value; this error is also a ValueError.
        DatasetError: there is no root, the store fails, or the root is published and cannot be published again; then no
            file was deleted.
        SchemaError: the root has another schema version.

    """
    options = make_options(CompactOptions, options, keywords)
    opened = Root.open(root, create=False, access=options.access)
    found = compact_root(opened, options, on_progress)
    if not options.dry_run:
        publish_changes(opened)
    return found


def compact_root(root: Root, options: CompactOptions, on_progress: Listener | None = None) -> Compaction:
    """Merge the small files of an open root, as ``compact`` does.

    Raises DatasetError if the store fails, OptionError if the root has no such table.
    """
    run = MergeRun(root, options, on_progress)
    if not options.dry_run:
        with ThreadPoolExecutor(options.jobs, thread_name_prefix="wsparquet") as pool:
            merged = partial(merge_day, root, options=options, erased=run.erased)
            try:
                for change, result in zip(run.changes, pool.map(merged, run.changes), strict=True):
                    run.tell(change, result)
                    run.add(change, result)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    return run.end()


MergeResult = DayRecord | str | None
"""The new record of a day, the error, or None if another run has changed the day."""


def merge_day(
    root: Root, change: DayChange, *, options: CompactOptions, erased: tuple[int, int] | None = None
) -> MergeResult:
    """Merge the small files of a day. ``erased`` is as in ``Root.replace_day``."""
    keep = options.keep.total_seconds()
    limits = MergeLimits(
        target_bytes=options.target_size,
        memory=options.memory // options.jobs,
        keep_until=time.time() + keep if keep else None,
    )
    try:
        return root.replace_day(change, limits, erased=erased)
    except (PartsGone, DayConflict, ErasedMeanwhile):
        return None
    except WsparquetError as error:
        return str(error)


@dataclass
class _Totals:
    """The sums of all days of one table."""

    days: int = 0
    rows: int = 0
    before: Sizes = field(default_factory=Sizes)
    after: Sizes = field(default_factory=Sizes)


class MergeRun:
    """A compaction of a root: ``changes`` are the days to merge, and ``erased`` is for ``merge_day``.

    ``tell`` reports the result of a day to the listener, and ``add`` adds it to the totals.

    Raises DatasetError if the store fails, OptionError if the root has no such table.
    """

    def __init__(self, root: Root, options: CompactOptions, on_progress: Listener | None) -> None:
        self._started = time.monotonic()
        for table in options.tables:
            check_choice("tables", table, tuple(root.schema.tables))
        if not options.dry_run:
            root.recover()
            root.settle(root.commits())
        self._root = root
        self._options = options
        self._listener = logged(on_progress)
        self._totals: dict[str, _Totals] = {}
        self._days = 0
        self._failures: list[UnmergedDay] = []
        # Before the commit records are read.
        self.erased = root.erased_state()
        candidates = planned_days(root.log.counting(), options, root.schema)
        self._changing = sum(each.is_changing for each in candidates)
        settled = (each.change(options, root.schema) for each in candidates if not each.is_changing)
        self.changes = [change for change in settled if change is not None]
        self._listener(Progress("found", "", files=len(self.changes)))

    def tell(self, change: DayChange, result: MergeResult) -> None:
        """Report the result of a day."""
        match result:
            case DayRecord():
                self._tell_merged(change)
            case str() as error:
                self._listener(Progress("failed", *self._named(change), error=error))
            case None:
                reason = "another run has changed this day meanwhile"
                self._listener(Progress("skipped", *self._named(change), reason=reason))

    def add(self, change: DayChange, result: MergeResult) -> None:
        """Add the result of a day to the totals."""
        match result:
            case DayRecord():
                self._add_merged(change, _published(result))
            case str() as error:
                day = change.day.day
                self._failures.append(UnmergedDay(change.day.account, day.isoformat() if day else None, error))
            case None:
                # Another run has changed the day meanwhile.
                self._changing += 1

    def _tell_merged(self, change: DayChange) -> None:
        rows = sum(each.rows for inputs in change.merged.values() for each in inputs)
        self._listener(Progress("committed", *self._named(change), rows=rows))

    def _add_merged(self, change: DayChange, after: Mapping[str, Sizes]) -> None:
        """Add a day to the totals. ``after`` has the new day parts by table, or nothing in a dry run."""
        self._days += 1
        for table, inputs in change.merged.items():
            totals = self._totals.setdefault(table, _Totals())
            totals.days += 1
            totals.rows += sum(each.rows for each in inputs)
            totals.before = totals.before.plus(Sizes(len(inputs), sum(each.part.bytes for each in inputs)))
            totals.after = totals.after.plus(after.get(table, Sizes()))

    def _named(self, change: DayChange) -> tuple[str, str]:
        """Return the name of a day and its place, for events."""
        name = f"{change.day.account} {change.day.day or HIVE_NULL}"
        return name, f"{self._root.place}: {name}"

    def end(self) -> Compaction:
        """Remove void rows, and return the result. Raises DatasetError if the store fails."""
        root, options = self._root, self._options
        if options.dry_run:
            for change in self.changes:
                self._tell_merged(change)
                self._add_merged(change, {})
        elif self._days:
            # A source that was replaced or removed during its merge has left void rows.
            root.settle_days(root.commits())
        return Compaction(
            root=root.place,
            dry_run=options.dry_run,
            days=self._days,
            tables=tuple(self._tables()),
            failures=tuple(self._failures),
            changing=self._changing,
            keeps_replaced=bool(options.keep),
            seconds=time.monotonic() - self._started,
        )

    def _tables(self) -> Iterator[MergedTable]:
        """Yield the sums of each table, in the order of the schema."""
        dry = self._options.dry_run
        for table in self._root.schema.tables:
            if (found := self._totals.get(table)) is not None:
                files, size = (None, None) if dry else (found.after.files, found.after.bytes)
                before = found.before
                yield MergedTable(table, found.days, found.rows, before.files, before.bytes, files, size)


def _published(record: DayRecord) -> Mapping[str, Sizes]:
    """Return the new day parts of a record by table."""
    new = {*record.published}
    found: dict[str, Sizes] = {}
    for part in record.parts:
        if part.path in new:
            found[part.table] = found.get(part.table, Sizes()).plus(Sizes(1, part.bytes))
    return found

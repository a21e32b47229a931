"""Merges the small parts of each table and day of a root."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Unpack

from wsparquet.commit.days import DayRecord
from wsparquet.commit.protocol import DayConflict
from wsparquet.compaction.options import CompactKeywords, CompactOptions
from wsparquet.compaction.outcome import Compaction, MergedTable, Sizes, UnmergedDay
from wsparquet.compaction.plan import Candidates, planned_days
from wsparquet.dataset import Root
from wsparquet.dataset.day_parts import DayChange, MergeLimits, PartsGone
from wsparquet.dataset.erased import ErasedMeanwhile
from wsparquet.errors import WsparquetError
from wsparquet.iceberg import publish_changes
from wsparquet.layout import HIVE_NULL, Day
from wsparquet.options import check_choice, make_options
from wsparquet.progress import Listener, Progress, logged

__all__ = ["compact", "compact_root"]


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
    started = time.monotonic()
    for table in options.tables:
        check_choice("tables", table, tuple(root.schema.tables))
    if not options.dry_run:
        root.recover()
        root.settle(root.commits())
    run = _Run(root, options, logged(on_progress))
    run.all(planned_days(root.log.counting(), options, root.schema))
    if run.days and not options.dry_run:
        # A source that was replaced or removed during its merge has left void rows.
        root.settle_days(root.commits())
    return Compaction(
        root=root.place,
        dry_run=options.dry_run,
        days=run.days,
        tables=tuple(run.tables()),
        failures=tuple(run.failures),
        changing=run.changing,
        keeps_replaced=bool(options.keep),
        seconds=time.monotonic() - started,
    )


@dataclass
class _Totals:
    """The sums of all days of one table."""

    days: int = 0
    rows: int = 0
    before: Sizes = field(default_factory=Sizes)
    after: Sizes = field(default_factory=Sizes)


class _Run:
    """The merges of one call of ``compact``."""

    def __init__(self, root: Root, options: CompactOptions, tell: Listener) -> None:
        self._root = root
        # Before the commit records are read.
        self._erased = root.erased_state()
        self._options = options
        self._tell = tell
        self._totals: dict[str, _Totals] = {}
        self.days = 0
        self.changing = 0
        self.failures: list[UnmergedDay] = []

    def all(self, candidates: Sequence[Candidates]) -> None:
        """Merge the days, several at the same time."""
        self.changing = sum(each.is_changing for each in candidates)
        settled = [each for each in candidates if not each.is_changing]
        changes = [change for each in settled if (change := each.change(self._options, self._root.schema)) is not None]
        self._tell(Progress("found", "", files=len(changes)))
        if self._options.dry_run:
            for change in changes:
                self._merged(change, {})
            return
        with ThreadPoolExecutor(self._options.jobs, thread_name_prefix="wsparquet") as pool:
            try:
                for change, result in zip(changes, pool.map(self._one, changes), strict=True):
                    self._add(change, result)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _one(self, change: DayChange) -> DayRecord | WsparquetError | None:
        """Merge a day. Return the new record, the error, or None if another run has changed the day."""
        keep = self._options.keep.total_seconds()
        limits = MergeLimits(
            target_bytes=self._options.target_size,
            memory=self._options.memory // self._options.jobs,
            keep_until=time.time() + keep if keep else None,
        )
        try:
            return self._root.replace_day(change, limits, erased=self._erased)
        except (PartsGone, DayConflict, ErasedMeanwhile):
            return None
        except WsparquetError as error:
            return error

    def _add(self, change: DayChange, result: DayRecord | WsparquetError | None) -> None:
        name, place = self._named(change.day)
        if isinstance(result, WsparquetError):
            day = change.day.day
            self.failures.append(UnmergedDay(change.day.account, day.isoformat() if day else None, str(result)))
            self._tell(Progress("failed", name, place, error=str(result)))
            return
        if result is None:
            self.changing += 1
            self._tell(Progress("skipped", name, place, reason="another run has changed this day meanwhile"))
            return
        self._merged(change, _published(result))

    def _merged(self, change: DayChange, after: Mapping[str, Sizes]) -> None:
        """Add a day to the totals and report the day.

        ``after`` has the new day parts by table, or nothing in a dry run.
        """
        self.days += 1
        for table, inputs in change.merged.items():
            totals = self._totals.setdefault(table, _Totals())
            totals.days += 1
            totals.rows += sum(each.rows for each in inputs)
            totals.before = totals.before.plus(Sizes(len(inputs), sum(each.part.bytes for each in inputs)))
            totals.after = totals.after.plus(after.get(table, Sizes()))
        rows = sum(each.rows for inputs in change.merged.values() for each in inputs)
        self._tell(Progress("committed", *self._named(change.day), rows=rows))

    def _named(self, day: Day) -> tuple[str, str]:
        """Return the name of a day and its place, for events."""
        name = f"{day.account} {day.day or HIVE_NULL}"
        return name, f"{self._root.place}: {name}"

    def tables(self) -> Iterator[MergedTable]:
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

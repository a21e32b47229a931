"""Determines a record's day: the UTC day of its earliest own timestamp, or else of its container or its source."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import date, timedelta

import pyarrow as pa

from wsparquet.compute import min_max
from wsparquet.errors import DatasetError
from wsparquet.schema import COMMON_SUFFIX, AnyTable, table_of
from wsparquet.schema.fields import DAY_MS, DAY_US, EPOCH, plausible_ms
from wsparquet.schema.leaves import LeafColumn, leaf_columns
from wsparquet.schema.own_timestamps import own_timestamps

__all__ = ["shared_day", "split_by_day"]


def split_by_day(
    table: AnyTable, batch: pa.RecordBatch, fallback_day_ms: int | None
) -> Iterator[tuple[date | None, pa.RecordBatch]]:
    """Yield each day with its rows, in the batch's order. A batch with only one day is yielded unchanged.

    Raises DatasetError for a day outside the years 1 to 9999, because no partition can have its name.
    """
    if not batch.num_rows:
        return
    if (shared := shared_day(table, batch, fallback_day_ms)) is not None:
        yield to_date(shared, table), batch
        return
    # Import ``row_days`` only here, because it imports all of pyarrow.compute.
    from wsparquet.parquet.row_days import split_by_row

    for day, rows in split_by_row(table, batch, fallback_day_ms):
        yield to_date(day, table), rows


def shared_day(table: AnyTable, batch: pa.RecordBatch, fallback_day_ms: int | None) -> int | None:
    """Return the day that all rows share, in days since 1970, or None if their timestamps are not all on one day.

    This check avoids the search for the earliest timestamp of each row, which groups all timestamps in lists by row.
    A source spans an hour, so the rows of nearly every batch share a day.
    """
    days: set[int] = set()
    for leaf in deciding_leaves(table):
        bounds = min_max(leaf.values(batch))
        days.update(bound.value // DAY_US for bound in bounds or ())
    if start_column().values(batch).null_count:
        if fallback_day_ms is None or not plausible_ms(fallback_day_ms):
            return None
        days.add(fallback_day_ms // DAY_MS)
    return days.pop() if len(days) == 1 else None


@functools.cache
def deciding_leaves(table: AnyTable) -> tuple[LeafColumn, ...]:
    """Return the leaf columns that determine the days of rows: the table's own timestamps and the container's start."""
    return *own_timestamps(table), start_column()


@functools.cache
def start_column() -> LeafColumn:
    """Return the leaf column that contains the container's start."""
    return next(leaf for leaf in leaf_columns(pa.schema(COMMON_SUFFIX)) if leaf.path == "$.metaData.startTime")


def to_date(day: int | None, table: AnyTable) -> date | None:
    """Convert days since 1970 to a date."""
    try:
        return None if day is None else EPOCH + timedelta(day)
    except OverflowError as error:
        raise DatasetError(
            f"table {table_of(table).name}: expected days of the years 1 to 9999, found day {day} since 1970; such "
            "timestamps belong in `rescued`"
        ) from error

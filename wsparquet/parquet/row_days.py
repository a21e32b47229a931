"""Determines the day of each row: the day of its earliest own timestamp, or else of its container or its source.

Arrow kernels process complete columns; Python code handles no single values.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from wsparquet.schema import AnyTable, table_of
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.fields import TIMESTAMP, plausible_ms
from wsparquet.schema.own_timestamps import NOT_OWN

__all__ = ["earliest", "partition_days", "row_times", "split_by_row"]


def split_by_row(
    table: AnyTable, batch: pa.RecordBatch, fallback_day_ms: int | None
) -> Iterator[tuple[int | None, pa.RecordBatch]]:
    """Yield each day, in days since 1970, with its rows in the batch's order."""
    days = partition_days(table, batch, fallback_day_ms).cast(pa.int32())
    if len(pc.unique(days)) == 1:
        yield days[0].as_py(), batch
        return
    # The sort is stable, so the rows of a day stay in order. Each day is copied, because a slice would keep the
    # complete batch in memory.
    order = pc.sort_indices(days)
    runs = pc.run_end_encode(days.take(order))  # type: ignore[attr-defined]
    start = 0
    for end, day in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
        yield day, batch.take(order.slice(start, end - start))
        start = end


def partition_days(table: AnyTable, batch: pa.RecordBatch, fallback_day_ms: int | None) -> pa.Date32Array:
    """Return the UTC day of every row, null for rows without one.

    The day comes from the first of these that the row has: its earliest own timestamp (in all timestamp columns except
    those of ``metaData``, including nested lists); ``metaData.startTime``; and ``fallback_day_ms``, in milliseconds
    since 1970, if it is within the years 2000 to 2099.
    """
    fallback = pa.scalar(_fallback(fallback_day_ms), pa.int64())
    instants = pc.coalesce(row_times(table, batch), fallback)
    return cast("pa.Date32Array", instants.cast(TIMESTAMP).cast(pa.date32()))


def row_times(table: AnyTable, batch: pa.RecordBatch) -> pa.Array:
    """Return the time of every row as int64, in microseconds since 1970, null for rows without one.

    The time is the row's earliest own timestamp, or else ``metaData.startTime``.
    """
    own = [earliest(batch.column(field.name), field) for field in timed_columns(table)]
    start = microseconds(pc.struct_field(batch.column("metaData"), "startTime"))
    return pc.coalesce(minimum(own), start) if own else start


def _fallback(day_ms: int | None) -> int | None:
    return day_ms * 1000 if day_ms is not None and plausible_ms(day_ms) else None


def has_timestamp(field: pa.Field) -> bool:
    """Whether the field contains a timestamp at any depth that no extension has added."""
    data_type = field.type
    if isinstance(data_type, pa.StructType):
        return any(has_timestamp(child) for child in data_type.fields)
    if isinstance(data_type, pa.ListType):
        return has_timestamp(data_type.value_field)
    return pa.types.is_timestamp(data_type) and not annotations_of(field).added


@functools.cache
def timed_columns(table: AnyTable) -> tuple[pa.Field, ...]:
    """Return the table's own columns that contain timestamps."""
    return tuple(field for field in table_of(table).schema if field.name not in NOT_OWN and has_timestamp(field))


def earliest(array: pa.Array, field: pa.Field) -> pa.Array:
    """Return the earliest timestamp in each value of an array, or null for a value without timestamps.

    ``field`` is the array's field in the schema of its table. Timestamps are returned as int64 (microseconds since
    1970), because some kernels do not support time zones.
    """
    match array:
        case pa.StructArray():
            # `flatten` makes the children null if the struct itself is null.
            children = zip(array.flatten(), field.type.fields, strict=True)
            return minimum([earliest(child, inner) for child, inner in children if has_timestamp(inner)])
        case pa.ListArray():
            return earliest_in_lists(array, field.type.value_field)
        case _:
            return microseconds(array)


def microseconds(instants: pa.Array) -> pa.Array:
    """Return timestamps as int64, in microseconds since 1970."""
    return instants.cast(TIMESTAMP).cast(pa.int64())


def minimum(arrays: list[pa.Array]) -> pa.Array:
    """Return the earliest value of each row over all arrays, ignoring nulls."""
    return arrays[0] if len(arrays) == 1 else pc.min_element_wise(*arrays, skip_nulls=True)


def earliest_in_lists(lists: pa.ListArray, element: pa.Field) -> pa.Array:
    """Return the earliest timestamp in each list."""
    first, last = lists.offsets[0].as_py(), lists.offsets[-1].as_py()
    values = earliest(lists.values.slice(first, last - first), element)
    grouped = pa.table({"row": pc.list_parent_indices(lists), "value": values}).group_by("row", use_threads=False)
    found = grouped.aggregate([("value", "min")])
    rows = pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), len(lists))), 1)
    by_row = found["value_min"].combine_chunks().take(pc.index_in(rows, found["row"]))
    # A null list may cover elements of the child array, which do not count.
    return cast("pa.Array", pc.if_else(lists.is_valid(), by_row, pa.scalar(None, by_row.type)))

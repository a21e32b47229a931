"""The day of each row: that of its earliest own timestamp, else its container's, else its file's.

Everything here is an Arrow kernel over whole columns; no value passes through Python.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from wsparquet.parquet.settings import NOT_OWN
from wsparquet.schema import TABLES
from wsparquet.schema.fields import TIMESTAMP, plausible_ms

__all__ = ["earliest", "partition_days", "split_by_row"]


def split_by_row(
    table: str, batch: pa.RecordBatch, fallback_day_ms: int | None
) -> Iterator[tuple[int | None, pa.RecordBatch]]:
    """The rows of every day with their day, in days since 1970, each in the batch's order."""
    days = partition_days(table, batch, fallback_day_ms).cast(pa.int32())
    if len(pc.unique(days)) == 1:
        yield days[0].as_py(), batch
        return
    # The sort is stable, so rows of a day stay in order. Each day is copied out: a slice would keep the batch alive.
    order = pc.sort_indices(days)
    runs = pc.run_end_encode(days.take(order))  # type: ignore[attr-defined]
    start = 0
    for end, day in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
        yield day, batch.take(order.slice(start, end - start))
        start = end


def partition_days(table: str, batch: pa.RecordBatch, fallback_day_ms: int | None) -> pa.Date32Array:
    """The UTC day of every row, null where there is none.

    A row's day is that of its earliest own timestamp (every timestamp column of the table but those of ``metaData``,
    in nested lists too); with none, that of ``metaData.startTime``; with none, that of ``fallback_day_ms``,
    milliseconds since 1970 from 2000 to 2099, anything else being none.
    """
    own = [earliest(batch.column(name)) for name in timed_columns(table)]
    start = milliseconds(pc.struct_field(batch.column("metaData"), "startTime"))
    fallback = pa.scalar(fallback_day_ms if plausible_ms(fallback_day_ms) else None, pa.int64())
    instants = pc.coalesce(*([minimum(own)] if own else []), start, fallback)
    return cast("pa.Date32Array", instants.cast(TIMESTAMP).cast(pa.date32()))


def has_timestamp(data_type: pa.DataType) -> bool:
    """Whether a timestamp is in the type, however deep."""
    if isinstance(data_type, pa.StructType):
        return any(has_timestamp(data_type.field(index).type) for index in range(data_type.num_fields))
    if isinstance(data_type, pa.ListType):
        return has_timestamp(data_type.value_type)
    return pa.types.is_timestamp(data_type)


@functools.cache
def timed_columns(table: str) -> tuple[str, ...]:
    """The table's own columns that hold timestamps."""
    return tuple(
        field.name for field in TABLES[table].schema if field.name not in NOT_OWN and has_timestamp(field.type)
    )


def earliest(array: pa.Array) -> pa.Array:
    """The earliest timestamp in each value of an array that holds timestamps, null where a value has none.

    In milliseconds since 1970, as int64: not every kernel takes timestamps with a time zone.
    """
    match array:
        case pa.StructArray():
            # `flatten` applies the struct's own nulls to its children.
            return minimum([earliest(child) for child in array.flatten() if has_timestamp(child.type)])
        case pa.ListArray():
            return earliest_in_lists(array)
        case _:
            return milliseconds(array)


def milliseconds(instants: pa.Array) -> pa.Array:
    """Timestamps as int64, milliseconds since 1970."""
    return instants.cast(TIMESTAMP).cast(pa.int64())


def minimum(arrays: list[pa.Array]) -> pa.Array:
    """The earliest of the arrays in each row, nulls passed over."""
    return arrays[0] if len(arrays) == 1 else pc.min_element_wise(*arrays, skip_nulls=True)


def earliest_in_lists(lists: pa.ListArray) -> pa.Array:
    """The earliest timestamp in each list."""
    first, last = lists.offsets[0].as_py(), lists.offsets[-1].as_py()
    values = earliest(lists.values.slice(first, last - first))
    grouped = pa.table({"row": pc.list_parent_indices(lists), "value": values}).group_by("row", use_threads=False)
    found = grouped.aggregate([("value", "min")])
    rows = pc.subtract(pc.cumulative_sum(pa.repeat(pa.scalar(1, pa.int64()), len(lists))), 1)
    by_row = found["value_min"].combine_chunks().take(pc.index_in(rows, found["row"]))
    # What lies under a null list is no value of it.
    return cast("pa.Array", pc.if_else(lists.is_valid(), by_row, pa.scalar(None, by_row.type)))

"""Counts the rows and the undocumented values of finished batches.

Undocumented values are values of enum columns that are not in the documentation. The columns keep these values.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from wsparquet.decode.model import Report
from wsparquet.schema import DOCUMENTED, AnyTable, Schema, table_of
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.leaves import LeafColumn, leaf_columns

__all__ = ["count_batches", "undocumented"]


TABLES_KEPT = 64
"""For how many tables, of all schemas of a process, the enum columns are kept."""


def count_batches(report: Report, batches: Iterable[tuple[str, pa.RecordBatch]], schema: Schema = DOCUMENTED) -> None:
    """Add the counts of ``(table, batch)`` pairs to a report."""
    for table, batch in batches:
        report.count_rows(table, batch.num_rows)
        for path, count in undocumented(schema.tables[table], batch).items():
            report.undocumented_of(table).add(path, count)


def undocumented(table: AnyTable, batch: pa.RecordBatch) -> dict[str, int]:
    """Return the number of undocumented values by path. Paths have ``[*]`` instead of indices."""
    counts = {}
    for column, documented in _enums(table):
        found = column.values(batch)
        unlisted = len(found) - found.null_count - pc.is_in(found, documented).true_count
        if unlisted:
            counts[column.path] = unlisted
    return counts


@lru_cache(maxsize=TABLES_KEPT)
def _enums(table: AnyTable) -> list[tuple[LeafColumn, pa.Array]]:
    return [
        (column, pa.array(values, pa.string()))
        for column in leaf_columns(table_of(table).schema)
        if (values := list(annotations_of(column.field).values))
    ]

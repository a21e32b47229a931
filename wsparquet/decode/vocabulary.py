"""Which values of enum columns the documentation does not list; they are kept, and counted here by Arrow kernels."""

from __future__ import annotations

import json
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from wsparquet.columns import LeafColumn, leaf_columns
from wsparquet.schema import TABLES

__all__ = ["undocumented"]


def undocumented(table: str, batch: pa.RecordBatch) -> dict[str, int]:
    """Counts of values outside their column's documented ones, by path with ``[*]`` for indices."""
    counts = {}
    for column, documented in _enums(table):
        found = column.values(batch)
        unlisted = len(found) - found.null_count - pc.is_in(found, documented).true_count
        if unlisted:
            counts[column.path] = unlisted
    return counts


@lru_cache(maxsize=len(TABLES))
def _enums(table: str) -> list[tuple[LeafColumn, pa.Array]]:
    return [
        (column, pa.array(json.loads(values), pa.string()))
        for column in leaf_columns(TABLES[table].schema)
        if (values := (column.field.metadata or {}).get(b"values"))
    ]

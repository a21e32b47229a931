"""Tells the timestamps of a table's own events from those of containers, which define the period that they cover."""

from __future__ import annotations

from functools import cache

import pyarrow as pa

from wsparquet.schema.leaves import LeafColumn, leaf_columns
from wsparquet.schema.tables import COMMON_SUFFIX, TABLES

__all__ = ["NOT_OWN", "own_timestamps"]

NOT_OWN = frozenset(field.name for field in COMMON_SUFFIX)
"""The columns whose timestamps do not tell when the events of a record happened."""


@cache
def own_timestamps(table: str) -> tuple[LeafColumn, ...]:
    """Return the leaf columns that contain the timestamps of a table's own events."""
    leaves = leaf_columns(TABLES[table].schema)
    return tuple(leaf for leaf in leaves if leaf.steps[0] not in NOT_OWN and pa.types.is_timestamp(leaf.field.type))

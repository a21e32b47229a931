"""Separates the timestamps of a table's own events from other timestamps, such as the period of a container."""

from __future__ import annotations

from functools import cache

import pyarrow as pa

from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.leaves import LeafColumn, leaf_columns
from wsparquet.schema.tables import COMMON_SUFFIX, AnyTable, table_of

__all__ = ["NOT_OWN", "is_own_timestamp", "own_timestamps"]

NOT_OWN = frozenset(field.name for field in COMMON_SUFFIX)
"""The columns whose timestamps do not tell when the events of a record happened."""


@cache
def own_timestamps(table: AnyTable) -> tuple[LeafColumn, ...]:
    """Return the leaf columns that contain the timestamps of a table's own events."""
    return tuple(leaf for leaf in leaf_columns(table_of(table).schema) if is_own_timestamp(leaf))


def is_own_timestamp(leaf: LeafColumn) -> bool:
    """Return whether a leaf column has timestamps of a table's own events.

    Timestamps that an extension adds to a documented struct do not count: they must not move rows to other days.
    """
    if leaf.steps[0] in NOT_OWN or not pa.types.is_timestamp(leaf.field.type):
        return False
    return not annotations_of(leaf.field).added

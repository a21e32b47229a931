"""Says which row groups of a file may have a value, by the statistics and the Bloom filters of a column."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from wsparquet.schema.leaves import LeafColumn

__all__ = ["row_groups_with"]


def row_groups_with(file: pq.ParquetFile, path: Path | None, leaf: LeafColumn, values: Sequence[str]) -> set[int]:
    """Return the row groups that may have one of the values in a column. All values of the other groups are different.

    ``path``: where the file is on a local disk, or None. Bloom filters are read only there, and only by the native
    crate. Raises the errors of pyarrow, or OSError.
    """
    column = _index(file, leaf)
    groups = set(range(file.num_row_groups))
    if column is None:
        return groups
    found = {group for group in groups if _may_have(file.metadata.row_group(group).column(column), values)}
    reader = _bloom_reader()
    if found and path is not None and reader is not None:
        found &= set(reader(path, column, list(values)))
    return found


def _index(file: pq.ParquetFile, leaf: LeafColumn) -> int | None:
    name = ".".join("list.element" if step is None else step for step in leaf.steps)
    return next((index for index in range(len(file.schema)) if file.schema.column(index).path == name), None)


def _may_have(column: Any, values: Sequence[str]) -> bool:
    statistics = column.statistics
    if statistics is None or not statistics.has_min_max:
        return True
    # Bytes in UTF-8 have the order of their characters, and a bound that was cut may not be valid UTF-8.
    return any(statistics.min_raw <= value.encode("utf-8", "surrogatepass") <= statistics.max_raw for value in values)


@cache
def _bloom_reader() -> Any:
    """Return the function that reads Bloom filters, or None if the native crate is not part of this installation."""
    try:
        from wsparquet._native import row_groups_with_bloom
    except ImportError:
        return None
    return row_groups_with_bloom

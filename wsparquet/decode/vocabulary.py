"""Which values of enum columns the documentation does not list; they are kept, and counted here by Arrow kernels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from wsparquet.schema import TABLES

__all__ = ["undocumented"]

Step = str | None  # a struct's field, or None for the elements of a list


def undocumented(table: str, batch: pa.RecordBatch) -> dict[str, int]:
    """Counts of values outside their column's documented ones, by path with ``[*]`` for indices."""
    counts = {}
    for path, steps, values in _enums(table):
        column = batch.column(steps[0] or "")
        for step in steps[1:]:
            column = pc.list_flatten(column) if step is None else pc.struct_field(column, step)
        unlisted = len(column) - column.null_count - (pc.is_in(column, values).true_count)
        if unlisted:
            counts[path] = unlisted
    return counts


@lru_cache(maxsize=len(TABLES))
def _enums(table: str) -> list[tuple[str, list[Step], pa.Array]]:
    return [found for field in TABLES[table].schema for found in _walk(field, "$", [])]


def _walk(field: pa.Field, path: str, steps: list[Step]) -> Iterator[tuple[str, list[Step], pa.Array]]:
    path, steps = f"{path}.{field.name}", [*steps, field.name]
    kind = field.type
    values = (field.metadata or {}).get(b"values")
    if values is not None:
        yield path, steps, pa.array(json.loads(values), pa.string())
    while pa.types.is_list(kind):
        kind, path, steps = kind.value_type, f"{path}[*]", [*steps, None]
    if pa.types.is_struct(kind):
        for child in kind.fields:
            yield from _walk(child, path, steps)

"""Finds the leaf columns of a schema, at any depth, and their values in a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from wsparquet.compute import list_flatten, struct_field

__all__ = ["LeafColumn", "leaf_columns"]


@dataclass(frozen=True)
class LeafColumn:
    """A leaf column: its path with ``[*]`` instead of indices, the steps that lead to it, and its field.

    A step into a struct is the name of the field. A step into a list is None.
    """

    path: str
    steps: tuple[str | None, ...]
    field: pa.Field

    def values(self, batch: pa.RecordBatch) -> pa.Array:
        """Return all values of this leaf column in a batch, with lists flattened."""
        column = batch.column(self.steps[0] or "")
        for step in self.steps[1:]:
            column = list_flatten(column) if step is None else struct_field(column, step)
        return column


def leaf_columns(schema: pa.Schema) -> Iterator[LeafColumn]:
    """Yield all leaf columns of a schema, in order."""
    for field in schema:
        yield from _walk(field, f"$.{field.name}", (field.name,))


def _walk(field: pa.Field, path: str, steps: tuple[str | None, ...]) -> Iterator[LeafColumn]:
    if pa.types.is_list(field.type):
        yield from _walk(field.type.value_field, f"{path}[*]", (*steps, None))
    elif pa.types.is_struct(field.type):
        for child in field.type.fields:
            yield from _walk(child, f"{path}.{child.name}", (*steps, child.name))
    else:
        yield LeafColumn(path, steps, field)

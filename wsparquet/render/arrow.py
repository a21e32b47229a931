"""Renders the Arrow schema of a table as text for people and for diffs. Each line has one field and the field's id.

``pyarrow.Schema.to_string`` repeats the type of a nested field on the lines of all its parents, so a new field changes
many lines. In this rendering, a new field adds one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from wsparquet.schema import Table
from wsparquet.schema.field_ids import field_ids

__all__ = ["render"]


def render(table: Table) -> str:
    """Return the table's name and its columns without the partition columns. Nested columns are indented."""
    lines = (line for field in table.schema for line in _lines(field, field.name, field_ids(table)))
    return "\n".join((table.name, *lines)) + "\n"


def _lines(field: pa.Field[Any], path: str, ids: Mapping[str, int]) -> Iterator[str]:
    kind, children = _parts(field.type)
    null = "" if field.nullable else " not null"
    number = f"{ids[path]}: " if path in ids else ""
    yield f"{'  ' * (path.count('.') + 1)}{number}{field.name}: {kind}{null}"
    for child in children:
        yield from _lines(child, f"{path}.{child.name}", ids)


def _parts(data_type: pa.DataType) -> tuple[str, list[pa.Field[Any]]]:
    if isinstance(data_type, pa.StructType):
        return "struct", data_type.fields
    if isinstance(data_type, pa.ListType):
        return "list", [data_type.value_field]
    return str(data_type), []

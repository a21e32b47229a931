"""Renders the data dictionary of a table in Markdown: the meaning of every column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from wsparquet.render.metadata import corrected, struct_names
from wsparquet.schema import Table
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.field_ids import field_ids
from wsparquet.schema.personal import personal_data
from wsparquet.schema.tables import PARTITION

__all__ = ["column_paths", "personal", "render", "type_text"]

HEAD = (
    "Column",
    "Type",
    "Description",
    "Documented type",
    "Documented values",
    "In the source",
    "Personal",
    "Field id",
)


def render(table: Table) -> str:
    """Return the table's description and its columns.

    Nested columns have paths, with ``[]`` for the elements of a list.
    """
    rows = [HEAD, tuple("---" for _ in HEAD)]
    ids = field_ids(table)
    for top in (*table.schema, PARTITION):
        rows += [
            (*_row(path, field), personal(table.name, path), _id(path, field, ids)) for path, field in column_paths(top)
        ]
    lines = [f"# {table.name}", "", table.doc, "", *_tags(table), *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + "\n"


def _tags(table: Table) -> Iterator[str]:
    if table.tags:
        names = ", ".join(f"`{tag}`" for tag in table.tags)
        yield f"Body tags, without namespace, `WebSession` and `Data`, in any case: {names}."
        yield ""


def column_paths(field: pa.Field[Any], path: str | None = None) -> Iterator[tuple[str, pa.Field[Any]]]:
    """Yield a field and all fields in it, each with its path. ``[]`` in a path means the elements of a list."""
    path = field.name if path is None else path
    yield path, field
    data_type = field.type
    while pa.types.is_list(data_type):
        path, data_type = f"{path}[]", data_type.value_type
    if pa.types.is_struct(data_type):
        for child in data_type.fields:
            yield from column_paths(child, f"{path}.{child.name}")


def _row(path: str, field: pa.Field[Any]) -> tuple[str, ...]:
    notes = annotations_of(field)
    values = (f"`{value}` {meaning}".rstrip() for value, meaning in notes.values.items())
    cells = (corrected(field), notes.documented_type, ", ".join(values), _in_the_source(field))
    return (f"`{path}`", type_text(field.type), *map(_escape, cells))


def _id(path: str, field: pa.Field[Any], ids: Mapping[str, int]) -> str:
    """Return the id of a field in Parquet files, and the id of its elements if it is a list."""
    name = path.replace("[]", ".element")
    found = (ids.get(name), ids.get(f"{name}.element") if pa.types.is_list(field.type) else None)
    return ", elements ".join(str(number) for number in found if number is not None)


def personal(table: str, path: str) -> str:
    """Return what a leaf column says about a person, or nothing for a struct and for a list of structs."""
    line = personal_data().get((table, path.replace("[]", "")))
    return line.personal if line is not None else ""


def type_text(data_type: pa.DataType) -> str:
    """Return a type in words, such as ``list of struct``."""
    if pa.types.is_list(data_type):
        return f"list of {type_text(data_type.value_type)}"
    return "struct" if pa.types.is_struct(data_type) else str(data_type)


def _in_the_source(field: pa.Field[Any]) -> str:
    """Return the field's alternative keys, then the possible names of a tag around its value."""
    keys = [f"key `{name}`" for name in annotations_of(field).source_names]
    return ", ".join([*keys, *(f"type `{name}`" for name in struct_names(field))])


def _escape(cell: str) -> str:
    return cell.replace("\\", "\\\\").replace("|", "\\|")

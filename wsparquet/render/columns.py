"""Describes a table and its columns as JSON, for programs."""

from __future__ import annotations

from typing import Any

from wsparquet.render.markdown import column_paths, personal, type_text
from wsparquet.schema import Table
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.tables import PARTITION

__all__ = ["columns"]


def columns(table: Table) -> dict[str, Any]:
    """Return the description of a table and of its columns, keyed by path. ``[]`` means the elements of a list."""
    found = []
    for top in (*table.schema, PARTITION):
        for path, field in column_paths(top):
            notes = annotations_of(field)
            values = {"description": notes.doc, "documented_type": notes.documented_type}
            values |= {"personal": personal(table.name, path)}
            found.append({"column": path, "type": type_text(field.type), **values, "documented_values": notes.values})
    return {"table": table.name, "description": table.doc, "columns": found}

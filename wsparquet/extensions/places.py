"""Finds the struct or union of the documented schema that an unknown value belongs to."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from wsparquet.decode.reference.rescue import Path, path_text
from wsparquet.schema import HEADER, Schema
from wsparquet.schema.annotations import annotations_of

__all__ = ["Place", "has_column", "place_of", "shown"]


class Place(NamedTuple):
    """A struct to which a field can be added, or a union to which a branch can be added, by its name."""

    name: str
    union: bool = False


def place_of(schema: Schema, table: str, path: Path) -> Place | None:
    """Return the struct of an unknown key, or the union of an unknown branch; None if no extension can add it."""
    if not isinstance(path, tuple):
        return None
    parent, key = path
    known = schema.tables[table]
    if parent == "$header":
        return Place(HEADER.name)
    if known.added or isinstance(key, int):
        return None
    if parent == "$body":
        return Place(known.flat.name) if known.flat is not None else None
    field = _field_at(known.schema, path)
    return _place_in(_field_at(known.schema, parent)) if field is None else _place_at(field)


def has_column(schema: Schema, table: str, path: Path) -> bool:
    """Return whether a value at a path has a column, which it then does not fit."""
    return _field_at(schema.tables[table].schema, path) is not None


def _place_at(field: pa.Field) -> Place | None:
    """Return the place of a value at a column: it does not fit, except at a union, where it may be a branch."""
    return Place(field.name, union=True) if annotations_of(field).kind == "union" else None


def _place_in(above: pa.Field | None) -> Place | None:
    """Return the place of an unknown key of a struct."""
    if above is None or not pa.types.is_struct(above.type):
        return None
    notes = annotations_of(above)
    return Place(notes.struct) if notes.struct and not notes.added else None


def _field_at(schema: pa.Schema, path: Path) -> pa.Field | None:
    if not isinstance(path, tuple):
        return None
    parent, step = path
    if parent == "$":
        return schema.field(step) if step in schema.names else None
    above = _field_at(schema, parent)
    if above is None:
        return None
    if isinstance(step, int):
        return above.type.value_field if isinstance(above.type, pa.ListType) else None
    if not isinstance(above.type, pa.StructType):
        return None
    return next((child for child in above.type.fields if child.name == step), None)


def shown(path: Path) -> str:
    """Return a path as text, with ``[*]`` for every index."""
    return path_text(path, starred=True)

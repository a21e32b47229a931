"""Finds the struct or union that an unknown value belongs to: a documented one, or one that an extension has added."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from wsparquet.decode.reference.rescue import Path, path_text
from wsparquet.schema import HEADER, Schema, Table
from wsparquet.schema.annotations import annotations_of

__all__ = ["Place", "documented", "has_column", "place_of", "place_of_column", "shown"]


class Place(NamedTuple):
    """A struct to which a field can be added, or a union to which a branch can be added.

    ``name`` is for people. ``keys`` are those of the extension's file under which the additions are.
    """

    name: str
    keys: tuple[str, ...]
    union: bool = False

    def inner(self, field: str) -> Place:
        """Return the place of the struct, or of the structs in the list, that is a field of this one."""
        return Place(f"{self.name}.{field}", (*self.keys, field, "fields"))


def documented(struct: str) -> Place:
    """Return the place of a documented struct."""
    return Place(struct, ("structs", struct, "fields"))


def place_of(schema: Schema, table: str, path: Path) -> Place | None:
    """Return the struct of an unknown key, or the union of an unknown branch; None if no extension can add it."""
    if not isinstance(path, tuple):
        return None
    parent, key = path
    known = schema.tables[table]
    if parent == "$header":
        return documented(HEADER.name)
    if isinstance(key, int):
        return None
    if parent == "$body":
        return _flat(known)
    field = _field_at(known.schema, path)
    return _place_in(known, parent) if field is None else _place_at(field)


def place_of_column(schema: Schema, table: str, path: Path) -> Place | None:
    """Return the struct of a field that has a column; None if no extension can amend the field."""
    parent, name = path if isinstance(path, tuple) else ("", 0)
    if isinstance(name, int):
        return None
    known = schema.tables[table]
    if parent != "$":
        return _place_in(known, parent)
    return documented(HEADER.name) if name in _names(known.header.fields) else _flat(known)


def has_column(schema: Schema, table: str, path: Path) -> bool:
    """Return whether a value at a path has a column, which it then does not fit."""
    return _field_at(schema.tables[table].schema, path) is not None


def _place_at(field: pa.Field) -> Place | None:
    """Return the place of a value at a column: it does not fit, except at a union, where it may be a branch."""
    union = annotations_of(field).kind == "union"
    return Place(field.name, ("unions", field.name), union=True) if union else None


def _place_in(table: Table, path: Path) -> Place | None:
    """Return the place of the unknown keys of the struct at a path."""
    field = _field_at(table.schema, path)
    if field is None or not pa.types.is_struct(field.type):
        return None
    notes = annotations_of(field)
    if not notes.added and not table.added:
        return documented(notes.struct) if notes.struct else None
    parent, name = path
    if isinstance(name, int):
        parent, name = parent
    if parent == "$":
        return _column(table, name)
    around = _field_at(table.schema, parent)
    if around is not None and annotations_of(around).kind == "union":
        return Place(f"{around.name}.{name}", ("unions", around.name, name, "fields"))
    outer = _place_in(table, parent)
    return None if outer is None else outer.inner(name)


def _column(table: Table, name: str) -> Place | None:
    """Return the place of the unknown keys of a column with structs, which an extension has added."""
    if name in _names(table.header.fields):
        return documented(HEADER.name).inner(name)
    if name not in _names(table.payload):
        return None
    flat = _flat(table)
    return _table(table) if flat is None else flat.inner(name)


def _flat(table: Table) -> Place | None:
    """Return the place of the payload's fields, if they are columns of the table."""
    if table.flat is None:
        return None
    return _table(table) if table.added else documented(table.flat.name)


def _names(fields: Iterable[pa.Field]) -> set[str]:
    return {field.name for field in fields}


def _table(table: Table) -> Place:
    return Place(f"table {table.name}", ("tables", table.name, "fields"))


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

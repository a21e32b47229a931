"""What a field's metadata says, in the words that every rendering takes over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from wsparquet.errors import SchemaError

__all__ = ["PARTITION", "describe", "doc", "documented_type", "documented_values", "engine_type", "source_names"]

PARTITION = pa.field(
    "date",
    pa.date32(),
    metadata={"doc": "UTC day of the record's earliest own timestamp; null if it has none. Only in the path."},
)
"""The partition column of every table; the files do not hold it."""


def _metadata(field: pa.Field[Any]) -> dict[str, str]:
    return {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}


def doc(field: pa.Field[Any]) -> str:
    """The description of a field, empty if it has none."""
    return _metadata(field).get("doc", "")


def documented_type(field: pa.Field[Any]) -> str:
    """The page's "Type / Value", empty where the page does not document the field."""
    return _metadata(field).get("documented_type", "")


def documented_values(field: pa.Field[Any]) -> dict[str, str]:
    """The documented values with their meanings, which are empty where the page gives none."""
    values: dict[str, str] = json.loads(_metadata(field).get("values", "{}"))
    return values


def source_names(field: pa.Field[Any]) -> list[str]:
    """Other keys of the source that mean this field: the page's own spelling first, then the aliases."""
    metadata = _metadata(field)
    spelling = [metadata["source_name"]] if "source_name" in metadata else []
    return [*spelling, *json.loads(metadata.get("aliases", "[]"))]


def struct_names(field: pa.Field[Any]) -> list[str]:
    """The names of the struct or enum that a field holds, or its list's elements do; empty for any other."""
    if pa.types.is_list(field.type):
        return struct_names(field.type.value_field)
    metadata = _metadata(field)
    return [metadata["struct"], *json.loads(metadata.get("struct_aliases", "[]"))] if "struct" in metadata else []


def describe(field: pa.Field[Any]) -> str:
    """One line: the description, then the documented values."""
    values = documented_values(field)
    if not values:
        return doc(field)
    listed = ", ".join(f"{value} = {meaning}" if meaning else value for value, meaning in values.items())
    return f"{doc(field)} Documented values: {listed}."


def engine_type(engine: str, types: Mapping[pa.DataType, str], data_type: pa.DataType) -> str:
    """The engine's name for a type that is neither struct nor list.

    Raises:
        SchemaError: the rendering has no name for the type.

    """
    try:
        return types[data_type]
    except KeyError:
        known = ", ".join(str(known) for known in types)
        raise SchemaError(
            f"no {engine} type is known for the Arrow type {data_type}, only for {known}: "
            f"give it one in wsparquet/render/{engine}.py, or the field another type in wsparquet/schema/structs.py"
        ) from None

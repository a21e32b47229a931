"""Describes fields and names types for all renderings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.schema.annotations import annotations_of

__all__ = ["corrected", "describe", "engine_type", "struct_names"]


def struct_names(field: pa.Field[Any]) -> tuple[str, ...]:
    """Return the names of the struct or enum in the field or in its list; empty if there is none."""
    return struct_names(field.type.value_field) if pa.types.is_list(field.type) else annotations_of(field).struct_names


def describe(field: pa.Field[Any]) -> str:
    """Return the description of a field with its correction and its documented values, in one line."""
    doc, values = corrected(field), annotations_of(field).values
    if not values:
        return doc
    listed = ", ".join(f"{value} = {meaning}" if meaning else value for value, meaning in values.items())
    return f"{doc} Documented values: {listed}."


def corrected(field: pa.Field[Any]) -> str:
    """Return the page's description of a field, and the correction if the description is an evident mistake."""
    notes = annotations_of(field)
    if not notes.correction:
        return notes.doc
    return f"{notes.doc.removesuffix('.')}. Correction: {notes.correction}"


def engine_type(engine: str, types: Mapping[pa.DataType, str], data_type: pa.DataType) -> str:
    """Return an engine's name for a type that is neither a struct nor a list.

    Raises:
        SchemaError: the rendering has no name for the type.

    """
    try:
        return types[data_type]
    except KeyError:
        known = ", ".join(str(known) for known in types)
        raise SchemaError(
            f"no {engine} type is known for the Arrow type {data_type}, only for {known}: "
            f"add the type to wsparquet/render/{engine}.py, or change the field's type in wsparquet/schema/structs.py"
        ) from None

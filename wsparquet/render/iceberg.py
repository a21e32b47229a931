"""Renders a table's schema as JSON in the form of the Iceberg specification ("Appendix C: JSON serialization").

The ids come from the registry, and the Parquet files contain the same ids. The partition column ``date`` is part of the
schema, since Iceberg takes its value from the partition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.render.metadata import describe, engine_type
from wsparquet.schema import Table
from wsparquet.schema.field_ids import field_ids
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.tables import PARTITION

__all__ = ["schema"]

TYPES: dict[pa.DataType, str] = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "long",
    pa.float64(): "double",
    pa.date32(): "date",
    TIMESTAMP: "timestamptz",
}


def schema(table: Table) -> dict[str, Any]:
    """Return the table's schema as JSON values. Raises SchemaError if a type has no equivalent, or a field no id."""
    ids = field_ids(table)
    return {"schema-id": 0, **_struct([*table.schema, PARTITION], "", ids)}


def _struct(fields: list[pa.Field[Any]], path: str, ids: Mapping[str, int]) -> dict[str, Any]:
    return {"type": "struct", "fields": [_field(field, f"{path}{field.name}", ids) for field in fields]}


def _field(field: pa.Field[Any], path: str, ids: Mapping[str, int]) -> dict[str, Any]:
    doc = describe(field)
    return {
        "id": _id(path, ids),
        "name": field.name,
        "required": not field.nullable,
        "type": _type(field.type, path, ids),
        **({"doc": doc} if doc else {}),
    }


def _id(path: str, ids: Mapping[str, int]) -> int:
    if path not in ids:
        raise SchemaError(f"expected an id for the field {path}, found none; run: python -m tools.field_ids")
    return ids[path]


def _type(data_type: pa.DataType, path: str, ids: Mapping[str, int]) -> Any:
    if pa.types.is_struct(data_type):
        return _struct(list(data_type.fields), f"{path}.", ids)
    if not pa.types.is_list(data_type):
        return engine_type("iceberg", TYPES, data_type)
    element = f"{path}.element"
    return {
        "type": "list",
        "element-id": _id(element, ids),
        "element-required": not data_type.value_field.nullable,
        "element": _type(data_type.value_type, element, ids),
    }

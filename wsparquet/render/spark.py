"""Renders a table's definition for Spark: its ``StructType`` as JSON, in the format of ``df.schema.json()``.

    schema = StructType.fromJson(json.load(open("schemas/spark/navigation.json")))
    spark.read.schema(schema).parquet("<root>/record_type=navigation")

The partition column ``date`` is the last column, as in Spark. The schema includes it so that Spark does not infer its
type.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from wsparquet.render.metadata import describe, engine_type
from wsparquet.schema import Table
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.tables import PARTITION

__all__ = ["schema"]

TYPES: dict[pa.DataType, str] = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "integer",
    pa.int64(): "long",
    pa.float64(): "double",
    pa.date32(): "date",
    TIMESTAMP: "timestamp",
}


def schema(table: Table) -> dict[str, Any]:
    """Return the table's ``StructType`` as JSON values. Raises SchemaError if a type has no equivalent."""
    return _struct([*table.schema, PARTITION])


def _struct(fields: list[pa.Field[Any]]) -> dict[str, Any]:
    return {"type": "struct", "fields": [_field(field) for field in fields]}


def _field(field: pa.Field[Any]) -> dict[str, Any]:
    comment = describe(field)
    metadata = {"comment": comment} if comment else {}
    return {"name": field.name, "type": _type(field.type), "nullable": field.nullable, "metadata": metadata}


def _type(data_type: pa.DataType) -> Any:
    if pa.types.is_struct(data_type):
        return _struct(list(data_type.fields))
    if pa.types.is_list(data_type):
        element = data_type.value_field
        return {"type": "array", "elementType": _type(element.type), "containsNull": element.nullable}
    return engine_type("spark", TYPES, data_type)

"""Renders a table's definition for Spark: its ``StructType`` as JSON, in the format of ``df.schema.json()``.

    schema = StructType.fromJson(json.load(open("schemas/spark/navigation.json")))
    spark.read.schema(schema).parquet("<root>/record_type=navigation")

The partition column ``date`` is the last column, as in Spark. The schema includes ``date`` so that Spark does not infer
its type. With the location of a root, the definition is a ``CREATE TABLE`` of Spark SQL instead.
"""

from __future__ import annotations

import re
from typing import Any

import pyarrow as pa

from wsparquet.render.location import Location
from wsparquet.render.metadata import describe, engine_type
from wsparquet.schema import Table
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.tables import PARTITION

__all__ = ["create_table", "schema"]

TYPES: dict[pa.DataType, str] = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "integer",
    pa.int64(): "long",
    pa.float64(): "double",
    pa.date32(): "date",
    TIMESTAMP: "timestamp",
}


SQL_NAMES = {"integer": "INT", "long": "BIGINT"}
"""The types whose names in Spark SQL and in Spark's JSON differ by more than their case."""


def create_table(table: Table, location: Location) -> str:
    """Return the ``CREATE TABLE`` of a table at a location. Raises SchemaError if a type has no equivalent."""
    # Spark reads S3 through Hadoop's file system, whose scheme is s3a.
    folder = re.sub("^s3://", "s3a://", location.url(table.name))
    columns = ",\n".join(
        f"  `{field['name']}` {_sql_type(field['type'])} COMMENT {_text(field['metadata'].get('comment', ''))}"
        for field in schema(table)["fields"]
    )
    # Spark cannot repair a table whose folder does not exist.
    empty = table.name in location.empty
    repair = "" if empty else f"MSCK REPAIR TABLE `{table.name}`;\n"
    later = f"-- {table.name} has no files yet; run MSCK REPAIR TABLE `{table.name}` when the table has files.\n"
    return (
        f"{later if empty else ''}"
        f"CREATE TABLE IF NOT EXISTS `{table.name}` (\n{columns}\n)\n"
        f"USING PARQUET\n"
        f"PARTITIONED BY (`{PARTITION.name}`)\n"
        f"LOCATION {_text(folder)}\n"
        f"COMMENT {_text(table.doc)};\n{repair}"
    )


def _sql_type(data_type: Any) -> str:
    """Return a type of ``schema`` in the syntax of Spark SQL."""
    if isinstance(data_type, str):
        return SQL_NAMES.get(data_type, data_type.upper())
    if data_type["type"] == "array":
        return f"ARRAY<{_sql_type(data_type['elementType'])}>"
    fields = (f"`{each['name']}`: {_sql_type(each['type'])}" for each in data_type["fields"])
    return f"STRUCT<{', '.join(fields)}>"


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


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

"""Renders a table's definition for Athena, Hive, and Trino (with a Hive metastore): one Hive DDL statement per table.

Names are in lower case, because Athena converts all names to lower case. Athena finds Parquet columns by name and
ignores case (Athena User Guide, "Handle schema updates", "Name tables, databases, and columns"); names on the same
level never differ only by case. All names have backticks, since ``timestamp`` and ``date`` are reserved words. The
metastore of AWS Glue limits comments to 255 characters. Nested fields have no comments.

Partition projection makes new days visible without ``MSCK REPAIR TABLE``. Projection covers all days that a timestamp
column can contain, so queries find all rows that have a date. A query without a condition on ``date`` lists the folder
of every day. Projection does not cover the default partition, which contains the records without a date. To read
these records, create a second table without partitions at the folder of the default partition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from wsparquet.render.location import Location
from wsparquet.render.metadata import describe, engine_type
from wsparquet.schema import Table
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.tables import PARTITION

__all__ = ["render"]

COMMENT_LENGTH = 255

TYPES: dict[pa.DataType, str] = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.date32(): "date",
    TIMESTAMP: "timestamp",
}

PROPERTIES = {
    "classification": "parquet",
    "projection.enabled": "true",
    f"projection.{PARTITION.name}.type": "date",
    f"projection.{PARTITION.name}.format": "yyyy-MM-dd",
    f"projection.{PARTITION.name}.range": "2000-01-01,2099-12-31",
    f"projection.{PARTITION.name}.interval": "1",
    f"projection.{PARTITION.name}.interval.unit": "DAYS",
}


def render(table: Table, location: Location | None = None) -> str:
    """Return the ``CREATE EXTERNAL TABLE`` of a table at a location. Raises SchemaError if a type has no equivalent."""
    folder = f"s3://BUCKET/PREFIX/record_type={table.name}" if location is None else location.url(table.name)
    return "\n".join(_lines(table, f"{folder}/")) + "\n"


def _lines(table: Table, folder: str) -> Iterator[str]:
    yield f"CREATE EXTERNAL TABLE IF NOT EXISTS {_name(table.name)} ("
    yield ",\n".join(f"  {_column(field)}" for field in table.schema)
    yield ")"
    yield f"COMMENT {_comment(table.doc)}"
    yield f"PARTITIONED BY ({_column(PARTITION)})"
    yield "STORED AS PARQUET"
    yield f"LOCATION {_text(folder)}"
    yield "TBLPROPERTIES ("
    yield ",\n".join(f"  {_text(key)} = {_text(value)}" for key, value in PROPERTIES.items())
    yield ");"


def _column(field: pa.Field[Any]) -> str:
    return f"{_name(field.name)} {_type(field.type, 1)} COMMENT {_comment(describe(field))}"


def _type(data_type: pa.DataType, depth: int) -> str:
    if pa.types.is_list(data_type):
        return f"array<{_type(data_type.value_type, depth)}>"
    if not pa.types.is_struct(data_type):
        return engine_type("athena", TYPES, data_type)
    indent = "  " * (depth + 1)
    fields = ",\n".join(f"{indent}{_name(field.name)}:{_type(field.type, depth + 1)}" for field in data_type.fields)
    return f"struct<\n{fields}>"


def _name(name: str) -> str:
    return f"`{name.lower()}`"


def _comment(text: str) -> str:
    return _text(text if len(text) <= COMMENT_LENGTH else text[: COMMENT_LENGTH - 1] + "…")


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"

"""Renders a table's definition for Snowflake: an external table over a stage.

``@STAGE`` stands for a stage whose location is the root. Names are in double quotes, because Snowflake converts other
names to upper case. Structs and lists are VARIANT: read them with ``:``. The partition column ``date`` comes from the
path of a file, and is null for files without a day. The statement follows Snowflake's documentation of CREATE EXTERNAL
TABLE; it was never run in Snowflake.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from wsparquet.render.duckdb import quoted_name, quoted_text
from wsparquet.render.metadata import describe, engine_type
from wsparquet.schema import Table
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.tables import PARTITION

__all__ = ["render"]

TYPES: dict[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.int64(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    TIMESTAMP: "TIMESTAMP_TZ",
}

DAY = "TRY_TO_DATE(REGEXP_SUBSTR(METADATA$FILENAME, 'date=([^/]+)/', 1, 1, 'e'))"


def render(table: Table) -> str:
    """Return the statement. Raises SchemaError if a type has no equivalent."""
    columns = ",\n".join(f"  {column}" for column in _columns(table))
    return (
        f"CREATE OR REPLACE EXTERNAL TABLE {quoted_name(table.name)} (\n{columns}\n)\n"
        f"PARTITION BY ({quoted_name(PARTITION.name)})\n"
        f"LOCATION = @STAGE/record_type={table.name}/\n"
        "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)\n"
        f"COMMENT = {_text(table.doc)};\n"
    )


def _columns(table: Table) -> Iterator[str]:
    for field in table.schema:
        name, data_type = quoted_name(field.name), _type(field)
        yield f"{name} {data_type} AS (VALUE:{name}::{data_type}) COMMENT {_text(describe(field))}"
    yield f"{quoted_name(PARTITION.name)} DATE AS ({DAY})"


def _text(text: str) -> str:
    # In a text, Snowflake treats a backslash as the start of an escape.
    return quoted_text(text.replace("\\", "\\\\"))


def _type(field: pa.Field[Any]) -> str:
    return "VARIANT" if pa.types.is_nested(field.type) else engine_type("snowflake", TYPES, field.type)

"""Renders a table's JSON schema for BigQuery: for ``bq load --schema``, and for ``schema.fields`` of BigQuery's API.

The schema requires the option ``--parquet_enable_list_inference``, which loads a list as a REPEATED field without the
nodes ``list`` and ``element``. Without the option, BigQuery loads every list as empty and reports no error. BigQuery
does not support null lists and loads them as empty lists. BigQuery rejects nulls within a list. The schema omits the
partition column ``date``, because hive partitioning adds this column.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.render.metadata import describe, engine_type
from wsparquet.schema import Table
from wsparquet.schema.fields import TIMESTAMP

__all__ = ["schema"]

TYPES: dict[pa.DataType, str] = {
    pa.string(): "STRING",
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.int64(): "INTEGER",
    pa.float64(): "FLOAT",
    TIMESTAMP: "TIMESTAMP",
}


def schema(table: Table) -> list[dict[str, Any]]:
    """Return the table's fields as JSON values.

    Raises:
        SchemaError: a type, such as a list of lists, has no equivalent in BigQuery.

    """
    return [_field(field) for field in table.schema]


def _field(field: pa.Field[Any]) -> dict[str, Any]:
    repeated = pa.types.is_list(field.type)
    data_type = field.type.value_type if repeated else field.type
    if pa.types.is_list(data_type):
        raise SchemaError(
            f"expected no list of lists, which BigQuery does not support, found {field.name}: {field.type}; "
            "put a struct between the two lists in wsparquet/schema/structs.py"
        )
    mode = "REPEATED" if repeated else "NULLABLE" if field.nullable else "REQUIRED"
    rendered: dict[str, Any] = {
        "name": field.name,
        "type": _type(data_type),
        "mode": mode,
        "description": describe(field),
    }
    if pa.types.is_struct(data_type):
        rendered["fields"] = [_field(child) for child in data_type.fields]
    return rendered


def _type(data_type: pa.DataType) -> str:
    return "RECORD" if pa.types.is_struct(data_type) else engine_type("bigquery", TYPES, data_type)

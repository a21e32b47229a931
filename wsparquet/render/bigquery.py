"""What a table is to BigQuery: the JSON schema that ``bq load --schema`` and the API's ``schema.fields`` take.

It is the shape that BigQuery gives the files when they are loaded with ``--parquet_enable_list_inference``: a list
becomes a REPEATED field of its elements' type, and the nodes ``list`` and ``element`` vanish. Without that option a
load into this schema leaves every list empty, and raises no error. BigQuery knows no null list, it becomes an empty
one, and refuses nulls within a list. The partition column is not part of it: hive partitioning appends ``date``.
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
    """The table's fields as plain JSON values.

    Raises:
        SchemaError: a type has no BigQuery equivalent; a list of lists has none.

    """
    return [_field(field) for field in table.schema]


def _field(field: pa.Field[Any]) -> dict[str, Any]:
    repeated = pa.types.is_list(field.type)
    data_type = field.type.value_type if repeated else field.type
    if pa.types.is_list(data_type):
        raise SchemaError(
            f"expected a list of anything but lists, which BigQuery does not have, found {field.name}: {field.type}; "
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

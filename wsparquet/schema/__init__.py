"""The schema: every documented struct and table as an explicit Arrow type."""

from __future__ import annotations

from wsparquet.schema.lookup import arrow_schema
from wsparquet.schema.tables import (
    COMMON_SUFFIX,
    DOCUMENTED,
    HEADER,
    METADATA,
    SCHEMA_VERSION,
    TABLES,
    UNRECOGNIZED,
    AnyTable,
    Schema,
    Table,
    table_of,
)

__all__ = [
    "COMMON_SUFFIX",
    "DOCUMENTED",
    "HEADER",
    "METADATA",
    "SCHEMA_VERSION",
    "TABLES",
    "UNRECOGNIZED",
    "AnyTable",
    "Schema",
    "Table",
    "arrow_schema",
    "table_of",
]

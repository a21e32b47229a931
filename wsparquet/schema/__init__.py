"""The schema: every documented struct and table as an explicit Arrow type."""

from __future__ import annotations

from wsparquet.schema.lookup import arrow_schema
from wsparquet.schema.tables import COMMON_SUFFIX, HEADER, METADATA, SCHEMA_VERSION, TABLES, UNRECOGNIZED, Table

__all__ = ["COMMON_SUFFIX", "HEADER", "METADATA", "SCHEMA_VERSION", "TABLES", "UNRECOGNIZED", "Table", "arrow_schema"]

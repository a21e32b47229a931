"""Compares the schema that the server publishes with the schema of wsparquet."""

from __future__ import annotations

from wsparquet.remote_schema.additions import propose_additions
from wsparquet.remote_schema.comparison import Difference, SchemaComparison, compare_schema
from wsparquet.remote_schema.published import parse_schema

__all__ = ["Difference", "SchemaComparison", "compare_schema", "parse_schema", "propose_additions"]

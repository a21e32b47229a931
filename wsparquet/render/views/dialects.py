"""The differences between the engines' dialects of SQL that matter for the views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from wsparquet.render import duckdb, snowflake
from wsparquet.schema.fields import TIMESTAMP

__all__ = ["DIALECTS", "Dialect"]

Unnesting = Literal["select", "join", "flatten"]


@dataclass(frozen=True)
class Dialect:
    """The SQL of an engine.

    ``unnesting`` is the form in which elements of lists become rows: ``select`` puts a function in the list of columns,
    ``join`` joins the table with its own list, and ``flatten`` does this with Snowflake's syntax. ``expanded`` means
    that the join makes a column of each field of a struct. ``schema`` has the names that are put before the names of
    tables and views, such as a catalog and a schema.
    """

    engine: str
    quote: str
    types: Mapping[pa.DataType, str]
    unnesting: Unnesting
    unnest: str = "UNNEST"
    length: str = "ARRAY_LENGTH"
    expanded: bool = False
    schema: tuple[str, ...] = ()

    def name(self, *parts: str) -> str:
        """Return names in quotes, separated by dots."""
        quote = self.quote
        return ".".join(f"{quote}{part.replace(quote, quote * 2)}{quote}" for part in parts)

    def relation(self, name: str) -> str:
        """Return the name of a table or view in the form that a query needs."""
        return self.name(*self.schema, name)

    def path(self, path: str) -> str:
        """Return a path of fields in the form that a query needs."""
        return self.name(*path.split("."))

    def null(self, data_type: pa.DataType) -> str:
        """Return a null of a type."""
        return f"CAST(NULL AS {self.types[data_type]})"


ARROW = (pa.string(), pa.int32(), pa.int64(), pa.float64(), TIMESTAMP, pa.date32(), pa.bool_())


def _types(*names: str) -> dict[pa.DataType, str]:
    """Return the names by Arrow type, given in the order of ``ARROW``."""
    return dict(zip(ARROW, names, strict=True))


TRINO = _types("VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "TIMESTAMP(6) WITH TIME ZONE", "DATE", "BOOLEAN")
ATHENA = _types("VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "TIMESTAMP", "DATE", "BOOLEAN")
BIGQUERY = _types("STRING", "INT64", "INT64", "FLOAT64", "TIMESTAMP", "DATE", "BOOL")
SPARK = _types("STRING", "INT", "BIGINT", "DOUBLE", "TIMESTAMP", "DATE", "BOOLEAN")
POLARS = _types("VARCHAR", "INTEGER", "BIGINT", "DOUBLE", "TIMESTAMP WITH TIME ZONE", "DATE", "BOOLEAN")

DIALECTS: dict[str, Dialect] = {
    dialect.engine: dialect
    for dialect in (
        Dialect("duckdb", '"', duckdb.TYPES, "select"),
        Dialect("polars", '"', POLARS, "select"),
        Dialect("spark", "`", SPARK, "select", unnest="EXPLODE", length="SIZE"),
        Dialect("athena", '"', ATHENA, "join", expanded=True),
        Dialect("trino", '"', TRINO, "join", expanded=True),
        Dialect("bigquery", "`", BIGQUERY, "join"),
        Dialect("snowflake", '"', snowflake.TYPES, "flatten"),
    )
}
"""The dialect of each engine by the engine's name."""

"""Renders a table's definition for DuckDB: a view of the dataset's files, and a table with the same columns.

The view reads all files below the table's folder. Replace ``ROOT`` with the path or URL of the root. The table, whose
name ends in ``_typed``, is for loading rows into DuckDB (``INSERT INTO navigation_typed BY NAME FROM navigation``). It
also has the descriptions of the columns.
"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from wsparquet.render.metadata import describe, engine_type
from wsparquet.schema import Table
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.tables import PARTITION

__all__ = ["render"]

TYPES: dict[pa.DataType, str] = {
    pa.string(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    TIMESTAMP: "TIMESTAMP WITH TIME ZONE",
}


def render(table: Table) -> str:
    """Return the statements of a table, the view first. Raises SchemaError if a type has no equivalent."""
    return "\n".join((_view(table), _table(table), *_comments(table), ""))


def _view(table: Table) -> str:
    files = _text(f"ROOT/record_type={table.name}/**/*.parquet")
    types = f"{{{_text(PARTITION.name)}: {TYPES[PARTITION.type]}}}"
    return (
        f"CREATE VIEW {_name(table.name)} AS\n"
        f"SELECT * EXCLUDE (record_type)\n"
        f"FROM read_parquet({files}, hive_partitioning = true, hive_types_autocast = false, hive_types = {types});\n"
    )


def _table(table: Table) -> str:
    columns = ",\n".join(f"  {_name(field.name)} {_type(field.type, 1)}" for field in (*table.schema, PARTITION))
    return f"CREATE TABLE {_typed(table)} (\n{columns}\n);\n"


def _comments(table: Table) -> Iterator[str]:
    yield f"COMMENT ON TABLE {_typed(table)} IS {_text(table.doc)};"
    for field in (*table.schema, PARTITION):
        yield f"COMMENT ON COLUMN {_typed(table)}.{_name(field.name)} IS {_text(describe(field))};"


def _type(data_type: pa.DataType, depth: int) -> str:
    if pa.types.is_list(data_type):
        return f"{_type(data_type.value_type, depth)}[]"
    if not pa.types.is_struct(data_type):
        return engine_type("duckdb", TYPES, data_type)
    indent = "  " * depth
    fields = ",\n".join(f"{indent}  {_name(field.name)} {_type(field.type, depth + 1)}" for field in data_type.fields)
    return f"STRUCT(\n{fields}\n{indent})"


def _typed(table: Table) -> str:
    return _name(f"{table.name}_typed")


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

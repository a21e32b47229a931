"""Renders a table's definition for DuckDB: a view of the dataset's files, and a table with the same columns.

The view reads all files below the table's folder. If no location is given, the view contains ``ROOT``, which the user
replaces with the path or URL of the root. If a location is given, a table without files gets an empty view, because
DuckDB rejects a view that matches no files. The table, whose name ends in ``_typed``, is for loading rows into DuckDB
(``INSERT INTO navigation_typed BY NAME FROM navigation``). This table also has the descriptions of the columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.render.location import Location
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


def render(table: Table, location: Location | None = None) -> str:
    """Return the statements of a table, the view first.

    Raises SchemaError if a type has no equivalent, or if DuckDB cannot read files at the location.
    """
    empty = location is not None and table.name in location.empty
    view = _empty_view(table) if empty else _view(table, location)
    return "\n".join((view, _table(table), *_comments(table), ""))


def _view(table: Table, location: Location | None) -> str:
    folder = f"ROOT/record_type={table.name}" if location is None else _literal(location.path(table.name))
    files = _text(f"{folder}/**/*.parquet")
    types = f"{{{_text(PARTITION.name)}: {TYPES[PARTITION.type]}}}"
    # DuckDB makes a column of each folder in the path whose name contains ``=``.
    other = location is not None and "=" in location.root
    names = ", ".join(_name(field.name) for field in (*table.schema, PARTITION))
    return (
        f"CREATE VIEW {_name(table.name)} AS\n"
        f"SELECT {names if other else '* EXCLUDE (record_type)'}\n"
        f"FROM read_parquet({files}, hive_partitioning = true, hive_types_autocast = false, hive_types = {types});\n"
    )


def _empty_view(table: Table) -> str:
    columns = ",\n".join(
        f"  CAST(NULL AS {_type(field.type, 1)}) AS {_name(field.name)}" for field in (*table.schema, PARTITION)
    )
    return (
        f"-- {table.name} has no files yet; print this view again when the table has files.\n"
        f"CREATE VIEW {_name(table.name)} AS\nSELECT\n{columns}\nWHERE false;\n"
    )


def _literal(path: str) -> str:
    """Return a glob that matches only this path. Raises SchemaError if no glob of DuckDB can match the path."""
    if "\\" in path:
        raise SchemaError(
            f"{path}: expected a path that DuckDB can search, found one with a backslash, for which DuckDB finds no "
            "files; move the root, or name its files one by one"
        )
    return re.sub(r"[*?\[]", lambda match: f"[{match[0]}]", path)


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

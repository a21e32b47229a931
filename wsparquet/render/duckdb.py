"""Renders a table's definition for DuckDB: a view of the dataset's files, and a table with the same columns.

The view reads all files below the table's folder. If no location is given, the view contains ``ROOT``, which the user
replaces with the path or URL of the root. If a location is given, a table without files gets an empty view, because
DuckDB rejects a view that matches no files. The table, whose name ends in ``_typed``, is for loading rows into DuckDB
(``INSERT INTO navigation_typed BY NAME FROM navigation``). This table also has the descriptions of the columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.layout import ICEBERG
from wsparquet.render.location import Location
from wsparquet.render.metadata import describe, engine_type
from wsparquet.schema import Table
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.tables import PARTITION

__all__ = [
    "TYPES",
    "iceberg_view",
    "literal_glob",
    "quoted_name",
    "quoted_text",
    "render",
    "source_condition",
    "stored_view",
    "view_of_files",
]

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


def stored_view(table: Table, location: Location) -> str:
    """Return the statement that creates or replaces the view of all files of a table at a location.

    Raises SchemaError if DuckDB cannot read files at the location.
    """
    view = _empty_view(table) if table.name in location.empty else _view(table, location)
    return view.replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1)


def iceberg_view(table: Table, location: Location) -> str:
    """Return the statement that creates or replaces the view of the Iceberg table that a root at a location has."""
    return (
        f"CREATE OR REPLACE VIEW {quoted_name(table.name)} AS\n"
        f"SELECT {_columns(table)}\n"
        f"FROM iceberg_scan({quoted_text(f'{location.root}/{ICEBERG}/{table.name}')});\n"
    )


def view_of_files(table: Table, files: Sequence[str], *, catalog: str, partial: Iterable[tuple[str, str]] = ()) -> str:
    """Return the statement that creates or replaces the view of these files in the main schema of a catalog.

    ``files`` are patterns. ``partial`` has further files, each with the condition on its rows. Without any files, the
    view has the table's columns and types, and no rows.
    """
    view = f"CREATE OR REPLACE VIEW {quoted_name(catalog)}.main.{quoted_name(table.name)} AS\n"
    whole = [_selected(table, files)] if files else []
    queries = [*whole, *(f"{_selected(table, [file])} WHERE {condition}" for file, condition in partial)]
    if not queries:
        return f"{view}{_no_rows(table)}"
    return view + "\nUNION ALL\n".join(queries) + ";\n"


def source_condition(names: Iterable[str], *, excluded: bool) -> str:
    """Return the condition that keeps, or with ``excluded`` drops, the rows of some source files."""
    listed = ", ".join(map(quoted_text, names))
    return f"source_file {'NOT IN' if excluded else 'IN'} ({listed})"


def _selected(table: Table, files: Sequence[str]) -> str:
    return f"SELECT {_columns(table)}\n{_from_files('[' + ', '.join(map(quoted_text, files)) + ']')}"


def _view(table: Table, location: Location | None) -> str:
    folder = f"ROOT/record_type={table.name}" if location is None else literal_glob(location.path(table.name))
    # DuckDB makes a column from each folder in the path whose name contains ``=``.
    other = location is not None and "=" in location.root
    return (
        f"CREATE VIEW {quoted_name(table.name)} AS\n"
        f"SELECT {_columns(table) if other else '* EXCLUDE (record_type)'}\n"
        f"{_from_files(quoted_text(f'{folder}/**/*.parquet'))};\n"
    )


def _columns(table: Table) -> str:
    return ", ".join(quoted_name(field.name) for field in (*table.schema, PARTITION))


def _from_files(files: str) -> str:
    types = f"{{{quoted_text(PARTITION.name)}: {TYPES[PARTITION.type]}}}"
    return f"FROM read_parquet({files}, hive_partitioning = true, hive_types_autocast = false, hive_types = {types})"


def _empty_view(table: Table) -> str:
    return (
        f"-- {table.name} has no files yet; print this view again when the table has files.\n"
        f"CREATE VIEW {quoted_name(table.name)} AS\n{_no_rows(table)}"
    )


def _no_rows(table: Table) -> str:
    columns = ",\n".join(
        f"  CAST(NULL AS {_type(field.type, 1)}) AS {quoted_name(field.name)}" for field in (*table.schema, PARTITION)
    )
    return f"SELECT\n{columns}\nWHERE false;\n"


def literal_glob(path: str) -> str:
    """Return a glob that matches only this path. Raises SchemaError if no glob of DuckDB can match the path."""
    if "\\" in path:
        raise SchemaError(
            f"{path}: expected a path that DuckDB can search, found a path with a backslash, in which DuckDB finds "
            "no files; move the root, or list its files in the query"
        )
    return re.sub(r"[*?\[]", lambda match: f"[{match[0]}]", path)


def _table(table: Table) -> str:
    columns = ",\n".join(f"  {quoted_name(field.name)} {_type(field.type, 1)}" for field in (*table.schema, PARTITION))
    return f"CREATE TABLE {_typed(table)} (\n{columns}\n);\n"


def _comments(table: Table) -> Iterator[str]:
    yield f"COMMENT ON TABLE {_typed(table)} IS {quoted_text(table.doc)};"
    for field in (*table.schema, PARTITION):
        yield f"COMMENT ON COLUMN {_typed(table)}.{quoted_name(field.name)} IS {quoted_text(describe(field))};"


def _type(data_type: pa.DataType, depth: int) -> str:
    if pa.types.is_list(data_type):
        return f"{_type(data_type.value_type, depth)}[]"
    if not pa.types.is_struct(data_type):
        return engine_type("duckdb", TYPES, data_type)
    indent = "  " * depth
    fields = ",\n".join(
        f"{indent}  {quoted_name(field.name)} {_type(field.type, depth + 1)}" for field in data_type.fields
    )
    return f"STRUCT(\n{fields}\n{indent})"


def _typed(table: Table) -> str:
    return quoted_name(f"{table.name}_typed")


def quoted_name(name: str) -> str:
    """Return a name in the form that a statement needs."""
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    """Return a text in the form that a statement needs."""
    return "'" + text.replace("'", "''") + "'"

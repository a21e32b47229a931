"""Renders the schema for people and query engines: one text for each table and form.

The only input is the Arrow schemas in ``wsparquet.schema``, so a field that is added there appears in every form.
``schemas/`` contains all renderings; ``python -m wsparquet.render schemas`` rewrites them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from wsparquet.errors import OptionError, SchemaError
from wsparquet.options import check_choice, did_you_mean
from wsparquet.render import arrow, athena, avro, bigquery, duckdb, iceberg, markdown, snowflake, spark
from wsparquet.render.columns import columns
from wsparquet.render.location import Location
from wsparquet.render.views import VIEW_FORMS, views_text
from wsparquet.schema import DOCUMENTED, TABLES, Schema, Table
from wsparquet.schema.extended import read_extension

__all__ = ["FORMS", "LOCATED", "Location", "describe", "files", "render", "schema_text"]

FORMS: tuple[str, ...] = ("arrow", "markdown", "avro", "spark", "duckdb", "athena", "bigquery", "snowflake", "iceberg")
"""The forms that ``render`` supports."""

EXTENSIONS = {
    "arrow": "txt",
    "markdown": "md",
    "avro": "avsc",
    "spark": "json",
    "duckdb": "sql",
    "athena": "sql",
    "bigquery": "json",
    "snowflake": "sql",
    "iceberg": "json",
}

TEXTS: dict[str, Callable[[Table], str]] = {
    "arrow": arrow.render,
    "markdown": markdown.render,
    "duckdb": duckdb.render,
    "athena": athena.render,
    "snowflake": snowflake.render,
}

JSONS: dict[str, Callable[[Table], Any]] = {
    "avro": avro.schema,
    "spark": spark.schema,
    "bigquery": bigquery.schema,
    "iceberg": iceberg.schema,
}

LOCATED: dict[str, Callable[[Table, Location], str]] = {
    "duckdb": duckdb.render,
    "athena": athena.render,
    "spark": spark.create_table,
}
"""The forms that name the files of a table."""


def render(table: str | None, form: str, *, location: Location | None = None, schema: Schema = DOCUMENTED) -> str:
    """Return the definition of a table, or of all tables if ``table`` is None.

    The definitions of all tables are concatenated; definitions in JSON become one object, keyed by table name.
    ``location`` is the root whose files the definition names. The text is the same in every run and ends with a
    newline.

    Raises:
        SchemaError: the table or the form does not exist, or the form does not name files.

    """
    if table is not None and table not in schema.tables:
        found = f"{table!r}{did_you_mean(table, schema.tables)}"
        raise SchemaError(f"expected a table, one of {', '.join(schema.tables)}; found {found}")
    if form not in FORMS:
        raise SchemaError(f"expected a form, one of {', '.join(FORMS)}; found {form!r}{did_you_mean(form, FORMS)}")
    tables = list(schema.tables.values()) if table is None else [schema.tables[table]]
    if location is not None:
        if form not in LOCATED:
            raise SchemaError(f"expected a form that names files, one of {', '.join(LOCATED)}; found {form!r}")
        return "\n".join(LOCATED[form](one, location) for one in tables)
    if form in TEXTS:
        return "\n".join(TEXTS[form](one) for one in tables)
    schemas = {one.name: JSONS[form](one) for one in tables}
    return json.dumps(schemas if table is None else schemas[table], indent=2, ensure_ascii=False) + "\n"


def describe(table: str | None, schema: Schema = DOCUMENTED) -> str:
    """Return the descriptions of a table and its columns, or of all tables by name, as JSON in ASCII.

    Raises:
        KeyError: the table does not exist.

    """
    names = schema.tables if table is None else [table]
    by_table = {name: columns(schema.tables[name]) for name in names}
    return json.dumps(by_table if table is None else by_table[table], indent=2) + "\n"


def schema_text(
    table: str | None = None,
    form: str = "arrow",
    *,
    root: str | os.PathLike[str] | None = None,
    empty: Iterable[str] = (),
    views: bool = False,
    extension: str | os.PathLike[str] | None = None,
) -> str:
    """Return the definition of a table, or of all tables, as text for people or a query engine.

    ``form`` is ``arrow``, ``markdown``, ``avro``, ``spark``, ``duckdb``, ``athena``, ``bigquery``, ``snowflake`` or
    ``iceberg``. ``root`` is a folder or ``s3://BUCKET/PATH``: a definition for DuckDB, Athena or Spark then names the
    files of this root, and the text for Spark is SQL. ``empty`` lists the tables that have no files in the root,
    because DuckDB and Spark reject a table without files. ``extension`` is the TOML file of an extension: the text then
    also has what it adds. The root itself is not read: if it has an extension, give its file.

    With ``views``, the text creates the flat views and `visits`, which read the tables by their names. ``form`` is then
    ``duckdb``, ``spark``, ``athena``, ``trino``, ``bigquery``, ``snowflake`` or ``markdown``. The text is the same in
    every run and ends with a newline.

    >>> wsparquet.schema_text("geo", "spark").startswith("{")
    True
    >>> "LOCATION 's3://bucket/lake/record_type=geo/'" in wsparquet.schema_text("geo", "athena", root="s3://bucket/lake")
    True

    Raises:
        OptionError: there is no such table or form, the form names no files, or ``views`` is given with a table or
            a root.
        SchemaError: the extension is not valid, or DuckDB cannot list the files of the root, because of a character in
            its path.

    """
    if views:
        if table is not None or root is not None or extension is not None:
            raise OptionError(
                "views", "expected views without a table, a root and an extension, found one of them; omit it"
            )
        return views_text(form)
    schema = DOCUMENTED if extension is None else read_extension(extension)
    if table is not None:
        check_choice("table", table, tuple(schema.tables))
    check_choice("form", form, FORMS if root is None else tuple(LOCATED))
    location = None if root is None else Location.of(root, empty=empty)
    return render(table, form, location=location, schema=schema)


def files() -> dict[str, str]:
    """Return the text of every file in ``schemas/`` by its path: ``<form>/<table>.<extension>``, and the views."""
    views = {f"views/{form}.{'md' if form == 'markdown' else 'sql'}": views_text(form) for form in VIEW_FORMS}
    tables = {f"{form}/{table}.{EXTENSIONS[form]}": render(table, form) for form in FORMS for table in TABLES}
    return {**tables, **views}

"""Renders the schema for people and query engines: one text for each table and form.

The only input is the Arrow schemas in ``wsparquet.schema``, so adding a field there adds it to every form. ``schemas/``
contains all renderings; ``python -m wsparquet.render schemas`` rewrites them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from wsparquet.errors import SchemaError
from wsparquet.options import check_choice
from wsparquet.render import arrow, athena, avro, bigquery, duckdb, markdown, spark
from wsparquet.schema import TABLES, Table

__all__ = ["FORMS", "files", "render", "schema_text"]

FORMS: tuple[str, ...] = ("arrow", "markdown", "avro", "spark", "duckdb", "athena", "bigquery")
"""The forms that ``render`` supports."""

EXTENSIONS = {
    "arrow": "txt",
    "markdown": "md",
    "avro": "avsc",
    "spark": "json",
    "duckdb": "sql",
    "athena": "sql",
    "bigquery": "json",
}

TEXTS: dict[str, Callable[[Table], str]] = {
    "arrow": arrow.render,
    "markdown": markdown.render,
    "duckdb": duckdb.render,
    "athena": athena.render,
}

JSONS: dict[str, Callable[[Table], Any]] = {
    "avro": avro.schema,
    "spark": spark.schema,
    "bigquery": bigquery.schema,
}


def render(table: str | None, form: str) -> str:
    """Return the definition of a table, or of all tables: texts are concatenated; JSON becomes an object by table name.

    The text is the same in every run and ends with a newline.

    Raises:
        SchemaError: the table or the form does not exist.

    """
    if table is not None and table not in TABLES:
        raise SchemaError(f"expected a table, one of {', '.join(TABLES)}; found {table!r}")
    if form not in FORMS:
        raise SchemaError(f"expected a form, one of {', '.join(FORMS)}; found {form!r}")
    tables = list(TABLES.values()) if table is None else [TABLES[table]]
    if form in TEXTS:
        return "\n".join(TEXTS[form](one) for one in tables)
    schemas = {one.name: JSONS[form](one) for one in tables}
    return json.dumps(schemas if table is None else schemas[table], indent=2, ensure_ascii=False) + "\n"


def schema_text(table: str | None = None, form: str = "arrow") -> str:
    """Return the definition of a table, or of all tables, as text for people or a query engine.

    ``form`` is ``arrow``, ``markdown``, ``avro``, ``spark``, ``duckdb``, ``athena`` or ``bigquery``. The text is the
    same in every run and ends with a newline.

    >>> wsparquet.schema_text("geo", "spark").startswith("{")
    True

    Raises:
        OptionError: there is no such table or form.

    """
    if table is not None:
        check_choice("table", table, tuple(TABLES))
    check_choice("form", form, FORMS)
    return render(table, form)


def files() -> dict[str, str]:
    """Return the text of every file in ``schemas/`` by its path, ``<form>/<table>.<extension>``."""
    return {f"{form}/{table}.{EXTENSIONS[form]}": render(table, form) for form in FORMS for table in TABLES}

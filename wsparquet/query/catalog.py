"""Describes a connection of DuckDB: its tables and views, their columns, and the meaning of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wsparquet.options import check_choice
from wsparquet.query.drift_view import DRIFT, DRIFT_DOC
from wsparquet.render.duckdb import quoted_name, quoted_text
from wsparquet.render.views import VIEWS, columns_of_view, doc_of_view
from wsparquet.schema import DOCUMENTED, Schema
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.tables import PARTITION

__all__ = ["Column", "columns_of", "describing", "listing", "relations"]


class Column(NamedTuple):
    """A column and its meaning."""

    name: str
    doc: str


def relations(schema: Schema = DOCUMENTED) -> tuple[str, ...]:
    """Return the names of all tables and views of a connection to a root with this schema."""
    return (*schema.tables, *VIEWS, "drift")


def columns_of(name: str, schema: Schema = DOCUMENTED) -> list[Column]:
    """Return the columns of a table or view in order. Raises KeyError if there is none of this name."""
    if name in schema.tables:
        notes = ((field.name, annotations_of(field)) for field in (*schema.tables[name].schema, PARTITION))
        return [Column(column, note.correction or note.doc) for column, note in notes]
    return [Column(each.name, each.doc) for each in (DRIFT if name == "drift" else columns_of_view(name))]


def listing(schema: Schema = DOCUMENTED) -> str:
    """Return the query for the names of all tables and views, with what one row of each is."""
    names = relations(schema)
    rows = ((name, "table" if name in schema.tables else "view", _doc_of(name, schema)) for name in names)
    return f'SELECT * FROM (VALUES {_values(rows)}) AS listed("table", kind, description)'  # noqa: S608 - our own texts


def describing(name: str, schema: Schema = DOCUMENTED) -> str:
    """Return the query for the columns of a table or view. Raises OptionError if there is none of this name."""
    check_choice("describe", name, relations(schema))
    docs = _values((column.doc,) for column in columns_of(name, schema))
    return (
        'SELECT column_name AS "column", column_type AS type, description '  # noqa: S608 - a known name
        f"FROM (DESCRIBE {quoted_name(name)}) POSITIONAL JOIN (VALUES {docs}) AS docs(description)"
    )


def _doc_of(name: str, schema: Schema) -> str:
    if name in schema.tables:
        return schema.tables[name].doc
    return DRIFT_DOC if name == "drift" else doc_of_view(name)


def _values(rows: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(f"({', '.join(_texts(row))})" for row in rows)


def _texts(row: tuple[str, ...]) -> Iterator[str]:
    return (quoted_text(text) for text in row)

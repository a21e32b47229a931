"""Says what a connection of DuckDB has: its tables and views, and their columns, with what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from wsparquet.options import check_choice
from wsparquet.query.drift_view import DRIFT, DRIFT_DOC
from wsparquet.render.duckdb import quoted_name, quoted_text
from wsparquet.render.views import VIEWS, columns_of_view, doc_of_view
from wsparquet.schema import TABLES
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.tables import PARTITION

__all__ = ["RELATIONS", "Column", "columns_of", "describing", "listing"]

RELATIONS: tuple[str, ...] = (*TABLES, *VIEWS, "drift")
"""The names of all tables and views of ``connect``."""


class Column(NamedTuple):
    """A column, and what it means."""

    name: str
    doc: str


def columns_of(name: str) -> list[Column]:
    """Return the columns of a table or view in order. Raises KeyError if there is none of this name."""
    if name in TABLES:
        notes = ((field.name, annotations_of(field)) for field in (*TABLES[name].schema, PARTITION))
        return [Column(column, note.correction or note.doc) for column, note in notes]
    return [Column(each.name, each.doc) for each in (DRIFT if name == "drift" else columns_of_view(name))]


def listing() -> str:
    """Return the query for the names of all tables and views, with what one row of each is."""
    rows = ((name, "table" if name in TABLES else "view", _doc_of(name)) for name in RELATIONS)
    return f'SELECT * FROM (VALUES {_values(rows)}) AS listed("table", kind, description)'  # noqa: S608 - our own texts


def describing(name: str) -> str:
    """Return the query for the columns of a table or view. Raises OptionError if there is none of this name."""
    check_choice("describe", name, RELATIONS)
    docs = _values((column.doc,) for column in columns_of(name))
    return (
        'SELECT column_name AS "column", column_type AS type, description '  # noqa: S608 - a known name
        f"FROM (DESCRIBE {quoted_name(name)}) POSITIONAL JOIN (VALUES {docs}) AS docs(description)"
    )


def _doc_of(name: str) -> str:
    if name in TABLES:
        return TABLES[name].doc
    return DRIFT_DOC if name == "drift" else doc_of_view(name)


def _values(rows: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(f"({', '.join(_texts(row))})" for row in rows)


def _texts(row: tuple[str, ...]) -> Iterator[str]:
    return (quoted_text(text) for text in row)

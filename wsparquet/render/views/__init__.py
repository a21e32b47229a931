"""Renders the flat views and `visits` as queries in the SQL of each engine."""

from __future__ import annotations

from dataclasses import replace

from wsparquet.options import check_choice
from wsparquet.render.views.dialects import DIALECTS, Dialect
from wsparquet.render.views.dictionary import dictionary
from wsparquet.render.views.rows import rows_query
from wsparquet.render.views.visits import VISITS, VISITS_READS, visits_query
from wsparquet.schema import TABLES
from wsparquet.schema.flat_views import FLAT_VIEWS, ViewColumn

VISITS_DOC = "One row for each visit. If a visit has several rows of a kind, the rule of each column chooses one value."

__all__ = [
    "VIEWS",
    "VIEW_FORMS",
    "columns_of_view",
    "doc_of_view",
    "tables_below",
    "view_query",
    "view_statement",
    "views_below",
    "views_text",
]

VIEWS: tuple[str, ...] = (*FLAT_VIEWS, "visits")
"""The names of all views, ordered so that each view reads only tables and earlier views."""

VIEW_FORMS: tuple[str, ...] = (*(engine for engine in DIALECTS if engine != "polars"), "markdown")
"""The forms of ``views_text``. Polars has no statement that creates a view."""


def view_query(view: str, engine: str, *, schema: tuple[str, ...] = ()) -> str:
    """Return the query of a view.

    The query reads tables by their names; the query of `visits` also reads flat views by their names.

    ``engine`` is one of ``DIALECTS``. ``schema`` is put before the names of tables and views. Raises KeyError if there
    is no such view or engine.
    """
    return _query(view, replace(DIALECTS[engine], schema=schema))


def view_statement(view: str, engine: str, *, schema: tuple[str, ...] = ()) -> str:
    """Return the statement that creates or replaces a view, without a semicolon.

    The arguments are those of ``view_query``.
    """
    name = replace(DIALECTS[engine], schema=schema).relation(view)
    return f"CREATE OR REPLACE VIEW {name} AS\n{view_query(view, engine, schema=schema)}"


def views_below(view: str) -> tuple[str, ...]:
    """Return the flat views that a view reads."""
    return VISITS_READS if view == "visits" else ()


def tables_below(view: str) -> tuple[str, ...]:
    """Return the tables that a view reads. Raises KeyError if there is no such view."""
    return tuple(TABLES) if view == "visits" else FLAT_VIEWS[view].tables


def columns_of_view(view: str) -> tuple[ViewColumn, ...]:
    """Return the columns of a view in order. Raises KeyError if there is no such view."""
    return VISITS if view == "visits" else FLAT_VIEWS[view].columns


def doc_of_view(view: str) -> str:
    """Return what one row of a view is. Raises KeyError if there is no such view."""
    return VISITS_DOC if view == "visits" else FLAT_VIEWS[view].doc


def views_text(form: str) -> str:
    """Return the statements that create all views, or the dictionary of their columns for the form ``markdown``.

    The statements need the tables under their own names in the same schema. The text ends with a newline.

    Raises:
        OptionError: there is no such form.

    """
    check_choice("form", form, VIEW_FORMS)
    if form == "markdown":
        return dictionary({view: (doc_of_view(view), columns_of_view(view)) for view in VIEWS})
    return "\n".join(f"{view_statement(view, form)};\n" for view in VIEWS)


def _query(view: str, dialect: Dialect) -> str:
    if view == "visits":
        return visits_query(dialect)
    return "\nUNION ALL\n".join(rows_query(FLAT_VIEWS[view], rows, dialect) for rows in FLAT_VIEWS[view].rows)

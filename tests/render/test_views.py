"""The statements of all views: whole, readable by a parser of each engine's SQL, and described."""

from __future__ import annotations

import re

import pytest
import sqlglot
from sqlglot import exp

from tests.cli.program import run
from wsparquet import OptionError, schema_text
from wsparquet.render.views import VIEW_FORMS, VIEWS, columns_of_view, views_text
from wsparquet.schema import TABLES
from wsparquet.schema.flat_views import FLAT_VIEWS, KEYS

ENGINES = [form for form in VIEW_FORMS if form != "markdown"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_parser_finds_every_view_with_its_columns(engine: str) -> None:
    """Each statement creates a view whose columns are those of the definition, in order, in each part of a union."""
    statements = [each for each in sqlglot.parse(views_text(engine), read=engine) if each is not None]
    assert [each.this.name for each in statements] == [*VIEWS]
    for view, statement in zip(VIEWS, statements, strict=True):
        assert isinstance(statement, exp.Create)
        assert not list(statement.find_all(exp.Command))
        query = statement.expression
        while isinstance(query, exp.Union):
            assert query.right.named_selects == [column.name for column in columns_of_view(view)]
            query = query.left
        assert query.named_selects == [column.name for column in columns_of_view(view)]


@pytest.mark.parametrize("engine", ENGINES)
def test_views_read_tables_and_earlier_views_only(engine: str) -> None:
    """Statements run in the order in which they are printed."""
    statements = [each for each in sqlglot.parse(views_text(engine), read=engine) if each is not None]
    for number, statement in enumerate(statements):
        read = {table.name for table in statement.expression.find_all(exp.Table) if table.name}
        known = {*TABLES, *VIEWS[:number]}
        aliases = {alias for rows in FLAT_VIEWS.values() for each in rows.rows for alias in each.lists}
        assert read <= known | aliases, (statement.this.name, read - known)


def test_no_view_has_the_name_of_a_table_or_two_columns_of_one_name() -> None:
    """Names are told apart without regard to case, as Athena does."""
    assert not {*TABLES} & {*VIEWS}
    for view in VIEWS:
        names = [column.name.lower() for column in columns_of_view(view)]
        assert len(names) == len({*names})


def test_all_columns_are_described() -> None:
    """The dictionary has a description of every view and column."""
    text = views_text("markdown")
    assert re.findall("^# (.*)$", text, re.MULTILINE) == [*VIEWS]
    for view in VIEWS:
        for column in columns_of_view(view):
            # Schemas describe all but the elements that the page shows only in an example.
            assert column.doc.endswith((".", ")")) or "YYY-MM-DD" in column.doc, (view, column)
            assert f"| `{column.name}` |" in text


def test_flat_views_begin_with_the_keys() -> None:
    """Rows of all flat views can be joined by the same columns."""
    for view in FLAT_VIEWS:
        assert [column.name for column in columns_of_view(view)][: len(KEYS)] == [*KEYS]


def test_the_command_prints_what_the_function_returns() -> None:
    """`schema --views --as` prints the statements of each engine; forms and options that do not fit are refused."""
    for form in VIEW_FORMS:
        assert run("schema", "--views", "--as", form).out == schema_text(form=form, views=True)
    for arguments, found in {
        ("--views",): "found --as arrow",
        ("geo", "--views", "--as", "duckdb"): "found TABLE",
        ("--views", "--as", "duckdb", "--root", "x"): "found --root",
        ("--as", "trino"): "expected --views with --as trino",
        ("--views", "--remote", "--account", "1"): "--views",
    }.items():
        refused = run("schema", *arguments)
        assert (refused.code, found in refused.err) == (2, True), refused.err
    with pytest.raises(OptionError, match="views"):
        schema_text("geo", "duckdb", views=True)
    with pytest.raises(OptionError, match="form"):
        schema_text(form="polars", views=True)

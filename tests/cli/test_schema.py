"""What `wsparquet schema` prints for each table and form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.program import run
from wsparquet.render import EXTENSIONS, FORMS
from wsparquet.schema import TABLES

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("table", TABLES)
def test_a_table_in_a_form_is_the_file_in_schemas(table: str, form: str) -> None:
    """Every table in every form is what `schemas/` holds, to the byte."""
    ran = run("schema", table, "--as", form)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (SCHEMAS / form / f"{table}.{EXTENSIONS[form]}").read_text(encoding="utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_no_table_is_all_tables(form: str) -> None:
    """Without a table all are printed: JSON as one object by table, text one after the other."""
    ran = run("schema", "--as", form)
    assert (ran.code, ran.err) == (0, "")
    parts = {table: run("schema", table, "--as", form).out for table in TABLES}
    if EXTENSIONS[form] in {"json", "avsc"}:
        assert json.loads(ran.out) == {table: json.loads(text) for table, text in parts.items()}
    else:
        assert ran.out == "\n".join(parts.values())


def test_arrow_is_the_default() -> None:
    """Without `--as` the Arrow schema is printed."""
    assert run("schema", "geo").out == run("schema", "geo", "--as", "arrow").out


def test_an_unknown_table_lists_all() -> None:
    """An unknown table is one line of error with every table that there is."""
    ran = run("schema", "navigations")
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert all(table in ran.err for table in TABLES)


def test_an_unknown_form_is_wrong_usage() -> None:
    """A form that does not exist is exit code 2, with those that do."""
    ran = run("schema", "geo", "--as", "hive")
    assert (ran.code, ran.out) == (2, "")
    assert all(form in ran.err for form in FORMS)

"""Renderings follow whatever the schema says, and refuse what an engine has no type for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb as engine
import fastavro
import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from wsparquet.errors import SchemaError
from wsparquet.render import JSONS, TEXTS, athena, avro, bigquery, duckdb, markdown
from wsparquet.schema import Table
from wsparquet.schema.fields import Struct, enum, field, list_of, struct, text

RENDERINGS: dict[str, Callable[[Table], Any]] = {**TEXTS, **JSONS}
TYPED = ("avro", "spark", "duckdb", "athena", "bigquery")
ODD_WORDS = "It's a \"pipe\" | a back\\slash\\' and `ticks`, e.g. '; DROP TABLE x; --"


def odd_table(*fields: pa.Field[Any]) -> Table:
    """A table with the given payload."""
    return Table("odd", ODD_WORDS, (), fields, ())


def test_duckdb_quotes_every_word() -> None:
    """Comments and names come back from DuckDB as they are."""
    table = odd_table(text('sel"ect', ODD_WORDS))
    statements = duckdb.render(table).split("\n\n", 1)[1]
    with engine.connect() as connection:
        connection.execute(statements)
        query = "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'odd_typed' AND column_index = 4"
        assert connection.execute(query).fetchall() == [('sel"ect', ODD_WORDS)]
        comments = connection.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'odd_typed'").fetchall()
        assert comments == [(ODD_WORDS,)]


def test_athena_quotes_every_word() -> None:
    """Comments come back from Hive's DDL as they are."""
    statement = sqlglot.parse_one(athena.render(odd_table(text("plain", ODD_WORDS))), read="hive")
    column = next(column for column in statement.this.expressions if column.name == "plain")
    assert column.find(exp.CommentColumnConstraint).this.name == ODD_WORDS


def test_athena_cuts_long_comments() -> None:
    """A comment has no more than the 255 characters that Glue holds, and shows that it was cut."""
    statement = sqlglot.parse_one(
        athena.render(odd_table(text("long", "x" * 256), text("full", "y" * 255))), read="hive"
    )
    comments = {
        column.name: column.find(exp.CommentColumnConstraint).this.name for column in statement.this.expressions
    }
    assert comments["long"] == "x" * 254 + "…"
    assert comments["full"] == "y" * 255


def test_markdown_keeps_its_cells() -> None:
    """A bar in a description starts no new cell."""
    row = next(line for line in markdown.render(odd_table(text("plain", "a | b \\"))).splitlines() if "plain" in line)
    assert row == "| `plain` | string | a \\| b \\\\ | string |  |  |  |  |"


def test_documented_values_reach_the_comments() -> None:
    """Values follow the description, with their meanings where there are any."""
    table = odd_table(enum("state", "State.", {"0": "off", "1": ""}))
    expected = "State. Documented values: 0 = off, 1."
    assert next(one for one in bigquery.schema(table) if one["name"] == "state")["description"] == expected
    assert expected in duckdb.render(table)


@pytest.mark.parametrize("form", TYPED)
def test_a_type_without_equivalent_is_refused(form: str) -> None:
    """A type that a form has no name for stops the rendering, wherever it stands."""
    inner = Struct("Inner", (field("odd", pa.uint8(), "Odd.", None),))
    for column in (field("odd", pa.uint8(), "Odd.", None), list_of("odds", inner, "Odd.")):
        with pytest.raises(SchemaError, match=f"no {form} type is known for the Arrow type uint8"):
            RENDERINGS[form](odd_table(column))


def test_bigquery_refuses_lists_of_lists() -> None:
    """BigQuery has no repeated field of repeated fields."""
    nested = pa.list_(pa.field("element", pa.list_(pa.field("element", pa.string()))))
    with pytest.raises(SchemaError, match=r"expected no list of lists.*found nested"):
        bigquery.schema(odd_table(field("nested", nested, "Nested.", None)))


def test_avro_defines_a_struct_once() -> None:
    """A struct used twice is defined at its first place and named at the second."""
    inner = Struct("inner part", (text("a", "A."),))
    schema = avro.schema(odd_table(struct("one", inner, "One."), list_of("two", inner, "Two.")))
    by_name = {one["name"]: one["type"][1] for one in schema["fields"]}
    assert (by_name["one"]["namespace"], by_name["one"]["name"]) == ("wsparquet.structs", "InnerPart")
    assert by_name["two"] == {"type": "array", "items": ["null", "wsparquet.structs.InnerPart"]}
    fastavro.parse_schema(schema)


def test_avro_refuses_two_structs_of_one_name() -> None:
    """Two different structs under one name would be taken for one."""
    fields = (struct("one", Struct("Inner", (text("a", "A."),)), "One."), struct("two", Struct("Inner", ()), "Two."))
    with pytest.raises(SchemaError, match="expected one struct named Inner, found two"):
        avro.schema(odd_table(*fields))


def test_avro_refuses_two_structs_that_differ_in_their_descriptions() -> None:
    """The definition at the first place would give the second the wrong descriptions."""
    fields = (struct(name, Struct("Inner", (text("a", f"{name} a."),)), "Inner.") for name in ("one", "two"))
    with pytest.raises(SchemaError, match="expected one struct named Inner, found two"):
        avro.schema(odd_table(*fields))

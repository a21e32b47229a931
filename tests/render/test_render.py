"""Every form renders every table, whole, as the engine's own reading of the Parquet files has it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from tests.render.leaves import Leaf, parquet_leaves, write
from wsparquet.errors import SchemaError
from wsparquet.render import EXTENSIONS, FORMS, render
from wsparquet.schema import TABLES, Table
from wsparquet.schema.field_ids import field_ids, field_paths

# What a leaf of a Parquet file is called in each form, in the order STRING, INT32, INT64, DOUBLE, BOOLEAN, TIMESTAMP.
PARQUET = ("STRING", "INT32", "INT64", "DOUBLE", "BOOLEAN", "TIMESTAMP")
NAMES = {
    "arrow": ("string", "int32", "int64", "double", "bool", "timestamp[us, tz=UTC]"),
    "markdown": ("string", "int32", "int64", "double", "bool", "timestamp[us, tz=UTC]"),
    "avro": ("string", "int", "long", "double", "boolean", "timestamp-micros"),
    "spark": ("string", "integer", "long", "double", "boolean", "timestamp"),
    "bigquery": ("STRING", "INTEGER", "INTEGER", "FLOAT", "BOOLEAN", "TIMESTAMP"),
    "athena": ("TEXT", "INT", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP"),
    "iceberg": ("string", "int", "long", "double", "boolean", "timestamptz"),
}

each_table = pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)


def arrow_leaves(text: str) -> Iterator[Leaf]:
    """The leaves of the indented text; the first line is the table's name."""
    path: list[str] = []
    for line in text.splitlines()[1:]:
        _, name, kind = line.strip().split(": ", 2)
        depth = (len(line) - len(line.lstrip())) // 2
        path[depth - 1 :] = [name]
        if kind not in {"struct", "list"}:
            yield ".".join(part for part in path if part != "element"), kind


def markdown_leaves(text: str) -> Iterator[Leaf]:
    """The leaves of the dictionary's rows, partition column left out."""
    for path, kind in re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", text, re.MULTILINE):
        leaf = kind.removeprefix("list of ")
        if leaf != "struct" and path != "date":
            yield path.replace("[]", ""), leaf


def avro_leaves(text: str) -> Iterator[Leaf]:
    """The leaves of the record, structs that are only named looked up where they are defined."""
    records: dict[str, Any] = {}

    def walk(kind: Any, path: str) -> Iterator[Leaf]:
        assert kind[0] == "null"
        kind = records.get(kind[1], kind[1]) if isinstance(kind[1], str) else kind[1]
        if isinstance(kind, str) or kind["type"] == "long":
            yield path, kind if isinstance(kind, str) else kind["logicalType"]
        elif kind["type"] == "array":
            yield from walk(kind["items"], path)
        else:
            records[f"{kind['namespace']}.{kind['name']}"] = kind
            for field in kind["fields"]:
                yield from walk(field["type"], f"{path}.{field['name']}".lstrip("."))

    yield from walk(["null", json.loads(text)], "")


def spark_leaves(text: str) -> Iterator[Leaf]:
    """The leaves of the StructType, partition column left out."""

    def walk(kind: Any, path: str) -> Iterator[Leaf]:
        while isinstance(kind, dict) and kind["type"] == "array":
            assert kind["containsNull"] is True
            kind = kind["elementType"]
        if isinstance(kind, str):
            yield path, kind
            return
        assert kind["type"] == "struct"
        for field in kind["fields"]:
            assert field["nullable"] is True
            assert set(field) == {"name", "type", "nullable", "metadata"}
            yield from walk(field["type"], f"{path}.{field['name']}".lstrip("."))

    leaves = list(walk(json.loads(text), ""))
    assert leaves[-1] == ("date", "date")
    yield from leaves[:-1]


def bigquery_leaves(text: str) -> Iterator[Leaf]:
    """The leaves of the JSON schema."""

    def walk(fields: list[dict[str, Any]], path: str) -> Iterator[Leaf]:
        for field in fields:
            assert field["mode"] in {"NULLABLE", "REPEATED"}
            assert len(field["description"]) <= 1024
            here = f"{path}.{field['name']}".lstrip(".")
            if field["type"] == "RECORD":
                yield from walk(field["fields"], here)
            else:
                assert "fields" not in field
                yield here, field["type"]

    yield from walk(json.loads(text), "")


def athena_leaves(text: str) -> Iterator[Leaf]:
    """The leaves of the columns, as another reader of Hive's DDL has them."""

    def walk(kind: exp.DataType, path: str) -> Iterator[Leaf]:
        while kind.this == exp.DataType.Type.ARRAY:
            kind = kind.expressions[0]
        if kind.this != exp.DataType.Type.STRUCT:
            yield path, kind.this.value
            return
        for child in kind.expressions:
            yield from walk(child.args["kind"], f"{path}.{child.name}")

    statement = sqlglot.parse_one(text, read="hive")
    for column in statement.this.expressions:
        yield from walk(column.args["kind"], column.name)


def iceberg_leaves(text: str) -> Iterator[Leaf]:
    """The leaves of the schema, partition column left out."""

    def walk(kind: Any, path: str) -> Iterator[Leaf]:
        while isinstance(kind, dict) and kind["type"] == "list":
            assert kind["element-required"] is False
            kind = kind["element"]
        if isinstance(kind, str):
            yield path, kind
            return
        assert kind["type"] == "struct"
        for field in kind["fields"]:
            assert field["required"] is False
            yield from walk(field["type"], f"{path}.{field['name']}".lstrip("."))

    leaves = list(walk(json.loads(text), ""))
    assert leaves[-1] == ("date", "date")
    yield from leaves[:-1]


READERS: dict[str, Callable[[str], Iterator[Leaf]]] = {
    "arrow": arrow_leaves,
    "markdown": markdown_leaves,
    "avro": avro_leaves,
    "spark": spark_leaves,
    "bigquery": bigquery_leaves,
    "athena": athena_leaves,
    "iceberg": iceberg_leaves,
}


@each_table
@pytest.mark.parametrize("form", READERS)
def test_a_rendering_has_the_leaves_of_a_parquet_file(table: Table, form: str, tmp_path: Path) -> None:
    """A rendering has every leaf column of a file of the table, in order, with its type, and no other."""
    names = dict(zip(PARQUET, NAMES[form], strict=True))
    expected = [(path, names[kind]) for path, kind in parquet_leaves(write(table, tmp_path))]
    if form == "athena":
        expected = [(path.lower(), kind) for path, kind in expected]
    assert list(READERS[form](render(table.name, form))) == expected


@each_table
def test_iceberg_has_the_ids_of_the_registry(table: Table) -> None:
    """Every field and element has its own id, that of the registry."""

    def walk(kind: Any, path: str) -> Iterator[tuple[str, int]]:
        if isinstance(kind, dict) and kind["type"] == "list":
            yield f"{path}.element", kind["element-id"]
            yield from walk(kind["element"], f"{path}.element")
        elif isinstance(kind, dict):
            for field in kind["fields"]:
                here = f"{path}.{field['name']}".lstrip(".")
                yield here, field["id"]
                yield from walk(field["type"], here)

    found = dict(walk(json.loads(render(table.name, "iceberg")), ""))
    assert found == {path: field_ids(table.name)[path] for path in field_paths(table.name)}


@each_table
def test_snowflake_has_every_column(table: Table) -> None:
    """The statement is one external table, with all columns and the partition."""
    statement = sqlglot.parse_one(render(table.name, "snowflake"), read="snowflake")
    names = [column.name for column in statement.this.expressions if isinstance(column, exp.ColumnDef)]
    assert names == [*table.schema.names, "date"]
    assert f"record_type={table.name}/" in render(table.name, "snowflake")


@each_table
def test_bigquery_repeats_what_the_schema_lists(table: Table) -> None:
    """A field is REPEATED if, and only if, the data dictionary calls it a list."""
    lists = re.findall(r"^\| `([^`]+)` \| list of ", render(table.name, "markdown"), re.MULTILINE)

    def repeated(fields: list[dict[str, Any]], path: str) -> Iterator[str]:
        for field in fields:
            here = f"{path}{field['name']}"
            if field["mode"] == "REPEATED":
                yield here
            yield from repeated(field.get("fields", []), f"{here}[]." if field["mode"] == "REPEATED" else f"{here}.")

    assert list(repeated(json.loads(render(table.name, "bigquery")), "")) == lists


@each_table
def test_athena_finds_the_files_and_every_dated_partition(table: Table) -> None:
    """The DDL is one statement for the table's folder, with projected days from 2000 to 2099."""
    statements = sqlglot.parse(render(table.name, "athena"), read="hive")
    assert len(statements) == 1
    found = [item for item in statements[0].args["properties"].expressions if type(item) is exp.Property]
    properties = {item.name: item.args["value"].name for item in found}
    assert statements[0].find(exp.LocationProperty).name == f"s3://BUCKET/PREFIX/record_type={table.name}/"
    partitions = statements[0].find(exp.PartitionedByProperty).this.expressions
    assert [(column.name, column.args["kind"].sql()) for column in partitions] == [("date", "DATE")]
    assert properties["projection.enabled"] == "true"
    assert properties["projection.date.range"] == "2000-01-01,2099-12-31"


@each_table
def test_comments_are_the_descriptions(table: Table) -> None:
    """The top-level descriptions reach the engines' comments unchanged, apostrophes too."""
    spark = {field["name"]: field["metadata"]["comment"] for field in json.loads(render(table.name, "spark"))["fields"]}
    columns = sqlglot.parse_one(render(table.name, "athena"), read="hive").this.expressions
    athena = {column.name: column.find(exp.CommentColumnConstraint).this.name for column in columns}
    assert {name.lower(): comment for name, comment in spark.items() if name != "date"} == athena
    assert all(field.metadata[b"doc"].decode() in spark[field.name] for field in table.schema)


def test_the_dictionary_tells_values_spellings_and_structs() -> None:
    """The data dictionary has documented values with meanings, the page's spelling and the structs' names."""
    eligibility = render("eligibility", "markdown")
    assert "| `eligibilityData[].eligibleCampaigns[].engagements[].type` | string | Engagement type. |" in eligibility
    assert "`0` peeling corner, `1` overlay, `2` toaster, `3` slide-out, `5` embedded, `6` sticky" in eligibility
    assert "type `ControlGroupEnum`" in eligibility
    assert "| string | `NA`, `CONTROL`, `TEST` |" in render("session_info", "markdown")
    assert "key `search Engine`" in render("session_info", "markdown")
    assert "type `cart`, type `CartStatus`" in render("engagement_attributes", "markdown")


@each_table
def test_the_dictionary_s_rows_are_even(table: Table) -> None:
    """Every row of the data dictionary has as many cells as its head, and every column is described."""
    rows = [line for line in render(table.name, "markdown").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    assert {len(row) for row in cells} == {8}
    assert [row for row in cells if not row[2]] == []


@pytest.mark.parametrize("form", FORMS)
def test_all_tables_are_rendered_at_once(form: str) -> None:
    """Without a table, a form has all of them: texts one after the other, JSON as an object by name."""
    together, single = render(None, form), {name: render(name, form) for name in TABLES}
    if EXTENSIONS[form] in {"json", "avsc"}:
        assert json.loads(together) == {name: json.loads(text) for name, text in single.items()}
    else:
        assert together == "\n".join(single.values())
    assert together.endswith("\n")


@pytest.mark.parametrize(("table", "form"), [("navigations", "arrow"), ("navigation", "json"), (None, "")])
def test_unknown_tables_and_forms_are_refused(table: str | None, form: str) -> None:
    """What is not there is refused with the list of what is."""
    with pytest.raises(SchemaError, match=r"expected a (table, one of geo, navigation|form, one of arrow, markdown)"):
        render(table, form)

"""Whether generated text shows all of the schema, in Avro's JSON encoding, with values that fit the columns."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import pyarrow as pa
import pytest

from tests.generate.test_text import FORMS, records_of, text_of
from wsparquet.generate import GenerateOptions, expected
from wsparquet.generate.shapes import _bare, body_tag, payload_key
from wsparquet.generate.values import Draw, value_maker
from wsparquet.schema import HEADER, TABLES
from wsparquet.schema.fields import field as make_field

NAMESPACE = "com.liveperson.dataaccess."
TABLES_WITH_RECORDS = {name: table for name, table in TABLES.items() if name != "unrecognized"}
TAGS = {NAMESPACE + body_tag(name): name for name in TABLES_WITH_RECORDS}
NUMBERS = {"int32": ("int", int), "int64": ("long", int), "double": ("double", float), "bool": ("boolean", bool)}


def bare(key: str) -> str:
    """A key or tag as names are compared."""
    return key.rpartition(".")[2].replace(" ", "").replace("_", "").lower()


def names_of(field: pa.Field, key: str) -> list[str]:
    """What a field, or the struct in it, is called."""
    metadata = field.metadata or {}
    own = metadata.get(key.encode(), field.name.encode()).decode()
    return [own, *json.loads(metadata.get(b"struct_aliases", b"[]"))]


def is_union(field: pa.Field) -> bool:
    """Whether the field holds a union of structs."""
    return (field.metadata or {}).get(b"kind") == b"union"


def documented(fields: list[pa.Field], path: str) -> Iterator[str]:
    """The paths of all scalar columns below some fields."""
    for field in fields:
        inner = field.type.field(0) if pa.types.is_list(field.type) else field
        here = f"{path}.{field.name}"
        if pa.types.is_struct(inner.type):
            below = [inner.type.field(index) for index in range(inner.type.num_fields)]
            yield from documented(below[1:] if is_union(inner) else below, here)
        else:
            yield here


def found(value: Any, field: pa.Field, path: str) -> Iterator[tuple[str, Any]]:
    """The paths and tagged values of all scalars that are not null, read after the schema with nothing left over."""
    if value is None:
        return
    ((tag, inner),) = value.items()
    if is_union(field):
        branches = {bare(name): branch for branch in field.type for name in names_of(branch, "struct")}
        branch = branches[bare(tag)]
        yield from members(inner, list(branch.type), f"{path}.{branch.name}")
    elif pa.types.is_list(field.type):
        assert tag == "array"
        yield from elements(inner, field.type.field(0), path)
    elif pa.types.is_struct(field.type):
        assert tag.startswith(NAMESPACE)
        assert bare(tag) in map(bare, names_of(field, "struct"))
        yield from members(inner, list(field.type), path)
    else:
        yield path, value


def elements(values: list[Any], element: pa.Field, path: str) -> Iterator[tuple[str, Any]]:
    """The scalars of a list, whose elements stand bare."""
    for value in values:
        if pa.types.is_struct(element.type):
            yield from members(value, list(element.type), path)
        else:
            yield path, {"string": value}


def members(value: dict[str, Any], fields: list[pa.Field], path: str) -> Iterator[tuple[str, Any]]:
    """The scalars of a struct."""
    known = {bare(field.name): field for field in fields}
    for key, inner in value.items():
        yield from found(inner, known[bare(key)], f"{path}.{known[bare(key)].name}")


def scalars(record: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The paths and tagged values of all scalars of a record."""
    ((tag, body),) = record["body"].items()
    table = TABLES_WITH_RECORDS[TAGS[tag]]
    assert list(body) == ["header", payload_key(table)]
    yield from members(body["header"][NAMESPACE + "VisitorHeader"], list(HEADER.fields), table.name)
    payload = body[payload_key(table)]
    ((payload_tag, inner),) = payload.items()
    if table.flat is not None:
        assert bare(payload_tag) == bare(table.flat.name)
        yield from members(inner, list(table.payload), table.name)
    else:
        yield from found(payload, table.payload[0], f"{table.name}.{table.payload[0].name}")


def scalar_columns() -> set[str]:
    """The paths of every scalar column of every table."""
    return {
        path
        for table in TABLES_WITH_RECORDS.values()
        for path in documented([*HEADER.fields, *table.payload], table.name)
    }


@pytest.mark.parametrize("form", FORMS)
def test_every_documented_field_occurs(form: Any) -> None:
    """Two megabytes show every scalar column of every table, below every branch, and nothing else."""
    seen = Counter(
        path
        for record in records_of(text_of(GenerateOptions(size=2_000_000, form=form)))
        for path, _ in scalars(record)
    )
    assert scalar_columns() == set(seen)


def test_every_field_occurs_in_the_smallest_files() -> None:
    """The first record of each table holds every column, so that short files show the whole schema too."""
    options = GenerateOptions(records=len(TABLES_WITH_RECORDS), seed=9)
    assert scalar_columns() == {path for record in records_of(text_of(options)) for path, _ in scalars(record)}
    assert expected(options).rows == dict.fromkeys(TABLES_WITH_RECORDS, 1)


def test_every_value_fits_its_column() -> None:
    """Each tagged scalar has the column's tag and kind, integers are in range, enums documented."""
    types = {path: field for table in TABLES_WITH_RECORDS.values() for path, field in typed(table)}
    checked = 0
    for record in records_of(text_of(GenerateOptions(size=2_000_000, seed=4))):
        for path, value in scalars(record):
            check_scalar(value, types[path], path)
            checked += 1
    assert checked > 10_000


def typed(table: Any) -> Iterator[tuple[str, pa.Field]]:
    """Every scalar column of a table with its path."""
    paths = documented([*HEADER.fields, *table.payload], table.name)
    yield from zip(paths, leaves([*HEADER.fields, *table.payload]), strict=True)


def leaves(fields: list[pa.Field]) -> Iterator[pa.Field]:
    """All scalar columns below some fields, in the order of their paths."""
    for field in fields:
        inner = field.type.field(0) if pa.types.is_list(field.type) else field
        if pa.types.is_struct(inner.type):
            below = list(inner.type)
            yield from leaves(below[1:] if is_union(inner) else below)
        else:
            yield inner


def check_scalar(value: dict[str, Any], field: pa.Field, path: str) -> None:
    """Hold one tagged scalar against its column."""
    ((tag, inner),) = value.items()
    allowed = (field.metadata or {}).get(b"values")
    assert not allowed or inner in json.loads(allowed), path
    if pa.types.is_timestamp(field.type):
        assert (tag, type(inner)) == ("long", int), path
    elif str(field.type) in NUMBERS:
        expected_tag, kind = NUMBERS[str(field.type)]
        # Avro writes a whole double without a fraction.
        assert tag == expected_tag, path
        assert type(inner) in ((int, float) if kind is float else (kind,)), path
        assert pa.scalar(inner, field.type).is_valid, path
    else:
        assert tag == "string" or tag.startswith(NAMESPACE), path
        assert type(inner) is str, path


def test_record_types_are_distributed_as_in_real_files() -> None:
    """Navigation is the most frequent, then eligibility and impression; achieved goals are rare."""
    rows = expected(GenerateOptions(size=6_000_000)).rows
    order = [table for table, _ in rows.most_common()]
    assert set(order) == set(TABLES_WITH_RECORDS)
    assert order[0] == "navigation"
    assert set(order[1:3]) == {"eligibility", "impression"}
    assert order[-1] == "goal_achieved"


def test_nulls_and_empties_occur() -> None:
    """Null fields, empty lists and, rarely, empty structs occur, also tagged."""
    text = text_of(GenerateOptions(size=3_000_000))
    for part in (b":null", b'{"array":[]}', b'.Campaign":{}}'):
        assert part in text, part
    assert text.count(b":null") > 50 * text.count(b":{}}") > 0


def test_structs_have_the_fields_of_the_tables_or_of_the_example() -> None:
    """Some engagements and campaigns have only the fields of the documentation's example, others all."""
    text = text_of(GenerateOptions(size=1_000_000))
    assert text.count(b'.Engagement":{"id"') > text.count(b'.Engagement":{"channel"') > 0
    assert re.search(rb'\.Campaign":\{"id":[^,]*,"visitorProfiles":[^]]*\]\}\}', text)
    assert re.search(rb'\.Campaign":\{"id":[^,]*,"visitorProfiles":[^]]*\]\},"channel"', text)


def test_new_field_needs_no_change_here() -> None:
    """A field that the schema gains has a value by its type and its documented values."""
    fields = [
        make_field("newText", pa.string(), "", None),
        make_field("newEnum", pa.string(), "", None, values={"A": "", "B": ""}),
        make_field("newNumber", pa.int32(), "", None),
        make_field("newTexts", pa.list_(pa.string()), "", None),
        make_field("newStruct", pa.struct([make_field("url", pa.string(), "", None)]), "", None, struct="New One"),
    ]
    made = _bare("", make_field("all", pa.struct(fields), "", None, struct="All"))(Draw(Random(1), full=True))
    assert list(made) == [field.name for field in fields]
    assert made["newEnum"]["string"] in {"A", "B"}
    assert type(made["newNumber"]["int"]) is int
    assert list(made["newStruct"]) == [NAMESPACE + "NewOne"]
    assert value_maker("Any", fields[0])(Draw(Random(1))).startswith("newText")

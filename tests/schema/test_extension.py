"""What an extension may add, and how the errors about its file read."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from tests.drift import EXTENSION, extension_schema
from wsparquet.errors import SchemaError
from wsparquet.render import FORMS, render
from wsparquet.schema import TABLES, Schema
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.extended import KeptExtension, adopt, extended, read_extension
from wsparquet.schema.extension import parse_extension
from wsparquet.schema.field_ids import FIELD_ID, field_ids, field_paths, with_field_ids
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.leaves import leaf_columns
from wsparquet.schema.own_timestamps import own_timestamps
from wsparquet.schema.toml_lines import line_of

NAVIGATION = "structs.Navigation.fields"


def schema_of(text: str) -> Schema:
    """The schema with an extension."""
    return extended(parse_extension(text, "more.toml"))


def page_of(schema: Schema) -> pa.StructType:
    """The struct of a page in the table navigation."""
    found: pa.StructType = schema.tables["navigation"].schema.field("navigationData").type.value_type
    return found


def test_the_documented_schema_stays_first_and_unchanged() -> None:
    """Each documented field keeps its place, type and id; tables without additions are the same objects."""
    schema = extension_schema()
    assert list(schema.tables)[: len(TABLES)] == list(TABLES)
    for name, table in TABLES.items():
        later = schema.tables[name]
        ids = field_ids(later)
        assert {path: ids[path] for path in field_ids(name)} == dict(field_ids(name))
        known = {leaf.path: leaf.field.type for leaf in leaf_columns(table.schema)}
        found = [leaf for leaf in leaf_columns(later.schema) if leaf.path in known]
        assert [leaf.path for leaf in found] == list(known)
        assert {leaf.path: leaf.field.type for leaf in found} == known
        assert [leaf.path for leaf in own_timestamps(later)] == [leaf.path for leaf in own_timestamps(name)]
    only = schema_of(f'{NAVIGATION}.title = "string"')
    assert [name for name in TABLES if only.tables[name] is not TABLES[name]] == ["navigation"]


def test_a_struct_is_extended_wherever_it_is() -> None:
    """Engagements are in three tables, at any depth."""
    schema = schema_of('structs.Engagement.fields.score = "double"')
    paths = [leaf.path for table in schema.tables.values() for leaf in leaf_columns(table.schema)]
    assert [path for path in paths if path.endswith(".score")] == [
        "$.eligibilityData[*].eligibleCampaigns[*].engagements[*].score",
        "$.impressions[*].engagement.score",
        "$.achievedGoals[*].goalMetaData.increaseInteractionGoalMetadata.engagement.score",
    ]


def test_every_type_has_its_column() -> None:
    """Scalars, lists and structs become the Arrow types of documented fields of that kind."""
    text = f"""[{NAVIGATION}]
    a = "string"
    b = "boolean"
    c = "int"
    d = "long"
    e = "double"
    f = "timestamp"
    g = "list of long"
    h = {{ type = "struct", fields = {{ x = "int" }} }}
    i = {{ type = "list of struct", fields = {{ y = "list of string" }} }}
    """
    page = page_of(schema_of(text))
    scalars = [pa.string(), pa.bool_(), pa.int32(), pa.int64(), pa.float64(), TIMESTAMP]
    assert [page.field(name).type for name in "abcdef"] == scalars
    assert page.field("g").type.value_type == pa.int64()
    assert page.field("h").type == pa.struct([("x", pa.int32())])
    assert page.field("i").type.value_type.field("y").type.value_type == pa.string()
    assert all(annotations_of(page.field(name)).added for name in "abcdefghi")
    assert not annotations_of(page.field("url")).added


def test_ids_begin_at_10000_and_never_change() -> None:
    """Ids follow the order of the columns; a later extension continues after the ids that the root has."""
    first = adopt(f'[{NAVIGATION}]\nb = "string"', "one")
    second = adopt(f'[{NAVIGATION}]\na = "list of int"\nb = "string"', "two", first)
    assert first.ids == {"navigation": {"navigationData.element.b": 10_000}}
    assert second.ids["navigation"] == {
        "navigationData.element.b": 10_000,
        "navigationData.element.a": 10_001,
        "navigationData.element.a.element": 10_002,
    }
    for name, table in second.schema.tables.items():
        assert {*field_paths(table)} <= field_ids(table).keys(), name
    numbers = list(field_ids(second.schema.tables["navigation"]).values())
    assert len(numbers) == len({*numbers})
    element = with_field_ids(second.schema.tables["navigation"]).field("navigationData").type.value_type
    assert element.field("a").metadata == {FIELD_ID.encode(): b"10001"}


def test_the_hash_is_that_of_rows_and_files() -> None:
    """Comments and descriptions do not change it; names, types, keys, values and ids do."""
    one = schema_of(f'{NAVIGATION}.title = "string"').hash
    assert schema_of(f'# more\n[{NAVIGATION}]\ntitle = {{ type = "string", doc = "Title." }}').hash == one
    others = ('title = "long"', 'title = { type = "string", aliases = ["t"] }', 'title = "string"\nurl.aliases = ["u"]')
    found = {schema_of(f"[{NAVIGATION}]\n{other}").hash for other in others}
    assert len(found - {one}) == 3
    kept = KeptExtension(f'{NAVIGATION}.title = "string"', {"navigation": {"navigationData.element.title": 10_007}})
    assert kept.schema.hash != one


def test_every_form_renders_an_extension() -> None:
    """All forms have the new columns and tables; the JSON forms are JSON."""
    schema = extension_schema()
    for form in FORMS:
        text = render(None, form, schema=schema)
        for name in ("appId", "timezone", "cobrowse", "firstSeen"):
            assert name.casefold() in text.casefold(), (form, name)
        if form in {"avro", "spark", "bigquery", "iceberg"}:
            assert list(json.loads(text)) == list(schema.tables)


WRONG = [
    ("structs = 5", "line 1, structs: expected a table of keys, found a number"),
    ("struct.Navigation.fields.a = 'int'", "line 1, struct: expected one of structs, unions, tables; did you mean"),
    ("[structs.Navigatoin]", "line 1, structs.Navigatoin: expected a documented struct, found none; did you mean Nav"),
    ("[structs.MetaData.fields]\na = 'int'", "structs.MetaData: expected another struct: metaData must be the same"),
    (f"[{NAVIGATION}]\n\na = 'integer'", "line 3, structs.Navigation.fields.a: expected a type, one of string, bool"),
    (f"[{NAVIGATION}]\na = 'int'\n[structs.navigation.fields]\nb = 'int'", "line 3, .*expected each struct once"),
    (f"[{NAVIGATION}]\na = 5", "line 2, .*: expected the name of a type, or a table of keys, found a number"),
    (f"[{NAVIGATION}]\na = {{ type = 'int', tpye = 1 }}", "line 2, .*.a.tpye: expected one of type, fields"),
    (f"[{NAVIGATION}.a]\naliases = ['b']", "expected the key type, because Navigation has no field of this name"),
    (f"[{NAVIGATION}]\nURL = 'string'", "expected a new name, found URL; the name url exists, and case is ignored"),
    (f"[{NAVIGATION}]\nurl = 'long'", "expected the documented type, string, found long; omit type"),
    (f"[{NAVIGATION}]\nu_rl = 'string'", "expected a new key, found u_rl, which is a key of url"),
    (f"[{NAVIGATION}]\na.type = 'int'\na.aliases = ['URL']", "found URL, which is a key of url"),
    (f"[{NAVIGATION}]\na = 'int'\nb.type = 'int'\nb.aliases = ['A']", "line 3, .*found A, which is a key of a"),
    (f"[{NAVIGATION}]\n'a b' = 'int'", "line 2, .*expected a name of ASCII letters"),
    (f"[{NAVIGATION}]\nlong = 'int'", "expected a key that cannot be a tag or the payload, found long"),
    (f"[{NAVIGATION}]\nnavigation = 'int'", "expected a key that cannot be a tag or the payload, found navigation"),
    (f"[{NAVIGATION}]\na = 'list of list of int'", "put a struct between two lists"),
    (f"[{NAVIGATION}]\na = 'struct'", "expected the key fields with a struct, found none"),
    (f"[{NAVIGATION}]\na = {{ type = 'struct', fields = {{}} }}", "expected a struct with fields, found none"),
    (f"[{NAVIGATION}]\na = {{ type = 'int', fields = {{ b = 'int' }} }}", "expected fields only in a struct"),
    (f"[{NAVIGATION}]\na = {{ type = 'int', values = ['1'] }}", "expected values only of a string"),
    (f"[{NAVIGATION}]\nsections.values = ['a']", "expected values only of text"),
    (f"[{NAVIGATION}]\ntimestamp.aliases = ['at']", "expected no aliases of a documented timestamp"),
    ("structs.productContainer.fields.product.aliases = ['item']", "expected no aliases of a struct whose fields"),
    ("[structs.GEO.fields]\ngeodata = 'int'", "expected a key that cannot be a tag or the payload, found geodata"),
    ("[structs.GEO.fields]\nvisitid = 'int'", "found visitid; the name visitId exists"),
    ("[structs.Header.fields]\nCity = 'string'", "found City; the name city exists"),
    ("[structs.GEO.fields]\nrescued = 'string'", "found rescued; the name rescued exists"),
    ("[unions.date]", "line 1, unions.date: expected one of goalMetaData, data"),
    ("[unions.data.purchase]\nfields = { a = 'int' }", "expected no fields of a documented branch"),
    ("[unions.data.new]\ntags = ['x']", "expected the key fields of a new branch, found none"),
    ("[unions.data.type]\nfields = { a = 'int' }", "found one that is taken by type"),
    ("[unions.data.new]\nfields = { a = 'int' }\ntags = ['x.Lead']", "found x.Lead, which is a tag of lead"),
    ("[tables.Geo2]\npayload = 'a'", "expected a name of lower-case letters"),
    ("[tables.geo]\npayload='a'\ntags=['a']\nfields={a='int'}", "found that of a documented table"),
    ("[tables.visits]\npayload='a'\ntags=['a']\nfields={a='int'}", "found that of a documented view"),
    ("[tables.a]\ntags=['a']\nfields={a='int'}", "expected the key payload"),
    ("[tables.a]\npayload='a'\nfields={a='int'}", "expected the key tags"),
    ("[tables.a]\npayload='a'\ntags=['a']", "expected the key fields"),
    (
        "[tables.a]\npayload='a'\nkind='map'\ntags=['a']\nfields={a='int'}",
        "line 3, tables.a.kind: expected one of",
    ),
    ("[tables.a]\npayload='b'\ntags=['WebSessionGeoData']\nfields={a='int'}", "found 'geo', a tag of geo"),
    ("[tables.a]\npayload='impressions'\ntags=['b']\nfields={a='int'}", "found impressions, that of impression"),
    ("[tables.a]\npayload='rescued'\ntags=['b']\nfields={a='int'}", "found rescued, which each table has"),
    ("[tables.a]\npayload='b'\nkind='object'\ntags=['b']\nfields={b='int'}", "expected other keys than the payload's"),
    ("a = ]\n", "expected a TOML file, found an error: .*line 1"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_an_error_names_line_and_key(text: str, message: str) -> None:
    """Whatever contradicts the documented schema or itself is refused, with what was expected and found."""
    with pytest.raises(SchemaError, match=f"^more.toml.*{message}"):
        schema_of(text)


def test_structs_are_nested_six_levels_deep_at_most() -> None:
    """Decoders rely on a limit."""
    text = "'int'"
    for _ in range(5):
        text = f"{{ type = 'struct', fields = {{ a = {text} }} }}"
    schema_of(f"{NAVIGATION}.b = {text}")
    with pytest.raises(SchemaError, match="expected at most 6 structs in one another"):
        schema_of(f"{NAVIGATION}.b = {{ type = 'struct', fields = {{ a = {text} }} }}")


def test_a_documented_field_with_the_same_type_is_absorbed() -> None:
    """An extension may name a field that the documentation has by now, with the same type."""
    assert schema_of(f'{NAVIGATION}.url = "string"').tables["navigation"].schema == TABLES["navigation"].schema


def test_an_adopted_field_keeps_its_id_in_the_root() -> None:
    """If a later documented schema has the field, the files of the root still have the id of the extension."""
    kept = KeptExtension(f'{NAVIGATION}.url = "string"', {"navigation": {"navigationData.element.url": 10_000}})
    assert field_ids(kept.schema.tables["navigation"])["navigationData.element.url"] == 10_000


def test_lines_are_those_of_keys_in_any_notation(tmp_path: Path) -> None:
    """Headers, dotted keys, quoted keys and inline tables lead to the line of the innermost key outside of them."""
    text = '# a\n[a."b c"]\nd.e = 1\n\n[f]\ng = { h = 1,\n  i = [\n    2 ] }\n'
    assert line_of(text, ("a", "b c")) == 2
    assert line_of(text, ("a", "b c", "d", "e")) == 3
    assert line_of(text, ("f", "g", "i")) == 6
    assert line_of(text, ("z",)) == 1


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A missing file and one in another encoding are errors about the file."""
    with pytest.raises(SchemaError, match=r"no\.toml: expected an extension, a TOML file, found that No such file"):
        read_extension(tmp_path / "no.toml")
    (tmp_path / "odd.toml").write_bytes(b"\xff")
    with pytest.raises(SchemaError, match="it is not valid UTF-8"):
        read_extension(tmp_path / "odd.toml")
    assert read_extension(EXTENSION).hash == extension_schema().hash

"""The schema says what the documentation page says, in types that every engine reads."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from wsparquet.schema import TABLES, structs
from wsparquet.schema.fields import TIMESTAMP, Struct

ROW_COUNT = 167  # the rows of the page's field tables behind its JSON example, and two of a later version of the page

SCALARS = {
    "string": pa.string(),
    "long": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": structs.YMD_DATE.type,
}

TEXTS = pa.list_(pa.field("element", pa.string()))

OTHER_TYPES = {
    ("Navigation", "timestamp"): TIMESTAMP,  # the table says ISO text, the example has milliseconds; both are read
    ("Navigation", "sections"): TEXTS,  # described as a list, and one in the example
    ("Session Info", "sessionStartTime"): TIMESTAMP,  # long: milliseconds since 1970
    ("EligibilityData", "timestamp"): TIMESTAMP,  # long: milliseconds since 1970
    ("Impression", "timestamp"): TIMESTAMP,  # long: milliseconds since 1970
    ("GoalAchieved", "timestamp"): TIMESTAMP,  # long: milliseconds since 1970
    ("EligibleCampaign", "controlGroupType"): pa.string(),  # an enum: values that the page does not know are kept
}

CONTAINERS = {
    "eligibleCampaigns": ("list", "EligibleCampaign"),
    "campaign": ("struct", "Campaign"),
    "engagements": ("list", "Engagement"),
    "engagement": ("struct", "Engagement"),
    "goal": ("struct", "Goal"),
    "goalMetaData": ("union", ""),
    "visitorBehaviors": ("list", "Visitor Behavior"),
    "surveySkills": ("list", "Skill"),
    "cartStatus": ("struct", "CartStatus"),
    "cart": ("struct", "cart"),
    "products": ("list", "productContainer"),
    "product": ("struct", "product"),
    "customerAge": ("struct", "customerAge"),
    "contacts": ("list", "Contact"),
}

# The page describes one field in several ways; the struct has the words of another of its tables.
OTHER_WORDS = {
    ("Header (GEO)", "visitId"),
    ("Header (GEO)", "visitorId"),
    ("Header (EligibilityData)", "visitorId"),
    ("Header (Impression)", "visitorId"),
    ("Header (GoalAchieved)", "visitorId"),
    ("Header (Engagement Attributes)", "visitorId"),
    ("CartStatus", "products"),
}

# The page has the struct's table, but leaves it out where it lists what goalMetaData can be.
UNLISTED_GOAL_METADATA = {"IncreaseInteractionGoalMetadata"}

UNDOCUMENTED = {
    # only in the page's example
    ("MetaData", "accountId"),
    ("MetaData", "schemaVersion"),
    ("MetaData", "startTime"),
    ("MetaData", "endTime"),
    ("visitor profile", "id"),
    ("visitor profile", "revision"),
    ("Campaign", "id"),
    ("Campaign", "visitorProfiles"),
    ("Engagement Attributes", "timestamp"),
    ("Engagement Attributes", "data"),
    # only in the vendor's change log
    ("Impression", "controlGroup"),
}

UNDOCUMENTED_COLUMNS = {
    # only in the page's example
    "navigationData",
    "eligibilityData",
    "impressions",
    "achievedGoals",
    "engagementAttributes",
    # wsparquet's own
    "tag",
    "record",
    "metaData",
    "source_file",
    "record_number",
    "rescued",
}

NAMED_STRUCTS = """
    Header; GEO; Navigation; Session Info; EligibilityData; EligibleCampaign; Engagement; Visitor Behavior; Skill;
    Campaign; visitor profile; Goal; Impression; GoalAchieved; UrlGoalMetadata; PurchaseMetadata;
    ReduceAbandonmentGoalMetadata; IncreaseInteractionGoalMetadata; LeadMetaData; ServiceActivityMetaData;
    Engagement Attributes; Purchase; cart; productContainer; product; Lead; Customer Info; YMDDate; Personal Info;
    customerAge; Contact; CartStatus; ViewedProduct; ServiceActivity; VisitorError; MarketingCampaignInfo
"""

COLUMNS = {
    "geo": "iPV4 iPV6 country city state org isp countryCode",
    "navigation": "navigationData",
    "session_info": "sessionStartTime userAgent deviceOS deviceFamily siteControlGroup searchEngine searchEngineKey",
    "eligibility": "eligibilityData",
    "impression": "impressions",
    "goal_achieved": "achievedGoals",
    "engagement_attributes": "engagementAttributes",
    "unrecognized": "tag record",
}

METADATA_KEYS = {
    "doc", "documented_type", "source_name", "values", "aliases", "struct", "struct_aliases", "kind", "correction",
}  # fmt: skip


def normal(name: str) -> str:
    """A name as keys and tags are compared: ignoring case, blanks and underscores."""
    return name.replace(" ", "").replace("_", "").lower()


def metadata(field: pa.Field[Any]) -> dict[str, str]:
    """A field's metadata as text."""
    return {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}


ALL_STRUCTS = [value for value in vars(structs).values() if isinstance(value, Struct)]
BY_NAME = {normal(name): struct for struct in ALL_STRUCTS for name in (struct.name, *struct.aliases)}


@dataclass(frozen=True)
class Row:
    """One row of the page's field tables."""

    struct: str
    field: str
    documented_type: str
    description: str
    allowed_values: str

    @property
    def key(self) -> tuple[str, str]:
        """The table and the field, as the page spells them."""
        return self.struct, self.field

    @property
    def holder(self) -> Struct:
        """The struct that the row documents."""
        return BY_NAME["header" if self.struct.startswith("Header (") else normal(self.struct)]

    @property
    def column(self) -> pa.Field[Any]:
        """The struct's field that the row documents."""
        found = [field for field in self.holder.fields if normal(field.name) == normal(self.field)]
        assert len(found) == 1, f"{self.struct}.{self.field}: {len(found)} fields"
        return found[0]

    @property
    def values(self) -> dict[str, str]:
        """The allowed values with their meanings."""
        listed = self.allowed_values.split(";") if self.allowed_values else []
        return {value: meaning for value, _, meaning in (one.partition("=") for one in listed)}


def documented_rows() -> list[Row]:
    """Every row of the transcription, in the page's order."""
    with (Path(__file__).parents[1] / "data" / "documented_fields.csv").open(encoding="utf-8", newline="") as file:
        return [Row(**row) for row in csv.DictReader(file, strict=True)]


ROWS = documented_rows()
ROWS_OF = {
    struct: [row for row in ROWS if row.struct == struct] for struct in dict.fromkeys(row.struct for row in ROWS)
}
each_struct = pytest.mark.parametrize("rows", ROWS_OF.values(), ids=list(ROWS_OF))


def nodes(fields: Iterator[pa.Field[Any]] | list[pa.Field[Any]], path: str) -> Iterator[tuple[str, pa.Field[Any]]]:
    """Every node of a schema by its path, list elements too."""
    for field in fields:
        here = f"{path}.{field.name}"
        yield here, field
        if pa.types.is_struct(field.type):
            yield from nodes(field.type.fields, here)
        if pa.types.is_list(field.type):
            yield from nodes([field.type.value_field], here)


ALL_NODES = [node for table in TABLES.values() for node in nodes(list(table.schema), table.name)]


def test_the_transcription_is_whole() -> None:
    """Every row of the page is there, and none twice."""
    assert len(ROWS) == ROW_COUNT
    assert [key for key, count in Counter(row.key for row in ROWS).items() if count > 1] == []


# --- The page against the schema --------------------------------------------------------------------------------------


@each_struct
def test_a_documented_field_has_its_name(rows: list[Row]) -> None:
    """A field is spelled as on the page, or has the page's spelling as metadata."""
    for row in rows:
        assert metadata(row.column).get("source_name", row.column.name) == row.field


@each_struct
def test_a_documented_field_has_its_type(rows: list[Row]) -> None:
    """A field has the Arrow type that the documented one means."""
    for row in rows:
        assert metadata(row.column)["documented_type"] == row.documented_type
        if row.key in OTHER_TYPES:
            assert row.column.type == OTHER_TYPES[row.key] != SCALARS.get(row.documented_type.lower())
        elif row.documented_type.lower().endswith("container"):
            assert_container(row.column)
        else:
            assert row.column.type == SCALARS[row.documented_type.lower()]


def assert_container(column: pa.Field[Any]) -> None:
    """The column is a struct, a list of structs or a union, of the struct that its name means."""
    kind, name = CONTAINERS[column.name]
    holder = column.type.value_field if kind == "list" else column
    assert pa.types.is_list(column.type) == (kind == "list")
    assert pa.types.is_struct(holder.type)
    assert (metadata(holder).get("kind") == "union") == (kind == "union")
    if name:
        assert metadata(holder)["struct"] == BY_NAME[normal(name)].name
        assert holder.type.equals(BY_NAME[normal(name)].type, check_metadata=True)


@each_struct
def test_a_documented_field_has_its_description(rows: list[Row]) -> None:
    """A field has the page's words; where the page has several for it, those of one of them."""
    for row in rows:
        same = {other.description for other in ROWS if other.holder is row.holder and other.column is row.column}
        found = metadata(row.column)["doc"]
        assert found in same
        assert (found != row.description) == (row.key in OTHER_WORDS)


@each_struct
def test_a_documented_field_has_its_values(rows: list[Row]) -> None:
    """A field has the allowed values of the page, in its order, and no others."""
    for row in rows:
        if metadata(row.column).get("kind") == "union":
            branches = {normal(metadata(child)["struct"]) for child in row.column.type.fields if child.name != "type"}
            assert branches == {normal(name) for name in {*row.values, *UNLISTED_GOAL_METADATA}}
            continue
        found = json.loads(metadata(row.column).get("values", "{}"))
        assert list(found.items()) == list(row.values.items())


@pytest.mark.parametrize("struct", ALL_STRUCTS, ids=lambda struct: struct.name)
def test_fields_stand_in_the_order_of_the_page(struct: Struct) -> None:
    """Each of the page's tables has its fields in the struct's order."""
    names = [field.name for field in struct.fields]
    tables: dict[str, list[str]] = {}
    for row in ROWS:
        if row.holder is struct:
            tables.setdefault(row.struct, []).append(row.column.name)
    for table, found in tables.items():
        assert found == [name for name in names if name in found], table


def test_every_exception_is_one_of_a_row() -> None:
    """No exception stands for a row that is not there."""
    assert {*OTHER_TYPES, *OTHER_WORDS} <= {row.key for row in ROWS}
    used = {row.column.name for row in ROWS if row.documented_type.lower().endswith("container")}
    assert set(CONTAINERS) == used


# --- The schema against the page --------------------------------------------------------------------------------------


def test_every_field_is_documented_or_known_to_be_not() -> None:
    """A field of a struct claims a documented type if, and only if, the page has a row for it."""
    documented = {(row.holder.name, row.column.name) for row in ROWS}
    claimed = {
        (struct.name, field.name): "documented_type" in metadata(field)
        for struct in ALL_STRUCTS
        for field in struct.fields
    }
    assert {key for key, claim in claimed.items() if claim} == documented
    assert {key for key, claim in claimed.items() if not claim} == UNDOCUMENTED


def test_columns_outside_structs_claim_no_documentation() -> None:
    """A table's own columns and a union's children are known from elsewhere than the page's tables."""
    spread = (structs.HEADER, structs.GEO, structs.SESSION_INFO)
    inherited = {field.name for struct in spread for field in struct.fields}
    columns = {field.name: field for table in TABLES.values() for field in table.schema if field.name not in inherited}
    assert set(columns) == UNDOCUMENTED_COLUMNS
    unions = [field for _, field in ALL_NODES if metadata(field).get("kind") == "union"]
    assert len(unions) == 2
    children = [child for union in unions for child in union.type.fields]
    assert [field.name for field in (*columns.values(), *children) if "documented_type" in metadata(field)] == []


def test_every_struct_of_the_page_is_there_and_in_a_table() -> None:
    """The documented structs exist, and each is reached from a table."""
    names = [normal(name.strip()) for name in NAMED_STRUCTS.split(";")]
    assert len(names) == 36
    assert [name for name in names if name not in BY_NAME] == []
    reached = {metadata(field)["struct"] for _, field in ALL_NODES if "struct" in metadata(field)}
    reached |= {structs.HEADER.name} | {table.flat.name for table in TABLES.values() if table.flat}
    assert {struct.name for struct in ALL_STRUCTS} <= reached


@pytest.mark.parametrize("name", ["goalMetaData", "data"])
def test_a_union_names_its_branch_first(name: str) -> None:
    """A union is a struct of ``type``, then one struct a branch."""
    unions = [field for _, field in ALL_NODES if field.name == name and metadata(field).get("kind") == "union"]
    assert len(unions) == 1
    tag, *branches = unions[0].type.fields
    assert (tag.name, tag.type) == ("type", pa.string())
    expected = structs.GOAL_METADATA if name == "goalMetaData" else structs.ENGAGEMENT_ATTRIBUTE_DATA
    assert [(field.name, metadata(field)["struct"]) for field in branches] == [(key, of.name) for key, of in expected]
    assert all(pa.types.is_struct(field.type) for field in branches)


# --- What engines and the decoder need --------------------------------------------------------------------------------


def test_tables_are_those_of_the_design() -> None:
    """Every table has the header's columns, its payload's and the common ones, in that order."""
    first = ["visitId", "visitorId", "contextId"]
    last = ["metaData", "source_file", "record_number", "rescued"]
    expected = {name: [*first, *payload.split(), *last] for name, payload in COLUMNS.items()}
    assert {name: table.schema.names for name, table in TABLES.items()} == expected
    assert list(TABLES) == list(COLUMNS)
    assert [name for name, table in TABLES.items() if table.name != name] == []


def test_every_node_is_of_a_type_that_every_engine_reads() -> None:
    """Nodes are nullable; lists have ``element``; structs have children; leaves are of six types."""
    leaves = {pa.string(), pa.bool_(), pa.int32(), pa.int64(), pa.float64(), TIMESTAMP}
    for path, field in ALL_NODES:
        assert field.nullable, path
        if pa.types.is_list(field.type):
            assert field.type.value_field.name == "element", path
        elif pa.types.is_struct(field.type):
            assert field.type.num_fields > 0, path
        else:
            assert field.type in leaves, path


def levels() -> Iterator[tuple[str, list[pa.Field[Any]]]]:
    """Every level of every table: its columns, and the children of each struct."""
    for table in TABLES.values():
        yield table.name, list(table.schema)
    for path, field in ALL_NODES:
        if pa.types.is_struct(field.type):
            yield path, list(field.type.fields)


def test_names_are_unique_on_their_level() -> None:
    """No two keys of a level, aliases included, differ only by case, blanks or underscores."""
    for path, fields in levels():
        keys = {field.name: {field.name, *json.loads(metadata(field).get("aliases", "[]"))} for field in fields}
        counts = Counter(key for names in keys.values() for key in {normal(name) for name in names})
        assert [key for key, count in counts.items() if count > 1] == [], path


def test_a_tag_is_never_one_of_its_struct_s_fields() -> None:
    """An object of one key is a tag or a struct of one field, never either."""
    holders = [(path, field) for path, field in ALL_NODES if pa.types.is_struct(field.type)]
    named = [(path, field.type.fields, tag_names(field)) for path, field in holders if "struct" in metadata(field)]
    assert named
    named += [(of.name, of.fields, {normal(name) for name in (of.name, *of.aliases)}) for of in ALL_STRUCTS]
    for path, fields, tags in named:
        assert {normal(field.name) for field in fields} & tags == set(), path


def tag_names(field: pa.Field[Any]) -> set[str]:
    """The names that a tag around a field's value may bear."""
    found = metadata(field)
    return {normal(name) for name in (found["struct"], *json.loads(found.get("struct_aliases", "[]")))}


def test_tags_and_payload_names_mean_one_table() -> None:
    """Tags and payload names are written as they are compared, and each means one table only."""
    tags = [tag for table in TABLES.values() for tag in table.tags]
    payloads = [name for table in TABLES.values() for name in table.payload_names]
    assert [name for name in (*tags, *payloads) if name != normal(name) or not name] == []
    assert [tag for tag in tags if tag.startswith("websession") or tag.endswith("data")] == []
    assert [name for names in (tags, payloads) for name, count in Counter(names).items() if count > 1] == []


def test_a_payload_name_is_no_inline_field() -> None:
    """A body's key is the payload or one of its fields, never either."""
    payloads = {name for table in TABLES.values() for name in table.payload_names}
    inline = {normal(field.name) for table in TABLES.values() if table.flat for field in table.flat.fields}
    assert payloads & (inline | {"header"}) == set()


def test_metadata_is_what_the_schema_says_it_is() -> None:
    """Every node's metadata has known keys only, and those that are JSON parse to what they should be."""
    for path, field in ALL_NODES:
        found = metadata(field)
        assert set(found) <= METADATA_KEYS, path
        assert field.name == "element" or found["doc"].strip() == found["doc"] != "", path
        assert found.get("kind", "union") in {"union", "inline"}, path
        values = json.loads(found.get("values", "{}"))
        names = [*json.loads(found.get("aliases", "[]")), *json.loads(found.get("struct_aliases", "[]"))]
        assert isinstance(values, dict), path
        assert [word for word in (*values, *values.values(), *names) if not isinstance(word, str)] == [], path


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_table_s_schema_carries_its_description(table: Any) -> None:
    """The Arrow schema of a table has the table's words."""
    assert table.doc
    assert table.schema.metadata == {b"doc": table.doc.encode()}


CORRECTED = {
    ("Navigation", "timestamp"),
    ("Impression", "engagementInstanceId"),
    ("UrlGoalMetadata", "url"),
    ("Campaign", "surveySkills"),
}


def test_evident_mistakes_of_the_page_have_a_correction_beside_them() -> None:
    """The page's words stay, and a correction says what is right; no other field has one."""
    found = {
        (struct.name, field.name): metadata(field)
        for struct in ALL_STRUCTS
        for field in struct.fields
        if "correction" in metadata(field)
    }
    assert found.keys() == CORRECTED
    assert found["Impression", "engagementInstanceId"]["doc"] == "User agent."

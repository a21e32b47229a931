"""wsparquet/remote_schema: how a published schema differs from ours."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from typing import Any

import pytest

from tests.scale import scaled
from wsparquet.emulator.answers import own_schema
from wsparquet.errors import SchemaError
from wsparquet.remote_schema import compare_schema
from wsparquet.remote_schema.published import PublishedSchema


def record(schema: Any, name: str) -> dict[str, Any]:
    """The Avro record of a table."""
    found = next(each for each in schema if each["name"] == name)
    assert isinstance(found, dict)
    return found


def changed(change: Any) -> list[dict[str, Any]]:
    """Our schema with a change."""
    schema = copy.deepcopy(own_schema())
    change(schema)
    return schema


def test_our_own_schema_is_the_same() -> None:
    """All tables are found in it, and nothing differs."""
    found = compare_schema(own_schema())
    assert len(found.tables) == 7
    assert found.fields > 200
    assert found.differences == ()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda schema: {"schema": schema},
        lambda schema: {"schemas": [{"id": 1, "schema": json.dumps(each)} for each in schema]},
        json.dumps,
    ],
)
def test_however_it_is_wrapped(wrap: Any) -> None:
    """In an object, in text, in a list of texts."""
    assert compare_schema(wrap(own_schema())).differences == ()


def test_a_new_field_is_the_servers_only() -> None:
    """A field that we do not know is named with its type."""
    new = {"name": "brandNew", "type": ["null", "string"]}
    found = compare_schema(changed(lambda schema: record(schema, "geo")["fields"].append(new)))
    assert [(each.kind, each.table, each.server, each.ours) for each in found.differences] == [
        ("server_only", "geo", "string", None)
    ]
    assert "brandNew" in found.differences[0].path


def test_a_missing_field_is_ours_only() -> None:
    """A field that the server does not have is named."""

    def drop(schema: Any) -> None:
        fields = record(schema, "geo")["fields"]
        fields[:] = [field for field in fields if field["name"] != "country"]

    (found,) = compare_schema(changed(drop)).differences
    assert (found.kind, found.table, found.path.rpartition(".")[2]) == ("ours_only", "geo", "country")


def test_another_type_is_said_with_both() -> None:
    """A field of another type has both types in the difference."""

    def change(schema: Any) -> None:
        for field in record(schema, "geo")["fields"]:
            if field["name"] == "country":
                field["type"] = ["null", "long"]

    (found,) = compare_schema(changed(change)).differences
    assert (found.kind, found.server, found.ours) == ("type", "long", "string")


@pytest.mark.parametrize(
    "answer", [None, 3, "x", [], {}, {"type": "record"}, {"fields": 1, "type": "record"}, [[[[]]]]]
)
def test_what_is_no_schema_is_an_error(answer: Any) -> None:
    """Without any record there is nothing to compare, which is said."""
    with pytest.raises(SchemaError, match="Avro records"):
        compare_schema(answer)


def avro(name: str, *fields: tuple[str, Any], **others: Any) -> dict[str, Any]:
    """An Avro record whose fields may all be null."""
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": key, "type": ["null", kind]} for key, kind in fields],
        **others,
    }


def array(items: Any) -> dict[str, Any]:
    """An Avro array."""
    return {"type": "array", "items": items}


def texts(*names: str) -> list[tuple[str, Any]]:
    """Fields that are strings."""
    return [(name, "string") for name in names]


HEADER = avro("VisitorHeader", *texts("visitId", "visitorId", "contextId"))
DEVICES = {"type": "enum", "name": "DeviceOS", "symbols": ["NA", "WINDOWS", "CHROME_OS"]}


def container(*bodies: Any) -> dict[str, Any]:
    """A schema as files have it: a container of records whose body is one of several records."""
    metadata = avro("MetaData", *texts("accountId", "schemaVersion"), ("startTime", "long"), ("endTime", "long"))
    record = avro("DataRecord", ("body", list(bodies)))
    fields = [("dataType", "string"), ("metaData", metadata), ("recordCollection", array(record))]
    return avro("DataAccess", *fields, namespace="com.liveperson.dataaccess")


NAVIGATION = avro(
    "WebSessionNavigationData",
    ("header", HEADER),
    (
        "navigationData",
        array(avro("Page", ("Time_Stamp", "long"), *texts("url", "referrer Url", "title"), ("sections", "string"))),
    ),
)
GEO = avro(
    "WebSessionWhereabouts",
    ("header", "VisitorHeader"),
    ("place", avro("Place", *texts("iPV4", "iPV6", "country", "city", "state", "org", "isp", "countryCode", "planet"))),
)
SESSION = avro(
    "WebSessionInfoData",
    ("header", "com.liveperson.dataaccess.VisitorHeader"),
    ("sessionStartTime", "long"),
    *texts("userAgent", "search Engine", "deviceFamily", "siteControlGroup"),
    ("deviceOS", DEVICES),
    ("searchEngineKey", "int"),
)
LEADS = avro(
    "WebSessionEngAttrsData",
    ("header", "VisitorHeader"),
    (
        "engagementAttributes",
        array(
            avro(
                "Attribute",
                ("timestamp", "long"),
                (
                    "data",
                    [
                        avro("Lead", *texts("topic", "leadId"), ("value", "double")),
                        avro("Loyalty", ("tier", avro("Tier", *texts("name")))),
                        avro("ViewedProduct", ("products", array(avro("Product", *texts("name", "colour"))))),
                    ],
                ),
            )
        ),
    ),
)


def differences(schema: Any, *tables: str | None) -> list[tuple[str, str | None, str, str | None, str | None]]:
    """Every difference in some tables, in order."""
    found = compare_schema(schema).differences
    return [(each.kind, each.table, each.path, each.server, each.ours) for each in found if each.table in tables]


def test_bodies_are_compared_as_they_would_be_decoded() -> None:
    """Tables are found by tag or by fields, columns by key however it is spelt, and paths are those of rescue."""
    assert compare_schema(container(NAVIGATION, GEO, SESSION)).tables == ("geo", "navigation", "session_info")
    assert differences(container(NAVIGATION, GEO, SESSION), "geo", "navigation", "session_info", None) == [
        ("server_only", "geo", "$body.planet", "string", None),
        ("server_only", "navigation", "$.navigationData[*].title", "string", None),
        (
            "values",
            "session_info",
            "$.deviceOS",
            "CHROME_OS, NA, WINDOWS",
            "ANDROID, IOS, LINUX, MAC_OS, NA, WINDOWS",
        ),
        ("type", "session_info", "$.searchEngineKey", "int", "string"),
    ]


def test_a_table_that_is_not_there_is_one_difference() -> None:
    """What the server has no record for is said once, not field by field."""
    found = differences(container(NAVIGATION), "geo", "eligibility")
    assert found == [("ours_only", table, "$", None, "record type") for table in ("geo", "eligibility")]


def test_branches_of_a_union_and_inlined_products() -> None:
    """Branches are known by their names; a bare product is compared as the one of a product container."""
    at = "$.engagementAttributes[*].data"
    found = differences(container(HEADER, LEADS), "engagement_attributes")
    server, ours = ([each for each in found if each[0] == f"{side}_only"] for side in ("server", "ours"))
    assert len(found) == len(server) + len(ours)
    assert [(path, kind) for _, _, path, kind, _ in server] == [
        (f"{at}.Loyalty", "record Loyalty"),
        (f"{at}.viewedProduct.products[*].colour", "string"),
    ]
    branches = ("purchase", "cart", "customerInfo", "personalInfo", "serviceActivity", "visitorError")
    product = [f"viewedProduct.products[*].{name}" for name in ("product.category", "product.sku", "product.price")]
    missing = (*branches, *product, "viewedProduct.products[*].quantity", "marketingCampaignInfo")
    assert sorted(path for _, _, path, _, _ in ours) == sorted(f"{at}.{name}" for name in missing)


def test_what_surrounds_the_bodies_is_compared_too() -> None:
    """New fields of the container, its metaData, the record, a header and a body have the paths they are rescued by."""
    header = avro("VisitorHeader", *texts("visitId", "visitorId", "contextId", "deviceId"))
    schema = container(
        avro("WebSessionNavigationData", ("header", header), ("other", "int"), ("navigationData", "int"))
    )
    fields = schema["fields"]
    fields.append({"name": "batch", "type": "long"})
    fields[1]["type"][1]["fields"].append({"name": "region", "type": "string"})
    fields[2]["type"][1]["items"]["fields"].append({"name": "checksum", "type": "bytes"})
    assert differences(schema, None, "navigation") == [
        ("server_only", None, "$metaData.region", "string", None),
        ("server_only", None, "$container.batch", "long", None),
        ("server_only", None, "$record.checksum", "bytes", None),
        ("server_only", "navigation", "$header.deviceId", "string", None),
        ("server_only", "navigation", "$body.other", "int", None),
        ("type", "navigation", "$.navigationData", "int", "array of record"),
    ]


def test_only_the_outermost_unknown_record_is_said() -> None:
    """A record of another kind of data is one difference, whatever it holds, itself included."""
    inner = avro("Agent", ("id", "long"), ("manager", "Agent"), ("skills", array(avro("AgentSkill", *texts("name")))))
    found = differences(container(NAVIGATION, avro("AgentActivityData", ("agent", inner))), None)
    assert found == [("unknown_record", None, "com.liveperson.dataaccess.AgentActivityData", "record", None)]
    around = [avro("One", ("two", "Two")), avro("Two", ("one", "One"))]
    assert [each[2] for each in differences(around, None)] == ["One"]


def test_what_is_defined_before_its_use_is_still_inside() -> None:
    """In a list of schemas whose inner records come first, only outermost ones are tables or unknown."""
    location = avro("GeoLocation", *texts("iPV4", "iPV6", "country", "city", "state", "org", "isp", "countryCode"))
    geo = avro("WebSessionGeoData", ("header", HEADER), ("geo", "GeoLocation"))
    agents = [avro("Agent", ("id", "long")), avro("AgentActivityData", ("agent", "Agent"))]
    assert differences([location, geo, *agents], "geo", None) == [
        ("unknown_record", None, "AgentActivityData", "record", None)
    ]


def test_times_may_be_numbers_or_text() -> None:
    """A timestamp is documented as either, so neither is a difference; anything else is."""
    found = []
    for kind in ("long", "string", ["long", "string"], "int", "boolean"):
        page = avro("Page", ("timestamp", kind), *texts("url", "referrerUrl"), ("sections", array("string")))
        body = avro("WebSessionNavigationData", ("header", HEADER), ("navigationData", array(page)))
        found.append([each[3] for each in differences(body, "navigation")])
    assert found == [[], [], [], ["int"], ["boolean"]]


def test_a_struct_that_stands_alone_is_compared() -> None:
    """Records that no table leads to are compared with the structs of their name."""
    schema = [{"type": "record", "name": "x.YMDDate", "fields": [{"name": "year", "type": "string"}]}]
    assert differences(schema, None) == [
        ("type", None, "YMDDate.year", "string", "int"),
        ("ours_only", None, "YMDDate.month", None, "int"),
        ("ours_only", None, "YMDDate.day", None, "int"),
    ]


def test_names_are_looked_up_in_their_own_schema_first() -> None:
    """Two schemas in a list may each have a record of one name; neither is taken for the other's."""
    first = avro("Purchase", ("total", "double"), ("orderId", "string"), ("date", avro("Day", ("at", "int"))))
    second = avro("Lead", *texts("topic", "leadId"), ("value", avro("Day", ("at", "long"))), ("day", "Day"))
    third = avro("Contact", *texts("email", "phone"), ("day", array("Day")))
    found = differences([first, second, third], None)
    assert [each for each in found if each[0] == "server_only"] == [
        ("server_only", None, "Purchase.date", "record Day", None),
        ("server_only", None, "Lead.day", "record Day", None),
        ("server_only", None, "Contact.day", "array of record Day", None),
    ]
    days = [record for record in PublishedSchema([first, second, third]).records if record.name == "Lead"]
    (day,) = PublishedSchema([first, second]).records_of(days[0].fields[3].type)
    assert day.fields[0].type.written == ["null", "long"]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("int", "int"),
        (["null", "int", "string"], "int or string"),
        ({"type": {"type": {"type": "long", "logicalType": "timestamp-millis"}}}, "long"),
        (array(array(["null", "int"])), "array of array of int"),
        ({"type": "map", "values": "int"}, "map of int"),
        (["null"], "null"),
        (None, "null"),
        ("Nowhere", "Nowhere"),
        ({"type": 3}, '{"type": 3}'),
    ],
)
def test_a_type_is_said_in_few_words(written: Any, text: str) -> None:
    """Any type that may be written, sound or not, has words."""
    fields = [{"name": "country", "type": written}]
    published = PublishedSchema({"type": "record", "name": "Any", "fields": fields})
    assert published.text(published.records[0].fields[0].type) == text


def test_a_field_may_be_written_as_a_type_itself() -> None:
    """`{"name": …, "type": "array", "items": …}`, which is no Avro, is what was meant by it."""
    fields = [{"name": "navigationData", "type": "array", "items": avro("Page", *texts("url", "color"))}]
    schema = {"type": "record", "name": "WebSessionNavigationData", "fields": fields}
    assert ("server_only", "navigation", "$.navigationData[*].color", "string", None) in differences(
        schema, "navigation"
    )


def test_no_nesting_is_too_deep() -> None:
    """A type of a hundred thousand levels ends the comparison neither in a crash nor in silence."""
    deep: Any = "string"
    for _ in range(100_000):
        deep = [deep]
    schema = {
        "type": "record",
        "name": "geo",
        "fields": [{"name": "country", "type": deep}, {"name": "x", "type": deep}],
    }
    assert ("server_only", "geo", "$body.x", "string", None) in differences(schema, "geo")
    with pytest.raises(SchemaError, match="deeply nested"):
        compare_schema(deep)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in JSON values: an object or list, and a key or index of it."""
    found = []
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += places(inner)
    return found


ODD: tuple[Any, ...] = (
    None,
    True,
    3,
    "",
    "record",
    [],
    {},
    {"type": "record"},
    {"type": "enum", "symbols": 3},
    "\ud800",
    '[{"fields"',
)


@pytest.mark.parametrize("seed", range(scaled(1000, 100)))
def test_whatever_it_is_it_is_no_crash(seed: int) -> None:
    """A schema with parts exchanged for others or for nonsense is compared, or refused as none."""
    dice = random.Random(seed)
    schema = [json.loads(json.dumps(container(NAVIGATION, GEO, SESSION, LEADS)))]
    for _ in range(dice.randint(1, 6)):
        holder, key = dice.choice(places(schema))
        other = dice.choice(ODD) if dice.random() < 0.7 else dice.choice(places(schema))[0]
        holder[key] = copy.deepcopy(other)
    with contextlib.suppress(SchemaError):
        found = compare_schema(schema).to_dict()
        assert json.loads(json.dumps(found))["fields"] == found["fields"]

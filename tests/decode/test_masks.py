"""Whether both decoders mask what a policy names: columns, rescued values, and text outside of columns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.decode.conftest import DECODERS
from tests.decode.mutations import chunked, chunks, defective_text, mutated_text
from tests.decode.test_native import CASES, assert_same, many, needs_native, outcome
from tests.scale import scaled
from wsparquet.decode import Decoded, DecoderOptions, Limits, Report, make_decoder
from wsparquet.decode.masks import DROP, KEEP, Masks
from wsparquet.decode.reference.masking import network, short_url
from wsparquet.privacy.columns import all_columns
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.policy import Policy
from wsparquet.schema import TABLES

KEY = SecretKey(bytes.fromhex("00112233445566778899aabbccddeeff"))


def compiled(masks: dict[str, str] | None = None, **more: Any) -> Masks:
    """The masks of a policy, with a key."""
    found = Masks.of(Policy.make(masks, **more), KEY)
    assert found is not None
    return found


ALL = {name: min(column.actions) for name, column in all_columns().items() if column.actions}
"""The first suitable action of every column."""
LAST = {name: max(column.actions) for name, column in all_columns().items() if column.actions}

POLICIES = [
    compiled(presets=["pii", "network"]),
    compiled({"visitId": "hash", "geo.city": "redact", "navigationData.sections": "hash"}),
    compiled({"engagementAttributes.data.cart.products": "drop", "impressions.state": "redact"}, values="keep"),
    compiled(ALL, record="keep", quarantine="keep"),
    compiled(LAST),
]


def record(tag: str, inner: Any, **header: Any) -> dict[str, Any]:
    """A record of a body's tag."""
    body = {"header": {"com.x.Header": header}, **inner} if isinstance(inner, dict) else inner
    return {"body": {f"com.x.WebSession{tag}": body}}


Found = tuple[dict[str, Any], Decoded, Report]


def decoded(records: list[Any], masks: Masks | None, decoder: str, **outside: Any) -> Found:
    """The rows by table without the common columns but `rescued`, the rest of the output, and the report."""
    text = json.dumps({"metaData": {"accountId": "1"}, **outside, "recordCollection": records}).encode()
    machine = make_decoder(DecoderOptions("s.gz", masks=masks), decoder=decoder)
    first, last = machine.feed(text), machine.finish()
    rows: dict[str, Any] = {}
    for table, batch in (*first.batches, *last.batches):
        for row in batch.drop_columns(["metaData", "source_file", "record_number"]).to_pylist():
            row["rescued"] = None if row["rescued"] is None else json.loads(row["rescued"])
            rows.setdefault(table, []).append(row)
    return rows, Decoded(quarantined=(*first.quarantined, *last.quarantined)), machine.report


def rescued(inner: Any, masks: Masks, decoder: str, tag: str = "GeoData") -> Any:
    """The rescued values of one record."""
    rows, _, _ = decoded([record(tag, inner, visitorId="v")], masks, decoder)
    ((row,),) = rows.values()
    return row["rescued"]


# --- Both decoders do the same ----------------------------------------------------------------------------------------


@needs_native
@pytest.mark.parametrize("turn", range(scaled(len(POLICIES), 1)))
def test_both_decoders_mask_every_case_of_the_contract_alike(turn: int) -> None:
    """Every input of the contract, with every column masked in one way or another, has one result."""
    small = scaled(1 << 40, 50_000)
    for number, case in enumerate((case for case in CASES.values() if len(case.data) < small), turn):
        masks, limits = POLICIES[number % len(POLICIES)], Limits(**case.limits)
        reference = outcome([case.data], decoder="reference", limits=limits, masks=masks)
        assert_same(reference, outcome([case.data], decoder="native", limits=limits, masks=masks))


@needs_native
@many
@given(mutated_text() | defective_text(), chunks(), st.sampled_from(POLICIES))
def test_both_decoders_mask_changed_sources_alike(text: bytes, cuts: list[int], masks: Masks) -> None:
    """Sources whose keys, tags and values were changed at random have one result, in pieces of any size."""
    reference = outcome([text], decoder="reference", masks=masks)
    assert_same(reference, outcome(chunked(text, cuts), decoder="native", masks=masks))


@needs_native
@many
@given(st.one_of(st.ip_addresses().map(str), st.text("0123456789abcdef:.%/?#@\\ é", max_size=30)))
def test_both_decoders_truncate_alike(text: str) -> None:
    """Any text in a column of addresses and in one of URLs has one result in both decoders."""
    masks = compiled(presets=["network"])
    records = [
        record("GeoData", {"geo": {"iPV4": text}}),
        record("NavigationData", {"navigationData": [{"url": text}]}),
    ]
    found = [decoded(records, masks, name)[0] for name in DECODERS]
    assert found[0] == found[1]
    assert found[0]["geo"][0]["iPV4"] == network(text)
    assert found[0]["navigation"][0]["navigationData"][0]["url"] == short_url(text)


# --- Columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", DECODERS)
def test_each_action_does_what_it_says(decoder: str) -> None:
    """`hash` is the HMAC of the text and equal in all tables; nulls stay null; other columns stay as they are."""
    masks = compiled({"visitorId": "hash", "geo.iPV4": "truncate", "geo.city": "redact", "geo.org": "drop"})
    geo = {"iPV4": "203.0.113.77", "city": "Köln", "org": "ACME", "isp": "I"}
    records = [record("GeoData", {"geo": geo}, visitorId="v é"), record("NavigationData", {"navigationData": []})]
    records.append(record("NavigationData", {"navigationData": []}, visitorId="v é", visitId="1"))
    rows, _, _ = decoded(records, masks, decoder)
    hashed = KEY.digest("v é".encode())
    (first,) = rows["geo"]
    assert [first[name] for name in ("visitorId", "iPV4", "city", "org", "isp", "country")] == [
        hashed,
        "203.0.113.0",
        "redacted",
        None,
        "I",
        None,
    ]
    assert [(row["visitorId"], row["visitId"]) for row in rows["navigation"]] == [(None, None), (hashed, "1")]


@pytest.mark.parametrize("decoder", DECODERS)
def test_columns_of_every_type_are_dropped_at_any_depth(decoder: str) -> None:
    """Every maskable column of a table is null in every struct and element, and the structs and lists remain."""
    masks = compiled({f"engagementAttributes.data.{name}": "drop" for name in ("personalInfo", "cart.products")})
    info = {"name": "Eva", "customerAge": {"customerYearOfBirth": 1980}, "contacts": [{"email": "a"}, None]}
    cart = {"total": 5, "products": [{"quantity": 2, "product": {"price": 1.5}}]}
    data = [{"data": {"x.PersonalInfo": info}}, {"data": {"x.Cart": cart}}]
    rows, _, _ = decoded([record("EngAttrsData", {"engagementAttributes": data})], masks, decoder)
    first, second = (each["data"] for each in rows["engagement_attributes"][0]["engagementAttributes"])
    assert first["personalInfo"]["name"] is None
    assert first["personalInfo"]["contacts"] == [{"email": None, "phone": None}, None]
    assert first["personalInfo"]["customerAge"] == dict.fromkeys(first["personalInfo"]["customerAge"])
    assert second["cart"]["total"] == 5
    assert second["cart"]["products"][0] == {
        "quantity": None,
        "product": dict.fromkeys(["name", "category", "sku", "price"]),
    }


# --- Rescued values ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_masked_field_is_masked_in_rescued_by_its_path(decoder: str) -> None:
    """A second value, and a value of another type: a text as in the column, others by their JSON text."""
    masks = compiled({"visitorId": "hash", "geo.iPV4": "truncate", "geo.city": "redact", "geo.org": "drop"})
    geo = {"iPV4": "1.1.1.1", "IP_V4": "9.8.7.6", "i PV4": 5, "city": {"a": 1}, "org": 7, "isp": 8, "iPv4": None}
    found = rescued({"geo": geo}, masks, decoder)
    assert found == {
        "$.iPV4": "9.8.7.0",
        "$.iPV4#2": None,
        "$.iPV4#3": None,
        "$.city": "redacted",
        "$.org": None,
        "$.isp": 8,
    }
    tagged = rescued({"geo": {}, "Header": {"visitor_id": {"double": 1.50}}}, masks, decoder)
    assert tagged == {"$body.header": None}
    rows, _, _ = decoded([record("GeoData", {"geo": {}}, visitorId={"double": 1.5})], masks, decoder)
    assert rows["geo"][0]["rescued"] == {"$.visitorId": KEY.digest(b'{"double": 1.5}')}


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_masked_field_at_a_wrong_place_is_found_by_its_key(decoder: str) -> None:
    """Keys are compared as the decoder compares them, at any depth of an unknown value; other values stay."""
    masks = compiled({"visitorId": "hash", "engagementAttributes.data.personalInfo.contacts.email": "drop"})
    inner = {"geo": {"isp": "I", "other": [{"E_Mail": "a@b", "x": [1.50, {"VISITOR id": "v"}]}]}, "visitor_Id": "v"}
    found = rescued(inner, masks, decoder)
    hashed = KEY.digest(b"v")
    assert found == {"$body.visitor_Id": hashed, "$body.other": [{"E_Mail": None, "x": [1.5, {"VISITOR id": hashed}]}]}


def attribute(value: Any) -> tuple[str, Any]:
    """A body with one engagement attribute."""
    return "EngAttrsData", {"engagementAttributes": [value]}


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(
    ("tag", "inner", "path"),
    [
        (*attribute({"data": {"x.Unknown": {"mail": "a@b"}}}), "$.engagementAttributes[0].data"),
        (*attribute("a@b"), "$.engagementAttributes[0]"),
        ("EngAttrsData", {"engagementAttributes": [], "engagement_attributes": ["a@b"]}, "$.engagementAttributes"),
        ("EngAttrsData", {"engagementAttributes": [], "x": {"y": {"x.Personal Info": "a@b"}}}, "$body.x"),
        ("NavigationData", {"navigationData": [], "contacts": "a@b"}, "$body.contacts"),
        ("EngAttrsData", "a@b", "$body"),
    ],
)  # fmt: skip
def test_a_parent_of_a_masked_field_is_dropped(decoder: str, tag: str, inner: Any, path: str) -> None:
    """The form of a rescued struct or list is not the documented one, so the masked value can be anywhere in it."""
    masks = compiled({"engagementAttributes.data.personalInfo.contacts.email": "hash"})
    found = rescued(inner, masks, decoder, tag)
    assert list(found) == [path]
    assert "a@b" not in json.dumps(found)


@pytest.mark.parametrize("decoder", DECODERS)
def test_other_parents_are_kept(decoder: str) -> None:
    """A struct without masked fields, and fields of a table that has none, stay in `rescued`."""
    masks = compiled({"geo.city": "drop"})
    found = rescued({"navigationData": [{"title": "t"}, "text"], "city": "C"}, masks, decoder, "NavigationData")
    assert found == {"$.navigationData[0].title": "t", "$.navigationData[1]": "text", "$body.city": None}


def test_of_two_fields_with_one_key_the_strictest_action_counts() -> None:
    """`url` is truncated in one table and dropped in another, so a misplaced `url` is dropped."""
    masks = compiled({"navigation.navigationData.url": "truncate", "goal_achieved.achievedGoals.goalMetaData": "drop"})
    assert (masks.named("URL"), masks.named("title")) == (DROP, KEEP)


# --- Other text -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("kept", ["keep", "drop"])
def test_text_that_no_column_has_is_kept_or_dropped(decoder: str, kept: Any) -> None:
    """Quarantine, records of no table, and values of containers: the counts and places stay in any case."""
    masks = compiled({"visitorId": "hash"}, quarantine=kept, record=kept, values=kept)
    records = ["secret", record("Nothing", {"a": "secret"}, visitorId="v")]
    rows, output, report = decoded(records, masks, decoder, odd="secret")
    (row,) = rows["unrecognized"]
    (entry,) = output.quarantined
    assert (report.records, report.quarantined, entry.end - entry.start) == (2, 1, len('"secret"'))
    assert (row["visitorId"], row["tag"]) == (KEY.digest(b"v"), "com.x.WebSessionNothing")
    texts = (entry.data, row["record"], report.container_values[0]["values"]["$container.odd"])
    if kept == "drop":
        assert texts == (b"", None, "null")
    else:
        assert (texts[0], texts[2]) == (b'"secret"', '"secret"')
        assert json.loads(texts[1]) == records[1]


def test_the_masks_of_every_column_are_known_to_the_crate() -> None:
    """The crate finds each column by its path, so none is left out; the key is not part of the text."""
    masks = compiled(ALL)
    given = json.loads(masks.for_crate())
    assert {f"{each['table']}.{'.'.join(each['steps'])}" for each in given["columns"]} == {*ALL}
    assert set(given["paths"]) == {*TABLES}
    assert "" not in masks.names
    assert KEY.key.hex() not in masks.for_crate()

"""Whether both decoders make of drifted sources what the definition of an extension says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from random import Random
from typing import Any

import pytest

from tests.decode.contract import load_cases
from tests.decode.random_damage import cut
from tests.decode.test_native import assert_same, needs_native, outcome
from tests.drift import damaged_drifted, drifted, extension_schema
from tests.scale import scaled
from wsparquet.decode import Days, DecoderOptions, Limits, make_decoder
from wsparquet.schema import Schema
from wsparquet.schema.added_fields import documented_structs, documented_unions
from wsparquet.schema.extended import extended
from wsparquet.schema.extension import parse_extension


def _check_each(seeds: range, check: Callable[[int], None]) -> None:
    for seed in seeds:
        try:
            check(seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


@needs_native
def test_the_native_decoder_runs_an_extended_plan_as_the_definition_says() -> None:
    """The native decoder reads drifted records in one pass, and makes of them what decoding and promoting makes."""
    schema = extension_schema()

    def check(seed: int) -> None:
        text = drifted(Random(seed)).encode("utf-8", "surrogatepass")
        reference = outcome([text], decoder="reference", schema=schema)
        assert_same(reference, outcome([text], decoder="native", schema=schema))

    _check_each(range(scaled(20_000, 400)), check)


@needs_native
def test_damaged_drifted_text_is_the_same_for_both_however_it_is_cut() -> None:
    """Of damaged drifted sources, in one piece or in several, both decoders make the same with an extension."""
    schema = extension_schema()

    def check(seed: int) -> None:
        text = damaged_drifted(Random(seed))
        pieces = cut(seed, text)
        reference = outcome([text], decoder="reference", schema=schema)
        assert_same(reference, outcome(pieces, decoder="native", schema=schema))
        if seed % 4 == 0:  # the slow one not so often
            assert_same(reference, outcome(pieces, decoder="reference", schema=schema))

    _check_each(range(scaled(1_000, 100)), check)


@needs_native
def test_batches_and_late_metadata_do_not_matter() -> None:
    """However few rows a batch has, they are the same, also while records wait for their container's ``metaData``."""
    schema = extension_schema()

    def check(seed: int) -> None:
        head, collection = drifted(Random(seed)).strip().removesuffix("}").split('"recordCollection": ')
        text = f'{{"recordCollection": {collection}, {head[1:].rstrip(", ")}}}'.encode("utf-8", "surrogatepass")
        reference = outcome([text], decoder="reference", schema=schema)
        assert not isinstance(reference, str)
        for batch in (1, 1000):
            limits = Limits(batch_bytes=batch)
            assert_same(reference, outcome([text], decoder="native", limits=limits, schema=schema))

    _check_each(range(scaled(400, 25)), check)


HEADER = '"header": {"x.Header": {"visitId": {"string": "v"}}}'
NAVIGATION = f'"x.WebSessionNavigationData": {{{HEADER}, "navigationData": [%s]}}'
GEO = '"x.WebSessionGeoData": {%s}'
DATA = f'"x.WebSessionEngAttrsData": {{{HEADER}, "engagementAttributes": [{{"data": %s}}]}}'
PAGE = "$.navigationData[0]"

CASES = [
    (NAVIGATION % '{"title": {"string": "a"}}', "navigation", {"title": "a"}, {}),
    (NAVIGATION % '{"Title": "a", "ti_tle": "b"}', "navigation", {"title": "a"}, {f"{PAGE}.title": "b"}),
    (NAVIGATION % '{"title": null, "Title": "b"}', "navigation", {"title": None}, {f"{PAGE}.title": "b"}),
    (NAVIGATION % '{"Title": 5}', "navigation", {"title": None}, {f"{PAGE}.title": 5}),
    (NAVIGATION % '{"load time ms": {"long": 5}}', "navigation", {"loadTime": 5}, {}),
    (NAVIGATION % '{"pageUrl": "a"}', "navigation", {"url": "a"}, {}),
    (NAVIGATION % '{"pageUrl": "a", "url": "b"}', "navigation", {"url": "b"}, {f"{PAGE}.url": "a"}),
    (NAVIGATION % '{"url": "b", "pageUrl": "a"}', "navigation", {"url": "b"}, {f"{PAGE}.url": "a"}),
    (NAVIGATION % '{"pageUrl": "a", "url": null}', "navigation", {"url": "a"}, {}),
    (NAVIGATION % '{"url": {"string": null}, "pageUrl": "a"}', "navigation", {"url": "a"}, {}),
    (NAVIGATION % '{"url": 5, "pageUrl": "a"}', "navigation", {"url": None}, {f"{PAGE}.url": 5, f"{PAGE}.url#2": "a"}),
    (
        NAVIGATION % '{"viewport": {"x.V": {"width": 3, "depth": 1}}}',
        "navigation",
        {"width": 3},
        {
            f"{PAGE}.viewport.depth": 1,
        },
    ),
    (
        NAVIGATION % '{"tags": ["a", 5], "odd": 1}',
        "navigation",
        {"tags": ["a", None]},
        {
            f"{PAGE}.tags[1]": 5,
            f"{PAGE}.odd": 1,
        },
    ),
    (
        GEO % '"geo": {"timezone": "b", "city": "c"}, "timezone": "a"',
        "geo",
        {"timezone": "a", "city": "c"},
        {
            "$.timezone": "b",
        },
    ),
    (GEO % '"geo": {"city": "b"}, "town": "a", "odd": 1', "geo", {"city": "b"}, {"$.city": "a", "$body.odd": 1}),
    (GEO % '"header": {"x.Header": {"vid": "a", "appId": "b"}}, "geo": {}', "geo", {"visitId": "a", "appId": "b"}, {}),
    (
        DATA % '{"x.SurveyAnswer": {"score": 1.5, "odd": 2}}',
        "engagement_attributes",
        {"score": 1.5},
        {
            "$.engagementAttributes[0].data.survey.odd": 2,
        },
    ),
    (
        DATA % '{"x.SurveyAnswer": 5}',
        "engagement_attributes",
        {"survey": None},
        {
            "$.engagementAttributes[0].data.survey": 5,
        },
    ),
    (DATA % '{"x.CartV2": {"total": 2.5}}', "engagement_attributes", {"total": 2.5}, {}),
    (DATA % '{"imei": "1"}', "engagement_attributes", {"imei": "1", "survey": None}, {}),
    (
        DATA % '{"viewedProduct": {"products": [{"sku": "a", "gift": true}]}}',
        "engagement_attributes",
        {"product.sku": "a", "sku": None, "gift": True},
        {},
    ),
    (
        DATA % '{"viewedProduct": {"products": [{"product": {"color": "b"}, "sku": "a"}]}}',
        "engagement_attributes",
        {"color": "b", "sku": "a"},
        {},
    ),
    (f'"x.WebSessionCobrowseData": {{{HEADER}, "cobrowse": [{{"mode": "a"}}]}}', "cobrowse", {"mode": "a"}, {}),
    (f'"x.ScreenData": {{{HEADER}, "display": {{"width": 3}}}}', "screen", {"width": 3, "visitId": "v"}, {}),
    ('"x.WebSessionDeviceData": {"device": {"model": "a", "userAgent": "b"}}', "device", {"model": "a"}, {}),
    (
        '"x.WebSessionDeviceData": {"device": {"model": "a", "userAgent": "b", "deviceOS": "c"}}',
        "session_info",
        {"userAgent": "b"},
        {"$body.model": "a"},
    ),
    ('"x.Unheard": {"header": {"appId": "a"}}', "unrecognized", {"appId": "a", "tag": "x.Unheard"}, {}),
]


def _flat(value: Any, name: str = "", parent: str = "") -> Iterator[tuple[str, Any]]:
    """All values of a row by name, and by the names of parent and field; of a list, those of its last element."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, key, name)
    elif isinstance(value, list) and value and isinstance(value[-1], dict):
        yield from _flat(value[-1], name, parent)
    yield name, value
    yield f"{parent}.{name}", value


@pytest.mark.parametrize("decoder", ["reference", pytest.param("native", marks=needs_native)])
@pytest.mark.parametrize(("body", "table", "columns", "rescued"), CASES)
def test_the_rules_of_an_extension(
    body: str, table: str, columns: dict[str, Any], rescued: dict[str, Any], decoder: str
) -> None:
    """Documented keys win in any order, the first key of an extension wins, and the documented schema chooses."""
    text = f'{{"metaData": {{}}, "recordCollection": [{{"body": {{{body}}}}}]}}'
    found = outcome([text.encode()], decoder=decoder, schema=extension_schema())
    assert not isinstance(found, str)
    assert list(found.tables) == [table]
    (row,) = found.tables[table].to_pylist()
    values = dict(_flat(row))
    assert {name: values.get(name) for name in columns} == columns
    assert json.loads(found.rescued[table][0] or "{}") == rescued


@needs_native
def test_cut_in_two() -> None:
    """Cut in two, records with additions at every kind of place leave what they leave in one piece."""
    bodies = ", ".join(f'{{"body": {{{body}}}}}' for body, *_ in CASES)
    data = f'{{"metaData": {{"accountId": "7"}}, "recordCollection": [{bodies}]}}'.encode()
    reference = outcome([data], decoder="reference", schema=extension_schema())
    for at in range(0, len(data) + 1, scaled(2, 12)):
        assert_same(reference, outcome([data[:at], data[at:]], decoder="native", schema=extension_schema()))


@pytest.mark.parametrize("decoder", ["reference", pytest.param("native", marks=needs_native)])
def test_only_timestamps_of_new_tables_determine_days(decoder: str) -> None:
    """A new timestamp in a documented table moves no row; a row of a new table gets its day from its own timestamp."""
    later = 1_467_391_704_468
    bodies = (
        NAVIGATION % f'{{"openedAt": {later}, "viewport": {{"at": {later}}}}}',
        f'"x.WebSessionCobrowseData": {{{HEADER}, "cobrowse": [{{"startedAt": {{"long": {later}}}}}]}}',
        DATA % f'{{"x.SurveyAnswer": {{"answeredAt": {later}}}}}',
    )
    records = ", ".join(f'{{"body": {{{body}}}}}' for body in bodies)
    text = f'{{"metaData": {{"startTime": 1467291600000}}, "recordCollection": [{records}]}}'
    machine = make_decoder(DecoderOptions("s", days=Days.of(None), schema=extension_schema()), decoder=decoder)
    pieces = [machine.feed(text.encode()), machine.finish()]
    days = {table: day for piece in pieces for table, day, _ in piece.by_day()}
    assert days == {
        "navigation": date(2016, 6, 30),
        "cobrowse": date(2016, 7, 1),
        "engagement_attributes": date(2016, 6, 30),
    }


@needs_native
@pytest.mark.parametrize("name", list(load_cases()))
def test_what_no_source_has_changes_nothing(name: str) -> None:
    """Each case of the contract has the same rows, paths, quarantine and counts with an extension that it lacks."""
    case = load_cases()[name]
    limits = Limits(**case.limits)
    plain = outcome([case.data], decoder="native", limits=limits)
    later = outcome([case.data], decoder="native", limits=limits, schema=_unused())
    if isinstance(plain, str) or isinstance(later, str):
        assert later == plain
        return
    assert (later.rescued, later.quarantined, later.report) == (
        plain.rescued,
        plain.quarantined,
        plain.report,
    )
    for table, rows in plain.tables.items():
        assert repr([_without(row) for row in later.tables[table].to_pylist()]) == repr(rows.to_pylist())


def _without(value: Any) -> Any:
    """A row without the columns of the extension."""
    if isinstance(value, dict):
        return {key: _without(inner) for key, inner in value.items() if not key.startswith("unused")}
    return [_without(each) for each in value] if isinstance(value, list) else value


@lru_cache(maxsize=1)
def _unused() -> Schema:
    """The schema with two more fields in each struct, another branch in each union, and another table."""
    structs = [name for name in documented_structs() if name != "MetaData"]
    fields = [
        f'[structs."{name}".fields]\nunused{number} = "string"\nunusedAt{number} = "timestamp"\n'
        for number, name in enumerate(structs)
    ]
    unions = [f'[unions.{name}.unusedBranch]\nfields = {{ a = "int" }}\n' for name in documented_unions()]
    table = '[tables.unused]\ntags = ["Unused"]\npayload = "unused"\nfields = { a = "int" }\n'
    return extended(parse_extension("".join([*fields, *unions, table])))

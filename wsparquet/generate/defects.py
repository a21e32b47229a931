"""Defects: bad input that a file can contain without failing, and the outcome of each kind (docs/decoding.md).

Each kind has the text that it adds to a file, and the outcome that the contract requires. The text may contain slots,
which the module ``templates`` fills.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from wsparquet.generate.shapes import NAMESPACE, body_tag

__all__ = ["DEFECTS", "Defect", "Outcome", "metadata", "opening"]

Outcome = Literal["row", "rescued", "quarantined record", "item", "container value"]


@dataclass(frozen=True)
class Defect:
    """One kind of bad input.

    ``place``: with ``record``, the text replaces a record in a container; with ``between``, it consists of complete
    lines between containers, which may include containers. ``rows``: the number of added rows by table. ``paths``: the
    paths, with ``[*]`` for indices, of rescued values, or of container values that go to the commit record.
    ``undocumented``: the paths of enum values that are not in the documentation.
    """

    outcome: Outcome
    text: bytes
    place: Literal["record", "between"] = "record"
    rows: Mapping[str, int] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    undocumented: tuple[str, ...] = ()
    quarantined: int = 0
    items: int = 0
    containers: int = 0

    @property
    def records(self) -> int:
        """The number of records that the defect adds: rows plus quarantined records."""
        return sum(self.rows.values()) + self.quarantined

    @property
    def rescued(self) -> dict[str, Counter[str]]:
        """The number of values that the defect adds to ``rescued``, by table and path."""
        return {table: Counter(self.paths) for table in self.rows} if self.outcome == "rescued" else {}


# --- Text -------------------------------------------------------------------------------------------------------------

_VISIT = '"visitId":{"string":"{{visit}}"},"visitorId":{"string":"{{visitor}}"},"contextId":null'
_HEADER = f'"header":{{"{NAMESPACE}VisitorHeader":{{{_VISIT}}}}}'
_TIME = '"timestamp":{"long":"{{#ms}}"}'
_URL = '"url":{"string":"https://shop.example.com/p/{{d6}}.html"}'
_PGP = "-----BEGIN PGP MESSAGE-----\\n\\nhQEMA{{hex24}}AQf/{{hex24}}\\n=x9Kd\\n-----END PGP MESSAGE-----\\n"


def _struct(name: str, members: str) -> str:
    return f'{{"{NAMESPACE}{name}":{{{members}}}}}'


def _record(table: str, members: str, *, header: str = _HEADER) -> str:
    return f'{{"body":{_struct(body_tag(table), f"{header},{members}")}}}'


def _page(members: str) -> str:
    return _record("navigation", f'"navigationData":{{"array":[{{{_TIME},{members}}}]}}')


def _geo(members: str) -> str:
    return _record("geo", f'"geo":{_struct("GEO", members)}')


def _impression(members: str) -> str:
    return _record("impression", f'"impressions":{{"array":[{{{_TIME},{members}}}]}}')


def _engagement(members: str) -> str:
    return _impression(f'"engagement":{_struct("Engagement", members)}')


def _attribute(data: str) -> str:
    return _record("engagement_attributes", f'"engagementAttributes":{{"array":[{{{_TIME},"data":{data}}}]}}')


def _lead(members: str) -> str:
    return _attribute(_struct("Lead", members))


def _nested(levels: int, *, opener: str = "[", closer: str = "]", inner: str = "") -> str:
    """Return a record with a field nested to the given depth. The braces of the record are the first level."""
    return _page(_URL)[:-1] + ',"extra":' + opener * (levels - 1) + inner + closer * (levels - 1) + "}"


_GOOD = _page(_URL)


def metadata(account: str = '{"string":"{{account}}"}', *, end: str = '{"long":"{{#until}}"}', more: str = "") -> str:
    """Return the ``metaData`` of a container line, tagged as in real files."""
    members = f'"accountId":{account},"schemaVersion":"1.0.0.22","startTime":{{"long":"{{{{#hour}}}}"}},"endTime":{end}'
    return _struct("MetaData", members + more)


def opening(meta: str, *, data_type: str = "WebSession") -> str:
    """Return the start of a container line: two members and the key of the collection."""
    kind = f'{{"{NAMESPACE}DataTypeEnum":"{data_type}"}}'
    return f'{{"dataType":{kind},"metaData":{meta},"recordCollection":'


def _container(*records: str, meta: str | None = None, more: str = "") -> str:
    collection = f'{{"array":[{",".join(records)}]}}'
    return f"{opening(meta or metadata())}{collection}{more}}}\n"


# --- Kinds of entries -------------------------------------------------------------------------------------------------


def _row(text: str, table: str, *undocumented: str) -> Defect:
    return Defect("row", text.encode(), rows={table: 1}, undocumented=undocumented)


def _rescued(text: str, table: str, *paths: str) -> Defect:
    return Defect("rescued", text.encode(), rows={table: 1}, paths=paths)


def _page_rescued(members: str, *keys: str) -> Defect:
    return _rescued(_page(members), "navigation", *(f"$.navigationData[*]{key}" for key in keys))


def _engagement_rescued(members: str, *keys: str) -> Defect:
    return _rescued(_engagement(members), "impression", *(f"$.impressions[*].engagement.{key}" for key in keys))


def _data_rescued(data: str, *keys: str) -> Defect:
    paths = (f"$.engagementAttributes[*].data{key}" for key in keys)
    return _rescued(_attribute(data), "engagement_attributes", *paths)


def _quarantined(text: str | bytes) -> Defect:
    encoded = text.encode() if isinstance(text, str) else text
    return Defect("quarantined record", encoded, quarantined=1)


def _line(text: str | bytes) -> Defect:
    encoded = text.encode() if isinstance(text, str) else text
    return Defect("item", encoded + b"\n", place="between", items=1)


def _broken_container(tail: str, *, rows: int = 1) -> Defect:
    """Return a container with a correct record, then damaged text, and ``rows`` correct records altogether."""
    text = f'{opening(metadata())}{{"array":[{_GOOD},{tail}\n'
    return Defect("item", text.encode(), place="between", rows={"navigation": rows}, items=1, containers=1)


def _containers(text: str, *paths: str, count: int = 1, rows: int = 1) -> Defect:
    outcome: Outcome = "container value" if paths else "row"
    found = {"navigation": rows} if rows else {}
    return Defect(outcome, text.encode(), place="between", rows=found, paths=paths, containers=count)


# --- The table --------------------------------------------------------------------------------------------------------


def _unknown() -> Iterator[tuple[str, Defect]]:
    """Yield defects with undocumented fields, branches, bodies, and values."""
    yield "unknown_field", _page_rescued(_URL + ',"title":{"string":"Home"}', ".title")
    yield "unknown_null_field", _page_rescued(_URL + ',"title":null', ".title")
    yield "unknown_field_twice", _page_rescued(_URL + ',"k":1,"k":[2.50]', ".k", ".k")
    yield "markup_field", _page_rescued(_URL + ',"[/x]":{"string":"[bold]"}', "['[/x]']")
    yield "control_field", _page_rescued(_URL + ',"\\u001b[31mred":1', "['\\u001b[31mred']")
    yield "unknown_record_field", _rescued(_GOOD[:-1] + ',"revision":{"int":7}}', "navigation", "$record.revision")
    mixed = _record("navigation", '"navigationData":{"array":[]},"mix":{"string":"web"}')
    yield "unknown_body_field", _rescued(mixed, "navigation", "$body.mix")
    tenant = '"header":' + _struct("VisitorHeader", _VISIT + ',"tenant":{"string":"eu"}')
    strange = _record("navigation", '"navigationData":null', header=tenant)
    yield "unknown_header_field", _rescued(strange, "navigation", "$header.tenant")
    continent = _geo('"country":{"string":"France"},"continent":{"string":"Europe"}')
    yield "unknown_payload_field", _rescued(continent, "geo", "$body.continent")
    yield "unknown_branch", _data_rescued(_struct("LoyaltyInfo", '"tier":{"string":"gold"}'), "")
    goal = f'"achievedGoals":{{"array":[{{{_TIME},"goalMetaData":{_struct("ShareMetadata", _URL)}}}]}}'
    unknown_goal = _record("goal_achieved", goal)
    yield "unknown_goal_branch", _rescued(unknown_goal, "goal_achieved", "$.achievedGoals[*].goalMetaData")
    cobrowse = _struct("WebSessionCobrowseData", _HEADER + ',"cobrowse":{"array":[{"mode":{"string":"shared"}}]}')
    yield "unknown_body", _row(f'{{"body":{cobrowse}}}', "unrecognized")
    hover = _impression('"impressionType":{"string":"Hover"},"state":{"string":"0"}')
    paths = ("$.impressions[*].impressionType", "$.impressions[*].state")
    yield "undocumented_values", _row(hover, "impression", *paths)


def _wrong_kinds() -> Iterator[tuple[str, Defect]]:
    """Yield defects with values of the wrong type, at every kind of position."""
    yield "text_for_integer", _engagement_rescued('"skillId":{"string":"11"}', "skillId")
    yield "text_for_boolean", _engagement_rescued('"isOffsiteEngagement":{"string":"false"}', "isOffsiteEngagement")
    yield "integer_for_boolean", _engagement_rescued('"isOffsiteEngagement":{"int":0}', "isOffsiteEngagement")
    yield "number_for_text", _page_rescued('"url":{"long":20}', ".url")
    yield "object_for_text", _page_rescued('"url":{"host":"x","path":"/"}', ".url")
    yield "list_for_text", _page_rescued('"url":{"array":["x"]}', ".url")
    campaign = "$.impressions[*].campaign"
    yield "scalar_for_struct", _rescued(_impression('"campaign":{"string":"x"}'), "impression", campaign)
    yield "list_for_struct", _rescued(_impression('"campaign":{"array":[{}]}'), "impression", campaign)
    yield "scalar_for_list", _engagement_rescued('"visitorBehaviors":{"int":3}', "visitorBehaviors")
    yield "object_for_list", _engagement_rescued('"surveySkills":{"id":{"long":1},"name":null}', "surveySkills")
    yield "scalar_in_list", _page_rescued('"url":null},7,{' + _URL, "")
    yield "number_in_texts", _page_rescued(_URL + ',"sections":{"array":["home",5]}', ".sections[*]")
    yield "scalar_for_union", _data_rescued('{"string":"lead"}', "")
    two = f'{{"{NAMESPACE}Lead":{{"leadId":null}},"{NAMESPACE}Purchase":null}}'
    yield "two_branches", _data_rescued(two, "")
    yield "scalar_for_branch", _data_rescued(f'{{"{NAMESPACE}Lead":"LEAD1"}}', ".lead")
    number = _record("navigation", '"navigationData":5')
    yield "scalar_for_payload", _rescued(number, "navigation", "$.navigationData")
    yield "scalar_for_geo", _rescued(_record("geo", '"geo":"France"'), "geo", "$body.geo")
    headless = _record("navigation", f'"navigationData":{{"array":[{{{_URL}}}]}}', header='"header":"none"')
    yield "scalar_for_header", _rescued(headless, "navigation", "$body.header")
    yield (
        "scalar_for_body_struct",
        _rescued(f'{{"body":{{"{NAMESPACE}{body_tag("navigation")}":5}}}}', "navigation", "$body"),
    )


def _out_of_range() -> Iterator[tuple[str, Defect]]:
    """Yield defects with numbers, times, and texts out of range, and with encrypted values."""
    yield "past_int32", _engagement_rescued('"skillId":{"int":2147483648}', "skillId")
    yield "past_int64", _engagement_rescued('"id":{"long":9223372036854775808}', "id")
    yield "below_int64", _engagement_rescued('"id":{"long":-9223372036854775809}', "id")
    yield "long_integer", _engagement_rescued('"id":{"long":' + "9" * 400 + "}", "id")
    yield "fraction_for_integer", _engagement_rescued('"skillId":{"int":1.5}', "skillId")
    yield "past_double", _data_rescued(_struct("Lead", '"value":{"double":1e400}'), ".lead.value")
    yield "inexact_double", _data_rescued(_struct("Lead", '"value":{"double":9007199254740993}'), ".lead.value")
    yield "bare_nan", _data_rescued(_struct("Lead", '"value":{"double":NaN}'), ".lead.value")
    yield "bare_infinity", _data_rescued(_struct("Lead", '"value":{"double":-Infinity}'), ".lead.value")
    yield "year_292278994", _page_rescued(_URL + '},{"timestamp":{"long":9223372036854775807}', ".timestamp")
    yield "time_in_seconds", _page_rescued(_URL + '},{"timestamp":{"long":1467291704}', ".timestamp")
    yield "time_as_words", _page_rescued(_URL + '},{"timestamp":{"string":"yesterday"}', ".timestamp")
    yield "encrypted_double", _data_rescued(_struct("Lead", f'"value":{{"string":"{_PGP}"}}'), ".lead.value")
    yield "encrypted_time", _page_rescued(_URL + f'}},{{"timestamp":{{"string":"{_PGP}"}}', ".timestamp")
    yield "lone_surrogate", _page_rescued('"url":{"string":"https://x.example/\\ud83d"}', ".url")
    yield "lone_surrogate_key", _page_rescued(_URL + ',"\\udc00":1', "['\\udc00']")


def _keys() -> Iterator[tuple[str, Defect]]:
    """Yield defects with duplicate keys, exactly equal or equal after normalization."""
    yield "duplicate_key", _page_rescued(_URL + ',"url":{"string":"second"}', ".url")
    yield "colliding_key", _page_rescued(_URL + ',"U_R L":{"string":"second"}', ".url")
    yield "duplicate_after_null", _page_rescued('"url":null,' + _URL, ".url")


def _quarantined_records() -> Iterator[tuple[str, Defect]]:
    """Yield defects whose records go to quarantine without affecting other records."""
    for name, body in (("null", "null"), ("empty", "{}"), ("scalar", "5"), ("text", '"none"'), ("list", "[{}]")):
        yield f"body_{name}", _quarantined(f'{{"body":{body}}}')
    yield "body_absent", _quarantined(f"{{{_HEADER}}}")
    two = _GOOD[len('{"body":{') : -2]
    yield "body_several_keys", _quarantined(f'{{"body":{{{two},{two.replace("Navigation", "Geo")}}}}}')
    for name, text in (("null", "null"), ("scalar", "-1.5e3"), ("text", '"record"'), ("list", "[1,[2]]")):
        yield f"record_{name}", _quarantined(text)
    yield "nested_129", _quarantined(_nested(129))
    yield "nested_200", _quarantined(_nested(200, opener='{"a":', closer="}", inner="1"))
    yield "nested_10000", _quarantined(_nested(10_000, opener='{"a":', closer="}", inner="null"))
    yield "nested_10000_lists", _quarantined(_nested(10_000))
    yield "invalid_utf8", _quarantined(_page('"url":{"string":"x"}').encode().replace(b'"x"', b'"caf\xe9 \xff\xfe"'))
    yield "missing_value", _quarantined(_page('"url":'))
    yield "bare_word", _quarantined(_page('"url":{"string":None}'))
    yield "bad_escape", _quarantined(_page('"url":{"string":"C:\\x"}'))
    yield "leading_zero", _quarantined(_page('"timestamp":{"long":007}'))
    yield "raw_tab", _quarantined(_page('"url":{"string":"a\tb"}'))


def _nesting_allowed() -> Iterator[tuple[str, Defect]]:
    yield "nested_128", _rescued(_nested(128), "navigation", "$record.extra")


def _between() -> Iterator[tuple[str, Defect]]:
    """Yield defects with text between records."""
    # The text is empty, which causes two adjacent commas, or a comma after the opening bracket.
    yield "stray_comma", Defect("item", b"", items=1)
    yield "garbage_line", _line("java.io.IOException: Broken pipe")
    yield "garbage_brackets", _line("}]]{[")
    yield "garbage_bytes", _line(b"\x00\x00\xff\xfe\x9c\x1b[0m")
    yield "garbage_markup", _line("<html><body>503 Service Unavailable</body></html>")
    yield "scalar_outside", _line("42")
    yield "text_outside", _line('"done"')
    yield "null_outside", _line("null")
    yield "list_outside", _line("[1,2,[3]]")
    yield "object_outside", _line('{"status":{"string":"ok"}}')
    yield "cut_line", _broken_container(_GOOD.partition("shop.")[0])
    yield "mismatched_brackets", _broken_container(f'{{"body":{{"x":[}}}},{_GOOD}]}}}}', rows=2)
    yield "unterminated_string", _broken_container('{"body":{"x":"no end}},{body:{}}]}}')


def _containers_values() -> Iterator[tuple[str, Defect]]:
    """Yield defects with container values that fit no column, and with unusual containers that lose nothing."""
    yield (
        "unknown_container_field",
        _containers(_container(_GOOD, more=',"exportId":{"long":7}'), "$container.exportId"),
    )
    strange = metadata(more=',"region":"eu","[/x]":null')
    yield (
        "unknown_metadata_field",
        _containers(_container(_GOOD, meta=strange), "$metaData.region", "$metaData['[/x]']"),
    )
    again = metadata(more=',"accountId":{"string":"99999999"}')
    yield "duplicate_metadata_field", _containers(_container(_GOOD, meta=again), "$.metaData.accountId")
    numeric = metadata('{"long":75555851}')
    yield "number_for_account", _containers(_container(_GOOD, meta=numeric), "$.metaData.accountId")
    endless = metadata(end='{"long":9223372036854775807}')
    yield "metadata_far_time", _containers(_container(_GOOD, meta=endless), "$.metaData.endTime")
    yield "metadata_scalar", _containers(_container(_GOOD, meta='"none"'), "$container.metaData")
    scalar = opening(metadata()) + '{"string":"none"}}\n'
    yield "collection_scalar", _containers(scalar, "$container.recordCollection", rows=0)
    yield "collection_null", _containers(opening(metadata()) + "null}\n", rows=0)
    last = f'{{"recordCollection":{{"array":[{_GOOD}]}},"metaData":{metadata()}}}\n'
    yield "metadata_last", _containers(last)
    side_by_side = _container(_GOOD).rstrip() + _container(_GOOD, _GOOD)
    yield "two_on_a_line", _containers(side_by_side, count=2, rows=3)


DEFECTS: dict[str, Defect] = {
    name: defect
    for kind in (
        _unknown,
        _wrong_kinds,
        _out_of_range,
        _keys,
        _nesting_allowed,
        _quarantined_records,
        _between,
        _containers_values,
    )
    for name, defect in kind()
}
"""All kinds of defects by name."""

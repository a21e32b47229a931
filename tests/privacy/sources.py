"""Sources with a value in every masked column and at every odd place, each of which can be found again."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pyarrow as pa

from wsparquet.privacy.columns import Column, all_columns
from wsparquet.schema import TABLES

__all__ = ["LEAK", "NUMBERS", "VISITORS", "policy_masks", "source"]

LEAK = "l3ak"
"""A part of every text that must not be in a root, in lower case."""

NUMBERS: dict[str, int] = {}
"""The numbers that must not be in a root, by path. Each has nine digits."""

VISITORS = ["l3ak visitor 1", "l3ak visitor 2"]

TAGS = {
    "geo": "GeoData", "navigation": "NavigationData", "session_info": "SessionInfoData", "eligibility":
    "EligibilityData", "impression": "ImpressionData", "goal_achieved": "GoalAchievedData", "engagement_attributes":
    "EngAttrsData",
}  # fmt: skip
TIME = 1_467_291_704_468

_numbers = count(734_567_101, 13)
_texts = count()


def policy_masks() -> dict[str, str]:
    """A mask for every column that can be masked, of each kind in turn."""
    found = [column for column in all_columns().values() if column.actions and column.path not in {"rescued", "record"}]
    return {column.name: _action(column, number) for number, column in enumerate(found)}


def _action(column: Column, number: int) -> str:
    if column.path == "visitorId":
        return "hash"
    if column.truncate:
        return "truncate"
    return column.actions[number % len(column.actions)]


def value_of(field: pa.Field[Any], path: str, time: int) -> Any:
    """A value for a field, whose texts and numbers can be found again. A union has all branches."""
    kind = field.type
    if isinstance(kind, pa.StructType):
        return {child.name: value_of(child, f"{path}.{child.name}", time) for child in kind.fields}
    if isinstance(kind, pa.ListType):
        return [value_of(kind.value_field, path, time)]
    if pa.types.is_timestamp(kind):
        return time
    if pa.types.is_boolean(kind):
        return True
    if pa.types.is_string(kind):
        return _text(path)
    if path not in NUMBERS:
        NUMBERS[path] = next(_numbers)
    return NUMBERS[path] + (0.5 if pa.types.is_floating(kind) else 0)


def _text(path: str) -> str:
    if path.endswith("iPV4"):
        return "203.0.113.173"
    if path.endswith("iPV6"):
        return "2001:db8:17:13a4::13a5"
    if path.lower().endswith("url"):
        return f"https://{LEAK}:{LEAK}@shop.example/cart?mail={LEAK}{next(_texts)}#{LEAK}"
    return f"{LEAK}{next(_texts)}"


ADDRESSES = ("203.0.113.173", ":17:13a4")
"""The parts of addresses that must not be in a root."""


def _record(table: str, payload: Any, number: int, **beside: Any) -> dict[str, Any]:
    header = {"visitId": f"{LEAK} visit {number}", "visitorId": VISITORS[number % 2], "contextId": f"{LEAK} context"}
    return {"body": {f"com.x.WebSession{TAGS[table]}": {"header": {"x.Header": header}, **payload, **beside}}}


def _payloads(table: str, time: int) -> list[dict[str, Any]]:
    """The payloads of a table: one for each branch of each union, or one."""
    of = TABLES[table]
    if of.flat is not None:
        return [{of.payload_names[0]: {field.name: value_of(field, field.name, time) for field in of.payload}}]
    (field,) = of.payload
    filled = value_of(field, field.name, time)
    (element,) = filled
    union = next((name for name in ("data", "goalMetaData") if name in element), None)
    if union is None:
        return [{field.name: filled}]
    branches = [(name, value) for name, value in element[union].items() if name != "type"]
    return [{field.name: [{**element, union: {f"x.{name}": value}}]} for name, value in branches]


def odd_records() -> list[Any]:
    """Records whose masked values are in `rescued`, in quarantine, or in `unrecognized`."""
    info = {"name": {"deep": [f"{LEAK} name"]}, "contacts": [f"{LEAK} contact", {"email": 5, "E mail": f"{LEAK}@x"}]}
    odd = [
        _record("geo", {"geo": f"{LEAK} geo"}, 0, visitor_ID=f"{LEAK} beside"),
        _record("geo", {"geo": {"city": {"x": f"{LEAK} city"}, "City": f"{LEAK} city"}}, 1),
        _record("navigation", {"navigationData": [{"url": [f"{LEAK} url"], "sections": [[LEAK]]}, LEAK]}, 0),
        _record("engagement_attributes", {"engagementAttributes": [{"data": {"x.PersonalInfo": info}}]}, 1),
        _record("engagement_attributes", {"engagementAttributes": [{"data": {"x.New": {"name": LEAK}}}]}, 1),
        {"body": {"x.WebSessionGeoData": f"{LEAK} body"}, "Body": {"x.WebSessionGeoData": {"visitorId": LEAK}}},
        {"body": {"x.WebSessionUnheardOf": {"header": {"visitorId": VISITORS[0]}, "name": f"{LEAK} record"}}},
        {"nobody": f"{LEAK} quarantine"},
        f"{LEAK} scalar",
    ]
    return [*odd, {"body": {"x.WebSessionGeoData": {"header": f"{LEAK} header", "geo": {}}}}]


def source(hour: int = 0) -> bytes:
    """The text of a source, with damaged text at its end."""
    time = TIME + 3_600_000 * hour
    rows = [(table, number) for table in TAGS for number in range(3)]
    records = [_record(table, payload, number) for table, number in rows for payload in _payloads(table, time)]
    container = {
        "metaData": {"accountId": "75555851", "startTime": TIME, "person": f"{LEAK} metaData"},
        "owner": f"{LEAK} container",
        "recordCollection": [*records, *odd_records()],
    }
    return json.dumps(container).encode() + f'\n{{"dataType": "{LEAK} item\n{LEAK} line'.encode()

"""Containers of a later version of the source: generated records with keys, tags and bodies that the page lacks.

Some are in the extension ``tests/extensions.toml``, others in none. What fits is in the minority, on purpose.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from tests.decode.mutations import Members, Raw, dump
from tests.decode.random_damage import damage
from wsparquet.generate import records
from wsparquet.schema import Schema
from wsparquet.schema.extended import extended
from wsparquet.schema.extension import parse_extension

__all__ = ["EXTENSION", "damaged_drifted", "drifted", "drifted_record", "extension_schema"]

EXTENSION = Path(__file__).with_name("extensions.toml")

KEYS = tuple(
    """title|Title|ti_tle|loadTime|load time ms|tags|viewport|clicks|pageUrl|page url|url|tabs|sections|openedAt|appId
app_id|vid|visitId|timezone|town|city|seenAt|geo|language|browser|userAgent|sku|gift|color|name|score|behaviours
visitorBehaviors|label|eng|engagement|width|height|at|x|id|screen|display|device|unheard|body|question|answeredAt|imei
product|deviceOS|header|mode|model|dpi|cobrowse|data""".replace("\n", "|").split("|")
)
TAGS = (
    *("x.SurveyAnswer", "SurveyAnswer", "survey", "x.CartV2", "CartV2", "x.Cart", "x.ImeiGoal", "imei", "x.Unheard"),
    *("x.Engagement", "string", "long", "array", "x.WebSessionCobrowseData", "x.WebSessionDeviceData", "x.ScreenData"),
    *("cobrowse", "x.WebSessionGeoData", "screen"),
)
SCALARS = (
    *('"a"', '"2016-06-30T12:34:56Z"', "5", "7.5", "true", "null", "1467291704468", '"CHROME_OS"', '"0"', "1e999"),
    *('"\\ud800"', "[]", "{}", '"\ufdd0"', "9223372036854775808", "NaN", '{"string": null}', '{"long": 3}'),
)


NEAR = {
    "referrerUrl": (
        "title",
        "Title",
        "loadTime",
        "load time ms",
        "tags",
        "viewport",
        "clicks",
        "pageUrl",
        "tabs",
        "openedAt",
    ),
    "visitorId": ("appId", "vid", "app_id"),
    "country": ("timezone", "town", "seenAt", "Timezone"),
    "deviceOS": ("language", "browser"),
    "quantity": ("sku", "gift", "color"),
    "price": ("color", "Color"),
    "renderingType": ("score", "label", "behaviours"),
    "campaignGoalType": ("score",),
    "goal": ("eng",),
}
"""Keys of the extension that fit the struct with a documented key."""

FITTING = {
    **dict.fromkeys(
        ("title", "Title", "pageUrl", "appId", "app_id", "vid", "timezone", "Timezone", "town"), ('"a"', "null")
    ),
    **dict.fromkeys(("language", "browser", "sku", "color", "Color", "label"), ('{"string": "b"}', '"c"')),
    **dict.fromkeys(("loadTime", "load time ms"), ('{"long": 31}', "32", "null")),
    **dict.fromkeys(("seenAt", "openedAt"), ('{"long": 1407391704468}', '"2016-06-30T12:34:56Z"')),
    "tags": ('["a", 5]', '{"array": ["b"]}', "[]"),
    "tabs": ('"home"', '["a"]'),
    "viewport": ('{"x.Viewport": {"width": {"int": 4}, "height": "no", "depth": 5}}', "{}", '{"at": 1407391704468}'),
    "clicks": ('[{"x": 1.5, "target": {"id": "t", "kind": 3}}, null, 7]', '{"array": []}'),
    "gift": ("true", '{"boolean": false}', '"yes"'),
    "score": ("1.5", '{"double": 2}', '"high"'),
    "behaviours": ('[{"id": 5, "score": 1}]', '{"array": [{"id": {"long": 6}}, 7]}'),
    "eng": (
        '{"id": 5, "score": 2.5, "behaviours": [{"id": 1}], "odd": 3}',
        '{"x.Engagement": {"skillName": "s"}}',
        "null",
    ),
}
"""Values that fit keys of the extension, at least in part."""


@lru_cache(maxsize=1)
def extension_schema() -> Schema:
    """The schema with the extension of the tests."""
    return extended(parse_extension(EXTENSION.read_text(encoding="utf-8"), str(EXTENSION)))


@lru_cache(maxsize=1)
def _records() -> tuple[Any, ...]:
    return tuple(record for _, record in islice(records(Random(11)), 60))


def drifted(chance: Random, count: int = 6, *, account: str = "7") -> str:
    """A container of drifted records."""
    body = ", ".join(drifted_record(chance) for _ in range(count))
    meta = f'{{"accountId": {{"string": "{account}"}}, "startTime": {{"long": 1467291600000}}, "endTime": null}}'
    return f'{{"dataType": "WebSession", "metaData": {meta}, "recordCollection": [{body}]}}\n'


def damaged_drifted(chance: Random) -> bytes:
    """One or two containers of drifted records, mostly with bytes lost, gained, copied and moved."""
    text = "".join(drifted(chance, chance.randrange(1, 4)) for _ in range(chance.randrange(1, 3)))
    found = text.encode("utf-8", "surrogatepass")
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        found = damage(chance, found)
    return found


def drifted_record(chance: Random) -> str:
    """A record with some additions, in a random order."""
    tree = _tree(chance.choice(_records()))
    if chance.random() < 0.3:
        _change_body(tree, chance)
    objects = list(_objects(tree))
    for union in objects:
        # A union of structs is an object with one key, the tag.
        if len(union) == 1 and "." in union[0][0] and chance.random() < 0.15:
            union[0][0] = chance.choice(("x.SurveyAnswer", "x.CartV2", "SurveyAnswer", "x.ImeiGoal"))
    for _ in range(chance.choice((0, 1, 1, 2, 3, 6))):
        _change(chance.choice(objects), chance)
    return dump(tree, ascii_only=chance.random() < 0.9)


def _tree(value: Any) -> Any:
    if isinstance(value, dict):
        return Members([key, _tree(child)] for key, child in value.items())
    return [_tree(child) for child in value] if isinstance(value, list) else value


def _objects(tree: Any) -> list[Members]:
    found = [tree] if isinstance(tree, Members) else []
    children = [child for _, child in tree] if isinstance(tree, Members) else tree if isinstance(tree, list) else []
    return found + [each for child in children for each in _objects(child)]


def _change_body(record: Members, chance: Random) -> None:
    """Give the record a body of a new type, with a payload that some tables know."""
    tagged = record[0][1][0]
    tags = ("x.WebSessionCobrowseData", "x.WebSessionDeviceData", "x.ScreenData", "x.Unheard", "screen")
    tagged[0] = chance.choice(tags)
    if isinstance(tagged[1], Members):
        others = [pair for pair in tagged[1] if pair[0] != "header"]
        for pair in others[:1]:
            pair[0] = chance.choice(("cobrowse", "device", "screen", "display", "geo", "unheard"))
            pair[1] = chance.choice((pair[1], _payload(chance), _payload(chance)))


def _payload(chance: Random) -> Any:
    members = Members([[chance.choice(KEYS), _value(chance, 2)] for _ in range(chance.randrange(4))])
    known = (("mode", '{"string": "shared"}'), ("model", '"X"'), ("width", '{"int": 3}'), ("userAgent", '"ua"'))
    for key, text in known:
        if chance.random() < 0.4:
            members.append([key, Raw(text)])
    if chance.random() < 0.4:
        members.append([chance.choice(("startedAt", "firstSeen")), Raw('{"long": 1467391704468}')])
    return chance.choice((members, [members], Members([["array", [members]]]), Members([["x.Payload", members]])))


def _change(members: Members, chance: Random) -> None:
    near = [key for known, keys in NEAR.items() if any(pair[0] == known for pair in members) for key in keys]
    if near and chance.random() < 0.7:
        for _ in range(chance.choice((1, 1, 2, 3))):
            key = chance.choice(near)
            value = Raw(chance.choice(FITTING[key])) if chance.random() < 0.7 else _value(chance, 2)
            members.insert(chance.randint(0, len(members)), [key, value])
        return
    kind = chance.randrange(10)
    if members and kind < 2:
        # Another tag or key.
        members[chance.randrange(len(members))][0] = chance.choice((*TAGS, *KEYS))
    elif members and kind == 2:
        del members[chance.randrange(len(members))]
    elif members and kind == 3:
        members[chance.randrange(len(members))][1] = _value(chance, 2)
    else:
        for _ in range(chance.choice((1, 1, 2))):
            members.insert(chance.randint(0, len(members)), [chance.choice(KEYS), _value(chance, 3)])


def _value(chance: Random, levels: int) -> Any:
    kind = chance.randrange(8)
    if levels == 0 or kind < 3:
        return Raw(chance.choice(SCALARS))
    if kind == 3:
        return [_value(chance, levels - 1) for _ in range(chance.randrange(3))]
    if kind == 4:
        return Members([[chance.choice(TAGS), _value(chance, levels - 1)]])
    return Members([[chance.choice(KEYS), _value(chance, levels - 1)] for _ in range(chance.randrange(4))])

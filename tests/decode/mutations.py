"""How sources are damaged for property tests: trees of JSON changed member by member, and raw text byte by byte.

A tree is JSON as lists, ``Members`` (objects: lists of ``[key, value]``), scalars, and ``Raw`` text such as a number
literal. Changes are small and independent of one another, so that Hypothesis can leave out all that do not matter.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise, product
from random import Random
from typing import Any

from hypothesis import strategies as st

from wsparquet.generate import DEFECTS, GenerateOptions, generate_text, records

__all__ = [
    "ODD",
    "SMALL_RECORDS",
    "Members",
    "Raw",
    "chunked",
    "chunks",
    "damaged_text",
    "defective_text",
    "dump",
    "each_change",
    "good_text",
    "mutated_text",
]


class Members(list[list[Any]]):
    """An object's members; they can be changed, and keys can come twice."""

    __slots__ = ()


class Raw(str):
    """Text that stands in the JSON as it is."""

    __slots__ = ()


def _tree(value: Any) -> Any:
    if isinstance(value, dict):
        return Members([key, _tree(child)] for key, child in value.items())
    return [_tree(child) for child in value] if isinstance(value, list) else value


def dump(tree: Any, *, ascii_only: bool = True, space: str = "") -> str:
    """The tree as JSON text, with ``space`` wherever white space may stand."""
    if isinstance(tree, Raw):
        return str(tree)
    if isinstance(tree, Members):
        members = (f"{_text(key, ascii_only)}{space}:{space}{_dump(child, ascii_only, space)}" for key, child in tree)
        return "{" + space + f"{space},{space}".join(members) + space + "}"
    if isinstance(tree, list):
        return "[" + space + f"{space},{space}".join(_dump(child, ascii_only, space) for child in tree) + space + "]"
    return _text(tree, ascii_only)


def _dump(tree: Any, ascii_only: bool, space: str) -> str:
    return dump(tree, ascii_only=ascii_only, space=space)


def _text(scalar: Any, ascii_only: bool) -> str:
    lone = isinstance(scalar, str) and any("\ud800" <= char <= "\udfff" for char in scalar)
    return json.dumps(scalar, ensure_ascii=ascii_only or lone)


# --- Trees ------------------------------------------------------------------------------------------------------------

_NUMBERS = """0 -0 1 7.0 1e2 1.50 -1e-7 0.1 1E400 5e-324 2147483647 2147483648 -2147483649 9223372036854775807
9223372036854775808 9007199254740993 123456789012345678.5 1467291704468 1467291704468.0 14672917044680e-1
4102444800000 1e0000000000000000000002 1e-99999999999999999999 0e99999999999999999999 0.30000000000000004
816.45000000000005 4.9E-324 2.9802322387695313e-08 5.960464477539063e-08 1.7976931348623159e308"""
_WORDS = ["NaN", "-Infinity", "true", "false", "null", "1" + "0" * 400, "[" * 140 + "]" * 140]
_TEXTS = """|NaN|INF|-Infinity|2016-06-30T13:01:44Z|2016-06-30 13:01:44.123|2016-06-30T13:01:44.1234Z|\
2016-06-30T00:01:44+0530|2016-06-30T13:01:44.123456+02|2016-06-30T13:01:44.1234567Z|\
2016-06-30T00:01:44+05:30|2016-02-30T00:00:00|1467291704468|true|\
\ud83d|\ude00\ud83d|\ufdd0|\ufdd0n1e999|\ufdd0d83d|😀é|\u2028\u2029|\x00\x1f\x7f|[/x]|"\\\\|\
-----BEGIN PGP MESSAGE-----\n\nhQEMA==\n|com.liveperson.dataaccess.Lead|WebSession"""
_KEYS = """|url|U_R_L|header|body|id|type|data|product|timestamp|array|string|long|com.x.Lead|Lead|CartStatus|total|\
recordCollection|metaData|dataType|sections|navigationData|geo|country|city|WebSessionGeoData|a.b|[/x]|\udc00|\
\ufdd0|é"""
KEYS = _KEYS.split("|")
TREES: list[Any] = [
    [],
    {},
    [[]],
    [None],
    {"string": "x"},
    {"int": {"long": 1}},
    {"a.b": {"c.d": [1]}},
    {"x": 1, "x y": [True, {"z": None}]},
    {"com.liveperson.dataaccess.Unknown": {"tier": {"string": "gold"}}},
    {"com.liveperson.dataaccess.Lead": {"leadId": {"string": "L"}, "value": {"double": 3}}},
    {"sku": "s", "price": 1.25, "quantity": 2},
]
ODD: list[Any] = [*map(Raw, [*_NUMBERS.split(), *_WORDS]), *_TEXTS.split("|"), *map(_tree, TREES)]

KINDS = ("drop", "again", "rename", "replace", "wrap", "unwrap", "insert", "swap")


@dataclass(frozen=True)
class Change:
    """One change: of which kind, at which place (counted from the start, round and round), with which odd thing."""

    kind: str
    at: int
    odd: int


CHANGES = st.lists(
    st.builds(Change, st.sampled_from(KINDS), st.integers(4, 16) | st.integers(0, 2000), st.integers(0, len(ODD) - 1)),
    max_size=6,
)

Place = tuple[Any, int]


def _places(tree: Any) -> Iterator[Place]:
    """Every member and every element, as its owner and its index there."""
    if isinstance(tree, list):
        for index, child in enumerate(tree):
            yield tree, index
            yield from _places(child[1] if isinstance(tree, Members) else child)


def _apply(tree: Any, change: Change) -> None:
    places = list(_places(tree))
    if not places:
        return
    owner, index = places[change.at % len(places)]
    odd, key = deepcopy(ODD[change.odd]), KEYS[change.odd % len(KEYS)]
    member = isinstance(owner, Members)
    match change.kind:
        case "drop":
            del owner[index]
        case "again":
            owner.append([owner[index][0], odd] if member else deepcopy(owner[index]))
        case "rename" if member:
            owner[index] = [_renamed(owner[index][0], change.odd), owner[index][1]]
        case "insert":
            owner.insert(index, [key, odd] if member else odd)
        case "swap":
            owner[index], owner[-1] = owner[-1], owner[index]
        case "replace" | "wrap" | "unwrap":
            value = _changed(owner[index][1] if member else owner[index], change.kind, key, odd)
            owner[index] = [owner[index][0], value] if member else value


def each_change(record: Any, *, odds: int) -> Iterator[str]:
    """The record's JSON text with one change: of every kind, at every place, with so many odd things in turn."""
    count = len(list(_places(_tree(record))))
    for at, kind, turn in product(range(count), KINDS, range(odds)):
        holder = [_tree(record)]
        # Place 0 is the record itself.
        _apply(holder, Change(kind, at + 1, (at * 7 + turn) % len(ODD)))
        yield from map(dump, holder)


def _renamed(key: str, odd: int) -> str:
    names = (key.upper(), f"_{key}", key[:1] + " " + key[1:], f"x.{key}", key + "s", KEYS[odd % len(KEYS)])
    return names[odd % len(names)]


def _changed(value: Any, kind: str, key: str, odd: Any) -> Any:
    if kind == "replace":
        return odd
    if kind == "wrap":
        return Members([[key, value]])
    return value[0][1] if isinstance(value, Members) and len(value) == 1 else value


# --- Text -------------------------------------------------------------------------------------------------------------

SMALL_RECORDS = [
    {"body": {"Navigation": {"header": {"visitId": "a\n"}, "navigationData": [{"url": 'x"\\', "sections": "s"}]}}},
    {"body": {"x.Geo": {"country": "é", "city": {"string": "\ud83d"}}}, "more": 1.5e3},
    {"body": {"Unheard": {"n": [1, True, None, "z"]}}},
    {"body": None},
]
METADATA = {"accountId": {"string": "1"}, "schemaVersion": "1.0", "startTime": {"long": 1467291704468}, "endTime": None}


def _container(some: list[Any], *, tagged: bool, late: bool) -> dict[str, Any]:
    kind = {"dataType": {"com.liveperson.dataaccess.DataTypeEnum": "WebSession"}}
    metadata = {"metaData": {"com.liveperson.dataaccess.MetaData": METADATA} if tagged else METADATA}
    collection = {"recordCollection": {"array": some} if tagged else some}
    return {**kind, **collection, **metadata} if late else {**kind, **metadata, **collection}


@st.composite
def _containers(draw: st.DrawFn) -> list[Any]:
    """A few containers of a few records each, generated or small."""
    generated = (record for _, record in records(Random(draw(st.integers(0, 999)))))
    small = draw(st.booleans())
    found = []
    for _ in range(draw(st.integers(1, 3))):
        count = draw(st.integers(0, 3))
        picked = [SMALL_RECORDS[draw(st.integers(0, 3))] if small else next(generated) for _ in range(count)]
        found.append(_tree(_container(picked, tagged=draw(st.booleans()), late=draw(st.booleans()))))
    return found


@st.composite
def mutated_text(draw: st.DrawFn) -> bytes:
    """Well-formed JSON, in any layout, with a few members changed."""
    trees = draw(_containers())
    for tree in trees:
        for change in draw(CHANGES):
            _apply(tree, change)
    ascii_only, space = draw(st.booleans()), draw(st.sampled_from(["", " ", "\r\n\t"]))
    separator = draw(st.sampled_from(["\n", "", "\n\n "]))
    return separator.join(dump(tree, ascii_only=ascii_only, space=space) for tree in trees).encode()


INSERTED = [
    *(char.encode() for char in '"\\{}[],:1.eE+-n\n\r \t\x00é'),
    *(b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"NaN", b"\\ud800", b",,", b"1.", b"}]}", b"\n\n"),
    *(b'\n{"metaData":', b'{"metaData" :{}', b'\n{\r\n"dataType"', b'\n{"recordCollection":[', b"\n{", b'\n{"meta'),
    *(b"\ngarbage\n", b"\n42\n", b'\n"s" 1\n', b"\n[1,\n2]\n", b'\n{"k":[1]}\n', b"\nnull", b"\xc3", b"\n]}}\n"),
]


@st.composite
def damaged_text(draw: st.DrawFn) -> bytes:
    """Text of containers with a few bytes cut out, put in, repeated, or all behind a place gone."""
    text = draw(mutated_text() | defective_text())
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        match draw(st.sampled_from(["insert", "insert", "insert", "delete", "repeat", "cut", "flip"])):
            case "insert":
                text = text[:start] + draw(st.sampled_from(INSERTED)) + text[start:]
            case "delete":
                text = text[:start] + text[end:]
            case "repeat":
                text = text[:end] + text[start:]
            case "cut":
                text = text[:start]
            case "flip":
                text = text[:start] + bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in text[start : start + 1])
    return text


_FORMS = st.sampled_from(["lines", "document"])
# Those of 10,000 levels are the contract cases' business: each takes as long as a hundred of the others.
_SMALL_DEFECTS = sorted(name for name, defect in DEFECTS.items() if len(defect.text) < 10_000)


def _generated(*, seed: int, form: Any, defects: tuple[str, ...] | None) -> bytes:
    options = GenerateOptions(seed=seed, form=form, records=2, line_size=1, defects=bool(defects), only=defects or ())
    return b"".join(generate_text(options))


def good_text() -> st.SearchStrategy[bytes]:
    """A small generated file of either form."""
    return st.builds(_generated, seed=st.integers(0, 999), form=_FORMS, defects=st.none())


def defective_text() -> st.SearchStrategy[bytes]:
    """As ``good_text``, with one or two of the generator's defects in it."""
    chosen = st.lists(st.sampled_from(_SMALL_DEFECTS), min_size=1, max_size=2, unique=True).map(tuple)
    return st.builds(_generated, seed=st.integers(0, 999), form=_FORMS, defects=chosen)


# --- Chunks -----------------------------------------------------------------------------------------------------------


def chunks() -> st.SearchStrategy[list[int]]:
    """Where to cut a text: shares of its length, in tens of thousandths."""
    return st.lists(st.integers(0, 10_000), min_size=1, max_size=6).map(sorted)


def chunked(text: bytes, cuts: list[int]) -> list[bytes]:
    """The text cut at ``cuts``, none of it lost."""
    ends = [0, *(cut * len(text) // 10_000 for cut in cuts), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]

"""How a contract case is written, what input it stands for and what a decoder must make of it.

``tests/data/contract/*.json`` are lists of cases; a case is an object with

``name``        unique among all cases
``says``        the words of docs/decoding.md that it pins; in brackets where another text says it
``input``       one of ``text`` (the whole stream), ``records`` (what stands between the brackets of a plain container),
                ``body`` (the value of one record's ``body``), or ``at`` with ``json`` (a value at a position of
                ``positions.json``). A text is a string or a list of parts: strings, ``{"repeat": s, "times": n}`` and
                ``{"hex": "ff"}`` for bytes that are no UTF-8
``value``       with ``at`` only: the column's value, null if left out; the row around it is the position's
``tables``      all rows by table. A row is given whole: a key left out is null, ``{}`` a struct of nulls. Only
                ``metaData``, ``source_file`` and ``record_number`` may be left out unchecked. Timestamps are
                microseconds, NaN and infinities strings
``rescued``     by table, a list of objects from path to value or null, one a row; with ``at`` one such object, a path
                that begins with ``@`` being the position's. Left out: nothing is rescued. Numbers are compared as
                literals, duplicate keys count. A value ``{"$text": parts}`` stands for the JSON text of its parts
``quarantine``  all quarantined texts by start: ``kind``, ``text``, and optionally ``start``, ``end``, ``container``,
                ``record_number``. White space around a text does not count; pieces of one item count as one
``report``      any of ``containers records quarantined items rows undocumented start_time end_time``;
                ``container_values`` as ``{"0": {path: value}}`` by container number; ``accounts`` as a list
``error``       the source fails with a DecodeError whose message has all these words; nothing else is expected then
``limits``      limits of the decoder that differ from the standard ones
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["FOLDER", "SOURCE_FILE", "Case", "Number", "Obj", "load_cases", "normal_path", "parse"]

FOLDER = Path(__file__).parent.parent / "data" / "contract"
SOURCE_FILE = "WebSession.1467291600000.1467295200000.part-00000-0.gz"
CONTAINER = (
    '{"metaData":{"accountId":"75555851","startTime":1467291704468},"recordCollection":[',
    "]}\n",
)
OF_TABLES = ("tables", "rescued")


@dataclass(frozen=True)
class Number:
    """A number literal as it is written."""

    text: str


class Obj(tuple[tuple[str, Any], ...]):
    """A JSON object as its members, duplicates and all, ordered by key."""

    __slots__ = ()

    @property
    def members(self) -> dict[str, Any]:
        """The members by key, the first of duplicates."""
        return dict(reversed(self))


def _object(pairs: list[tuple[str, Any]]) -> Obj:
    return Obj(sorted(pairs, key=lambda pair: pair[0]))


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def parse(text: str) -> Any:
    """The JSON value of ``text``: objects as Obj, numbers as Number."""
    return json.loads(
        text, object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_no_constant
    )


def _part(part: Any) -> bytes:
    if isinstance(part, str):
        return part.encode()
    members = part.members
    if "hex" in members:
        return bytes.fromhex(members["hex"])
    text: str = members["repeat"]
    return text.encode() * int(members["times"].text)


def _bytes(text: Any) -> bytes:
    return b"".join(map(_part, text if isinstance(text, list) else [text]))


def _literal(value: Any) -> Any:
    """An expected rescued value; ``{"$text": parts}`` is spelt out."""
    if isinstance(value, Obj) and "$text" in value.members:
        return parse(_bytes(value.members["$text"]).decode())
    return value


def _fill(template: Any, value: Any) -> Any:
    """A position's row with the value in place of its ``@``."""
    if template == "@":
        return value
    if isinstance(template, Obj):
        return Obj((key, _fill(child, value)) for key, child in template)
    if isinstance(template, list):
        return [_fill(child, value) for child in template]
    return template


@dataclass(frozen=True)
class Case:
    """One case, its shorthands spelt out."""

    name: str
    says: str
    data: bytes
    tables: dict[str, list[Obj]]
    rescued: dict[str, list[dict[str, Any] | None]]
    quarantine: list[dict[str, Any]]
    report: dict[str, Any]
    error: list[str] | None
    limits: dict[str, int]


def _wrapped(records: bytes) -> bytes:
    head, tail = CONTAINER
    return head.encode() + records + tail.encode()


def _data(source: dict[str, Any], position: dict[str, Any] | None) -> bytes:
    if position:
        before, after = position["record"].split("@")
        return _wrapped(before.encode() + _bytes(source["json"]) + after.encode())
    if "body" in source:
        return _wrapped(b'{"body":' + _bytes(source["body"]) + b"}")
    return _wrapped(_bytes(source["records"])) if "records" in source else _bytes(source["text"])


def _paths(rescued: Obj | None, prefix: str) -> dict[str, Any] | None:
    if rescued is None:
        return None
    return {prefix + path[1:] if path[0] == "@" else path: _literal(value) for path, value in rescued}


def _expected(case: dict[str, Any], position: dict[str, Any] | None) -> dict[str, Any]:
    """Rows and rescued values by table."""
    if position:
        row = _fill(position["row"], case.get("value"))
        rescued = _paths(case.get("rescued"), position["path"])
        return {"tables": {position["table"]: [row]}, "rescued": {position["table"]: [rescued]}}
    tables = case["tables"].members if "tables" in case else {}
    given = case["rescued"].members if "rescued" in case else {}
    rescued_rows = {
        table: [_paths(one, "") for one in given[table]] if table in given else [None] * len(rows)
        for table, rows in tables.items()
    }
    return {"tables": tables, "rescued": rescued_rows}


def _quarantine(entry: Obj) -> dict[str, Any]:
    members = {key: int(value.text) if isinstance(value, Number) else value for key, value in entry}
    return {**members, "text": _bytes(entry.members["text"])}


KNOWN = {"name", "says", "input", "value", "tables", "rescued", "quarantine", "report", "error", "limits"}


def _case(members: dict[str, Any], positions: dict[str, Any]) -> Case:
    if unknown := members.keys() - KNOWN:
        raise ValueError(f"case {members['name']}: unknown keys {sorted(unknown)}")
    source = members["input"].members
    position = positions[source["at"]].members if "at" in source else None
    limits = members["limits"].members if "limits" in members else {}
    return Case(
        name=members["name"],
        says=members["says"],
        data=_data(source, position),
        quarantine=[_quarantine(entry) for entry in members.get("quarantine", [])],
        report=members["report"].members if "report" in members else {},
        error=members.get("error"),
        limits={key: int(value.text) for key, value in limits.items()},
        **_expected(members, position),
    )


@cache
def load_cases() -> dict[str, Case]:
    """Every case by ``file:name``, in the order of the files."""
    positions = parse((FOLDER / "positions.json").read_text()).members
    cases = {}
    for path in sorted(FOLDER.glob("*.json")):
        if path.name == "positions.json":
            continue
        for entry in parse(path.read_text()):
            case = _case(entry.members, positions)
            cases[f"{path.stem}:{case.name}"] = case
    return cases


def normal_path(path: str) -> str:
    """The path as reports show it: ``[*]`` for indices, no ``#n``. A quoted key stands last, if at all."""
    path = re.sub(r"#\d+$", "", path)
    quote = path.find("['")
    known, key = (path[:quote], path[quote:]) if quote >= 0 else (path, "")
    return re.sub(r"\[\d+\]", "[*]", known) + key


def mismatches(expected: Any, got: Any, where: str) -> Iterator[str]:
    """What of a column's value differs from the expected one, with its place."""
    if isinstance(got, dict) and isinstance(expected, Obj):
        wanted = expected.members
        for key in wanted.keys() | got.keys():
            yield from mismatches(wanted.get(key), got.get(key), f"{where}.{key}")
    elif isinstance(got, list) and isinstance(expected, list) and len(got) == len(expected):
        for index, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from mismatches(one, other, f"{where}[{index}]")
    elif not _same(expected, got):
        yield f"{where}: expected {expected!r}, got {got!r}"


def _same(expected: Any, got: Any) -> bool:
    if isinstance(expected, Number):
        if isinstance(got, float):
            return repr(float(expected.text)) == repr(got)
        return type(got) is int and expected.text == str(got)
    if isinstance(got, float):
        return bool(expected == {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(str(got), ""))
    return type(expected) is type(got) and bool(expected == got)

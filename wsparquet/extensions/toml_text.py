"""Writes the parts of a proposed extension as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from wsparquet.extensions.seen import Conflict, LeftOut, Seen, Typed, column_name
from wsparquet.schema.extension import LIST
from wsparquet.schema.keys import normalise

__all__ = ["Entry", "Keys", "branch_text", "field_text", "key_text", "table_text", "values_text"]

Keys = tuple[str, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """The text of an addition with its comments, and the values within it that it leaves out.

    ``keys`` and ``value`` are the same without comments, for a file that has an inline table in this place; ``remarks``
    are the comments.
    """

    text: str
    left_out: Sequence[LeftOut]
    keys: Keys
    value: str
    remarks: Sequence[str]


def field_text(fields: Keys, key: str, seen: Seen) -> Entry:
    """Return a new field below the keys of a struct's fields. Raises Conflict if the values have no common type."""
    typed, name = seen.typed(), column_name(key)
    typed.alias = key if normalise(name) != normalise(key) else None
    keys = (*fields, name)
    return Entry(_field_table(keys, typed), typed.left_out, keys, _inline_field(typed), _remarks(keys, typed))


def values_text(keys: Keys, symbols: Sequence[str]) -> Entry:
    """Return further values of the enum at the keys of its field."""
    line = f"values = [{', '.join(map(_text, symbols))}]"
    published = _often(Seen(), "value")
    return Entry(_table(keys, [published], [line]), (), keys, f"{{ {line} }}", [published])


def branch_text(union: str, tag: str, seen: Seen) -> Entry:
    """Return a new branch of a union. Raises Conflict if its values are not structs with fields."""
    typed = _struct(seen)
    keys = ("unions", union, column_name(tag[0].lower() + tag[1:]))
    lines = [f"tags = [{_text(tag)}]"]
    text = _table(keys, [_often(seen, "value")], lines) + _fields_table(keys, typed.fields)
    return Entry(text, typed.left_out, keys, _inline_table(lines, typed.fields), _remarks(keys, typed))


def table_text(short: str, tag: str, records: Seen, keys: Sequence[tuple[str, Seen]]) -> Entry:
    """Return a new table for the records of a body tag. Raises Conflict if no key of the body is the payload."""
    payloads = [(key, seen) for key, seen in keys if seen.kinds.keys() & {"list", "struct"}]
    if not payloads:
        raise Conflict("no key of the body has a list or an object" + "".join(_other(*each) for each in keys))
    key, seen = max(payloads, key=lambda each: each[1].count)
    typed = seen.typed()
    flat = typed.type == "struct"
    if not flat and typed.type != f"{LIST}struct":
        raise Conflict(f"the payload {key} is a {typed.type}, and a table needs structs")
    name = re.sub(r"[^a-z0-9_]", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _core(tag)).lower())
    column = column_name(key)
    lines = [
        f"tags = [{_text(tag)}]",
        f"payload = {_text(column)}",
        *([f"aliases = [{_text(key)}]"] if normalise(column) != normalise(key) else ()),
        *(['kind = "object"'] if flat else ()),
        *([f"doc = {_text(records.doc)}"] if records.doc else ()),
    ]
    place = ("tables", name if name[:1].isalpha() else f"t_{name}")
    comments = [_often(records, "record"), f"the tag is {short!r} for wsparquet"]
    text = _table(place, comments, lines) + _fields_table(place, typed.fields)
    others = [_beside(key, *each) for each in keys if each[0] != key]
    left_out = [*(each.within(f", {key}") for each in typed.left_out), *others]
    return Entry(text, left_out, place, _inline_table(lines, typed.fields), _remarks(place, typed))


def _other(key: str, seen: Seen) -> str:
    return f"; {key}: {seen.described()}"


def _beside(payload: str, key: str, seen: Seen) -> LeftOut:
    reason = f"the payload is {payload}, and a table has no other key of the body; {seen.described()}"
    return LeftOut(f", {key}", seen.count, reason)


def _core(tag: str) -> str:
    """Return a body tag without what all body tags have."""
    return re.sub(r"(?i)^WebSession|Data$", "", tag) or tag


def _struct(seen: Seen) -> Typed:
    typed = seen.typed(2)
    if typed.type != "struct":
        raise Conflict(f"values of the type {typed.type} were seen, and a branch needs structs")
    return typed


# --- Tables with comments ---------------------------------------------------------------------------------------------


def _field_table(keys: Keys, typed: Typed) -> str:
    comments = [_often(typed.seen, "value"), typed.comment]
    return _table(keys, comments, _members(typed)) + _fields_table(keys, typed.fields)


def _members(typed: Typed) -> list[str]:
    """Return what the file says of a field, except for its fields."""
    seen, members = typed.seen, [f"type = {_text(typed.type)}"]
    if typed.alias is not None:
        members.append(f"aliases = [{_text(typed.alias)}]")
    symbols = list(dict.fromkeys(filter(None, (seen.element or seen).symbols)))
    if symbols and typed.type == "string" and seen.enum:
        members.append(f"values = [{', '.join(map(_text, symbols))}]")
        symbols = []
    # In the file, only a text can have values, and they mean that others are undocumented.
    doc = " ".join(filter(None, (seen.doc, f"Values: {', '.join(symbols)}." if symbols else "")))
    return members + ([f"doc = {_text(doc)}"] if doc else [])


def _fields_table(keys: Keys, fields: Mapping[str, Typed]) -> str:
    """Return the fields of a struct: those without fields as lines, each with a comment, and then the structs."""
    if not fields:
        return ""
    keys = (*keys, "fields")
    simple = {name: typed for name, typed in fields.items() if not typed.fields}
    lines = [f"{key_text(name)} = {_inline_field(typed)}  # {_remark(typed)}" for name, typed in simple.items()]
    structs = (_field_table((*keys, name), typed) for name, typed in fields.items() if typed.fields)
    return "".join((_table(keys, [], lines) if lines else "", *structs))


def _table(keys: Keys, comments: Iterable[str], lines: Iterable[str]) -> str:
    notes = [f"# {comment}" for comment in comments if comment]
    return "\n".join(["", *notes, f"[{'.'.join(map(key_text, keys))}]", *lines]) + "\n"


def _remarks(keys: Keys, typed: Typed) -> list[str]:
    inner = (_remarks((*keys, "fields", name), each) for name, each in typed.fields.items())
    return [f"{'.'.join(map(key_text, keys))}: {_remark(typed)}", *chain.from_iterable(inner)]


def _remark(typed: Typed) -> str:
    return "; ".join(filter(None, (_often(typed.seen, "value"), typed.comment)))


def _often(seen: Seen, noun: str) -> str:
    if not seen.count:
        return "from the published schema"
    days = ""
    if seen.first is not None and seen.last is not None:
        one = seen.first == seen.last
        days = f", on {seen.first}" if one else f", from {seen.first} to {seen.last}"
    return f"{seen.count:,} {noun}{'' if seen.count == 1 else 's'}{days}"


# --- Inline tables ----------------------------------------------------------------------------------------------------


def _inline_table(lines: Sequence[str], fields: Mapping[str, Typed]) -> str:
    return "{ " + ", ".join([*lines, f"fields = {_inline(fields)}"]) + " }"


def _inline(fields: Mapping[str, Typed]) -> str:
    return "{ " + ", ".join(f"{key_text(name)} = {_inline_field(typed)}" for name, typed in fields.items()) + " }"


def _inline_field(typed: Typed) -> str:
    members = _members(typed)
    if typed.fields:
        members.append(f"fields = {_inline(typed.fields)}")
    return _text(typed.type) if len(members) == 1 else "{ " + ", ".join(members) + " }"


def key_text(name: str) -> str:
    """Return a key of TOML."""
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise Conflict("a text has a lone surrogate, which no file of TOML can have")
    # A basic string of TOML has the escapes of JSON, but not its surrogate pairs.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

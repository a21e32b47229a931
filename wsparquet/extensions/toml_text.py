"""Writes the parts of a proposed extension as TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wsparquet.extensions.seen import Conflict, LeftOut, Seen, Typed, column_name
from wsparquet.schema.extension import LIST
from wsparquet.schema.keys import normalise

__all__ = ["Entry", "branch_text", "field_text", "table_text"]

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """The text of an addition, and the values within it that it leaves out."""

    text: str
    left_out: Sequence[LeftOut] = ()


def field_text(struct: str, key: str, seen: Seen) -> Entry:
    """Return a new field of a struct. Raises Conflict if the values have no common type."""
    typed, name = seen.typed(), column_name(key)
    typed.alias = key if normalise(name) != normalise(key) else None
    lines = [f"[structs.{_key(struct)}.fields.{_key(name)}]", f"type = {_text(typed.type)}"]
    if typed.alias is not None:
        lines.append(f"aliases = [{_text(typed.alias)}]")
    if typed.fields:
        lines.append(f"fields = {_inline(typed.fields)}")
    return Entry(_entry(_often(seen, "value"), typed.comment, lines), typed.left_out)


def branch_text(union: str, tag: str, seen: Seen) -> Entry:
    """Return a new branch of a union. Raises Conflict if its values are not structs with fields."""
    typed = _struct(seen)
    name = column_name(tag[0].lower() + tag[1:])
    lines = [f"[unions.{_key(union)}.{_key(name)}]", f"tags = [{_text(tag)}]", f"fields = {_inline(typed.fields)}"]
    return Entry(_entry(_often(seen, "value"), "", lines), typed.left_out)


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
        f"[tables.{_key(name if name[:1].isalpha() else f't_{name}')}]",
        f"tags = [{_text(tag)}]",
        f"payload = {_text(column)}",
        *([f"aliases = [{_text(key)}]"] if normalise(column) != normalise(key) else ()),
        *(['kind = "object"'] if flat else ()),
        f"fields = {_inline(typed.fields)}",
    ]
    others = [
        LeftOut(
            f", {other}",
            inner.count,
            f"the payload is {key}, and a table has no other key of the body; " + inner.described(),
        )
        for other, inner in keys
        if other != key
    ]
    text = _entry(_often(records, "record"), f"the tag is {short!r} for wsparquet", lines)
    return Entry(text, [*(each.within(f", {key}") for each in typed.left_out), *others])


def _other(key: str, seen: Seen) -> str:
    return f"; {key}: {seen.described()}"


def _core(tag: str) -> str:
    """Return a body tag without what all body tags have."""
    return re.sub(r"(?i)^WebSession|Data$", "", tag) or tag


def _struct(seen: Seen) -> Typed:
    typed = seen.typed(2)
    if typed.type != "struct":
        raise Conflict(f"values of the type {typed.type} were seen, and a branch needs structs")
    return typed


def _entry(*parts: str | Iterable[str]) -> str:
    *comments, lines = parts
    notes = [f"# {comment}" for comment in comments if comment]
    return "\n".join(["", *notes, *lines]) + "\n"


def _often(seen: Seen, noun: str) -> str:
    if not seen.count:
        return "from the published schema"
    since = f", since {seen.since.isoformat()}" if seen.since is not None else ""
    return f"{seen.count:,} {noun}{'' if seen.count == 1 else 's'}{since}"


def _inline(fields: Mapping[str, Typed]) -> str:
    return "{ " + ", ".join(f"{_key(name)} = {_inline_field(typed)}" for name, typed in fields.items()) + " }"


def _inline_field(typed: Typed) -> str:
    if typed.alias is None and not typed.fields:
        return _text(typed.type)
    members = [f"type = {_text(typed.type)}"]
    if typed.alias is not None:
        members.append(f"aliases = [{_text(typed.alias)}]")
    if typed.fields:
        members.append(f"fields = {_inline(typed.fields)}")
    return "{ " + ", ".join(members) + " }"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise Conflict("the key has a lone surrogate, which no file of TOML can have")
    # A basic string of TOML has the escapes of JSON, but not its surrogate pairs.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

"""Finds the ids of people in JSON text: in rescued values, in records without a table, and in quarantined text.

An id is a number or a text under a key such as ``visitorId``, at any depth. As in the decoders, the case of a key,
blanks and underscores make no difference, and a value may have a tag: ``{"string": "…"}``. In text that is not valid
JSON, each key is found by itself, so that damage before it does not matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, get_args

__all__ = ["COLUMNS", "KINDS", "Id", "Kind", "ids_in_text", "kind_of"]

Kind = Literal["visitor", "visit", "customer"]
Id = tuple[Kind, str]

KINDS: tuple[Kind, ...] = get_args(Kind)
COLUMNS: dict[Kind, str] = {kind: f"{kind}Id" for kind in KINDS}
"""The name of the documented columns, and of the keys, that have ids of a kind."""

LONGEST = 4096
"""The most characters of a value that are searched in damaged text."""

_GAP = r"[\s_]*"
_NAMES: dict[Kind, str] = {kind: _GAP.join(name.lower()) for kind, name in COLUMNS.items()}
_ANY = "|".join(f"(?P<{kind}>{name})" for kind, name in _NAMES.items())
# A rescued value has its path as key, such as `$.header.visitorId` or `$['visitor id']#2`.
_KEY = re.compile(rf"(?:.*[^\w\s]|)[\s_]*(?:{_ANY})[\s_]*(?:[^\w\s].*)?", re.IGNORECASE | re.DOTALL)
# What precedes a name in damaged text is not asked, because a pattern that begins with a letter is fast.
_NAME = re.compile(rf"(?<![^\W_])(?:{_ANY})", re.IGNORECASE)
_END_OF_KEY = re.compile(r'[\s_]*(?:[^\w\s"\\][^"\\]{0,200})?"\s*:\s*')
_SCALAR = re.compile(
    r'(?:\{\s*"[^"\\]*"\s*:\s*)?(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<number>-?[0-9][0-9.eE+-]*))', re.DOTALL
)
_MAYBE = re.compile(rf"{_GAP.join('visit')}|{_GAP.join('customer')}|\\u", re.IGNORECASE)


def ids_in_text(text: str) -> Iterator[Id]:
    """Yield the ids in a JSON text, or in text that is damaged or is several JSON texts.

    >>> list(ids_in_text('{"header": {"visitor_id": {"string": "a"}, "visitId": 7}}'))
    [('visitor', 'a'), ('visit', '7')]
    >>> list(ids_in_text('… "visitorId": {"string": "a"}, "visitId'))
    [('visitor', 'a')]
    """
    if not _MAYBE.search(text):
        return
    found: list[Id] = []
    try:
        json.loads(text, object_pairs_hook=_collector(found), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        found += _in_damaged(text)
    yield from dict.fromkeys(found)


def _collector(found: list[Id]) -> Any:
    """Return a function that gets the keys and values of each object, and adds the ids among them to ``found``."""

    def collect(pairs: list[tuple[str, Any]]) -> list[Any]:
        for key, value in pairs:
            if (kind := kind_of(key)) is not None:
                found.extend((kind, scalar) for scalar in _scalars(value))
        return [value for _, value in pairs]

    return collect


def kind_of(key: str) -> Kind | None:
    """Return which ids a key, or a column with this name, has; None if it has no ids."""
    match = _KEY.fullmatch(key)
    return next((kind for kind in KINDS if match[kind] is not None), None) if match else None


def _scalars(value: Any) -> Iterator[str]:
    """Yield the texts and numbers in a parsed value, in which objects are lists of their values."""
    stack = [value]
    while stack:
        match stack.pop():
            case str() as text:
                yield text
            case list() as items:
                stack.extend(items)


def _in_damaged(text: str) -> Iterator[Id]:
    for name in _NAME.finditer(text):
        key = _END_OF_KEY.match(text, name.end())
        scalar = _SCALAR.match(text, key.end(), key.end() + LONGEST) if key else None
        if scalar is not None:
            kind = next(kind for kind in KINDS if name[kind] is not None)
            yield kind, scalar["number"] if scalar["text"] is None else _unescaped(scalar["text"])


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text

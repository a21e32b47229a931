"""What a source holds, read with the standard library alone: its leaves, scalars and tokens, for tests to hold against.

Nothing here shares code or rules' wording with wsparquet, so that a mistake there cannot hide itself here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = [
    "Container",
    "Number",
    "Pairs",
    "Token",
    "containers",
    "leaves",
    "microseconds",
    "normal",
    "number_key",
    "parse",
    "parse_strict",
    "scalar",
    "scalars",
    "tokens",
    "unwrapped",
]

# --- JSON that keeps everything ---------------------------------------------------------------------------------------


class Number(str):
    """A number, or a bare word such as NaN, as it is written."""

    __slots__ = ()


class Pairs(list[tuple[str, Any]]):
    """An object's members in order, duplicates too."""

    __slots__ = ()


_JSON = json.JSONDecoder(object_pairs_hook=Pairs, parse_int=Number, parse_float=Number, parse_constant=Number)


def parse(text: str) -> Any:
    """The JSON value of a text."""
    return _JSON.decode(text)


def parse_strict(text: str) -> Any:
    """The JSON value that strict JSON text of wsparquet stands for.

    Raises:
        ValueError: the text is not strict JSON.

    """
    text.encode()
    return _undone(
        json.loads(text, object_pairs_hook=Pairs, parse_int=_finite, parse_float=_finite, parse_constant=_no)
    )


def _no(word: str) -> Any:
    raise ValueError(f"not strict JSON: {word}")


def _finite(literal: str) -> Number:
    if abs(float(literal)) == float("inf"):
        _no(literal)
    return Number(literal)


def _undone(value: Any) -> Any:
    if isinstance(value, Pairs):
        return Pairs((_undone_text(key), _undone(child)) for key, child in value)
    if isinstance(value, list):
        return [_undone(child) for child in value]
    if isinstance(value, str) and not isinstance(value, Number):
        return Number(value[2:]) if re.match("\ufdd0[nw]", value) else _undone_text(value)
    return value


def _undone_text(text: str) -> str:
    """A string with what follows the marker U+FDD0 put back: the marker itself, or a lone surrogate."""
    if re.search("[\ud800-\udfff]", text):
        _no(text)
    pieces, at = [], 0
    while (found := text.find("\ufdd0", at)) >= 0:
        single = text[found + 1] == "\ufdd0"
        pieces += [text[at:found], "\ufdd0" if single else chr(int(text[found + 1 : found + 5], 16))]
        at = found + (2 if single else 5)
    return "".join((*pieces, text[at:]))


# --- Scalars, comparable whatever they are written like ---------------------------------------------------------------

_LITERAL = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?", re.ASCII)
_BARE = {"NaN", "Infinity", "-Infinity"}
Scalar = tuple[Any, ...]


def number_key(literal: str) -> Scalar:
    """The exact value of a number literal: equal for ``1e2`` and ``100.0``, of any length and exponent."""
    match = _LITERAL.fullmatch(literal)
    if match is None:
        raise ValueError(f"no number: {literal!r}")
    sign, whole, fraction, exponent = match.groups(default="")
    digits = (whole + fraction).lstrip("0")
    short = digits.rstrip("0")
    return ("n", sign + short, int(exponent or 0) - len(fraction) + len(digits) - len(short)) if short else ("n", "", 0)


def scalar(value: Any) -> Scalar:
    """The comparable form of a string, number or boolean; a bare ``NaN`` is the string."""
    if isinstance(value, Number) and value not in _BARE:
        return number_key(value)
    return ("s", str(value)) if isinstance(value, str) else ("b", value)


def scalars(value: Any) -> Iterator[Scalar]:
    """Every scalar of a parsed value but null, keys left out."""
    if isinstance(value, Pairs):
        for _, child in value:
            yield from scalars(child)
    elif isinstance(value, list):
        for child in value:
            yield from scalars(child)
    elif value is not None:
        yield scalar(value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(text: str) -> int | None:
    """Microseconds since 1970 of an ISO time, UTC where it has no zone; None for any other text."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // timedelta(microseconds=1)


# --- Tokens -----------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r'[ \t\r\n\0\ufeff]+|(?P<mark>[{}\[\],:])|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<word>-?[A-Za-z]+)|(?P<number>-?[0-9][0-9.eE+-]*)"
)
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True)
class Token:
    """A scalar of a text and the keys around it, outermost first."""

    value: Scalar
    keys: tuple[str, ...]


@dataclass
class _Open:
    bracket: str
    key: str | None = None


def tokens(text: str, *, damaged: bool = False) -> Iterator[Token]:
    """Every scalar of text in which brackets close their own kind; some may stay open.

    NULs and byte order marks outside of strings are white space. In ``damaged`` text, which lacks pieces, a bracket may
    also close what is open inside its pair, or nothing, and a key may stand anywhere.

    Raises:
        ValueError: something in it is no token, or a bracket closes what it did not open.

    """
    stack: list[_Open] = []
    held: str | None = None
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"no token at {at}: {text[at : at + 40]!r}")
        at = match.end()
        if match["mark"] == ":":
            is_key = held is not None and bool(stack) and stack[-1].bracket == "{"
            if not is_key and (held is None or not damaged):
                raise ValueError(f"a : at {at} without a key")
            key, held = json.loads(held or ""), None
            stack = stack or [_Open("{")]
            stack[-1].key = key
        elif match["mark"]:
            yield from _held(held, stack)
            held = None
            _step(stack, match["mark"], damaged=damaged)
        elif match.lastgroup:
            yield from _held(held, stack)
            held = match.group()
    yield from _held(held, stack)


def _held(token: str | None, stack: list[_Open]) -> Iterator[Token]:
    if token is None or token == "null":
        return
    value = json.loads(token, strict=True) if token[0] == '"' else _WORDS.get(token, Number(token))
    yield Token(scalar(value), tuple(one.key for one in stack if one.key is not None))


def _step(stack: list[_Open], mark: str, *, damaged: bool) -> None:
    opener = {"}": "{", "]": "["}.get(mark)
    if mark in "{[":
        stack.append(_Open(mark))
    elif mark == "," and stack and stack[-1].bracket == "[":
        stack[-1].key = None
    elif damaged:
        while opener is not None and any(one.bracket == opener for one in stack) and stack.pop().bracket != opener:
            pass
    elif mark in "}]" and (not stack or stack.pop().bracket + mark not in {"{}", "[]"}):
        raise ValueError(f"a {mark} that closes nothing")


# --- Containers -------------------------------------------------------------------------------------------------------


def normal(key: str) -> str:
    """A key as keys are compared: no case, no blanks, no underscores."""
    return re.sub(r"[ \t_]", "", key).lower()


@dataclass
class Container:
    """A container's records, and everything else that it holds."""

    records: list[Any] = field(default_factory=list)
    values: list[tuple[str, Any]] = field(default_factory=list)


def containers(text: str) -> list[Container]:
    """The containers of a well-formed stream, in order."""
    found, at = [], 0
    while (at := _next(text, at)) < len(text):
        value, at = _JSON.raw_decode(text, at)
        if isinstance(value, Pairs) and any(normal(key) == "recordcollection" for key, _ in value):
            found.append(_container(value))
    return found


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _container(value: Pairs) -> Container:
    container, seen = Container(), False
    for key, child in value:
        records = unwrapped(child)
        if normal(key) == "recordcollection" and not seen and (records is None or type(records) is list):
            container.records = records or []
        else:
            container.values.append((key, child))
        seen = seen or normal(key) == "recordcollection"
    return container


# --- Leaves of good records -------------------------------------------------------------------------------------------

_TAGS = re.compile(r"string|int|long|float|double|boolean|bytes|array|map|.*\..*", re.DOTALL)
_TABLES = {
    "engattrs": "engagement_attributes",
    "navigation": "navigation",
    "goalachieved": "goal_achieved",
    "eligibility": "eligibility",
    "impression": "impression",
    "geo": "geo",
    "sessioninfo": "session_info",
}
_UNIONS = {"data", "goalmetadata"}
_FLAT = {"geo", "sessioninfo"}
_BRANCHES = {"cartstatus": "cart"}
Leaf = tuple[str, int, str, Any]


def leaves(text: str) -> Iterator[Leaf]:
    """``(table, record, path, value)`` of every leaf of the records of a good file, and of each list its length.

    A path is made of normalised keys and indices; a branch adds its name, and ``type`` beside it.
    """
    number = 0
    for container in containers(text):
        metadata = next((value for key, value in container.values if normal(key) == "metadata"), None)
        for record in container.records:
            ((_, body),) = record
            ((tag, inner),) = body
            table = _TABLES[re.sub("^websession|data$", "", normal(tag.rpartition(".")[2]))]
            around = Pairs([*_members(inner), ("metaData", metadata)])
            yield from ((table, number, path, value) for path, value in _walk(around, ""))
            number += 1


def _members(inner: Pairs) -> Iterator[tuple[str, Any]]:
    """The columns of a body: header and flat payloads have theirs beside each other."""
    for key, value in inner:
        if normal(key) == "header" or normal(key) in _FLAT:
            yield from unwrapped(value)
        else:
            yield key, value


def unwrapped(value: Any, *names: str) -> Any:
    """What a tag holds, one that Avro has or one of ``names`` in normal form; any other value as it is."""
    if isinstance(value, Pairs) and len(value) == 1:
        key = value[0][0]
        if _TAGS.fullmatch(key) or normal(key) in names:
            return value[0][1]
    return value


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if path.rpartition(".")[2] in _UNIONS and isinstance(value, Pairs):
        ((tag, value),) = value
        branch = tag.rpartition(".")[2]
        yield f"{path}.type", ("s", branch)
        yield from _walk(value, f"{path}.{_BRANCHES.get(normal(branch), normal(branch))}")
        return
    value = unwrapped(value)
    if isinstance(value, Pairs):
        for key, child in value:
            yield from _walk(child, f"{path}.{normal(key)}")
    elif isinstance(value, list):
        yield path, ("length", len(value))
        for index, child in enumerate(value):
            yield from _walk(child, f"{path}[{index}]")
    elif value is not None:
        yield path, scalar(value)

"""Finds the first undamaged record or container in damaged text.

Source of the rules: docs/decoding.md, "Resynchronizing". Positions are absolute offsets in the stream, because the
buffer drops text between two calls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from wsparquet.decode.plan import compiled
from wsparquet.decode.reference.brackets import MAX_DEPTH, depth
from wsparquet.decode.reference.buffer import Buffer
from wsparquet.decode.reference.syntax import Cut, Wrong, key_at, may_continue, skip_space, value_end
from wsparquet.schema.keys import is_tag, normalise, short_tag

__all__ = ["Found", "Rejected", "Search", "reaches_collection", "record_start", "starts"]

SPARE_WORK = 64 << 20
"""The number of bytes that may be parsed for failed candidates in a stretch of damaged text of any length."""

WORK_FACTOR = 16
"""The number of additional bytes that may be parsed for failed candidates, for each byte of the stretch."""

_BLANKS = b" \t\r\n"
_W = rb"[ \t\r\n]*"
_CONTAINER = re.compile(rb'\{W"(?:dataType|metaData|recordCollection)"W:'.replace(b"W", _W))
_RECORD = re.compile(rb'\{W"([^"\\]{1,16})"W:W\{W"([^"\\]{1,256})"W:W\{'.replace(b"W", _W))
# Text that may become the start of a container or record with more text.
_BEGUN = re.compile(rb'\{W(?:"[^"\\]{0,16}(?:"W(?::W(?:\{W(?:"[^"\\]{0,256}(?:"W(?::W)?)?)?)?)?)?)?'.replace(b"W", _W))

Kind = Literal["record", "container", "begun"]


@lru_cache(maxsize=1)
def _known_tags() -> frozenset[str]:
    return frozenset(tag for table in compiled().tables for tag in table.tags)


def _is_record(key: bytes, tag: bytes) -> bool:
    """Whether a key and the tag in its object can belong to a record of a known table."""
    return (
        normalise(key.decode("latin-1")) == "body" and b"." in tag and short_tag(tag.decode("latin-1")) in _known_tags()
    )


def starts(data: bytes, at: int, stop: int, *, after_comma: bool, reach: int) -> Iterator[tuple[Kind, int]]:
    """Yield the kind and index of everything from ``at`` on that looks like the start of a record or container.

    ``after_comma`` says whether the last non-blank byte before ``at`` is a comma. A start is at most ``reach`` bytes
    long. A start that the end of the text may cut off has the kind ``begun``.
    """
    while (at_brace := data.find(b"{", at, stop)) >= 0:
        before = data[at:at_brace].rstrip(_BLANKS)
        after_comma = before.endswith(b",") if before else after_comma
        kind = _kind(data, at_brace, min(stop, at_brace + reach), after_comma=after_comma)
        if kind == "begun" and at_brace + reach <= stop:
            kind = None
        if kind is not None:
            yield kind, at_brace
        at, after_comma = at_brace + 1, False


def _kind(data: bytes, at: int, stop: int, *, after_comma: bool) -> Kind | None:
    if _CONTAINER.match(data, at, stop):
        return "container"
    match = _RECORD.match(data, at, stop)
    if match:
        return "record" if after_comma and _is_record(match[1], match[2]) else None
    begun = _BEGUN.match(data, at, stop)
    return "begun" if begun and begun.end() == stop else None


def record_start(data: bytes, at: int, stop: int, *, reach: int) -> tuple[Kind, int] | None:
    """Return the first record start in an element from ``at`` on, or a start that the end of the text may cut off."""
    found = starts(data, at, stop, after_comma=False, reach=reach)
    return next(((kind, index) for kind, index in found if kind != "container"), None)


# --- Candidates -------------------------------------------------------------------------------------------------------


class Rejected(Exception):
    """Raised if a candidate is not a record or container: ``position`` is the index of the reason."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


def _check_utf8(data: bytes, start: int, end: int) -> None:
    try:
        data[start:end].decode("utf-8")
    except UnicodeDecodeError:
        raise Rejected(end) from None


def _check_record(data: bytes, at: int, stop: int) -> None:
    """Check that a complete record starts at ``at`` and that a comma or a closing bracket follows it."""
    end = value_end(data, at, stop)
    after = skip_space(data, end, stop)
    if after == stop:
        raise Cut
    _check_utf8(data, at, end)
    if data[after] not in b",]":
        raise Rejected(end)


def _check_head(data: bytes, at: int, stop: int) -> None:
    """Check that a container starts at ``at`` and that its values can be read up to the records' opening bracket."""
    value = reaches_collection(data, at, stop)
    if data[value : value + 1] == b"{":
        key = key_at(data, skip_space(data, value + 1, stop), stop)
        _check_utf8(data, key.start, key.end)
        if not is_tag(json.loads(data[key.start : key.end]), frozenset()):
            raise Rejected(value)
        value = key.value
    if value == stop:
        raise Cut
    if data[value] != 0x5B:  # [
        raise Rejected(value)


def reaches_collection(data: bytes, at: int, stop: int) -> int:
    """Return the index of the value of ``recordCollection`` in the object at ``at``.

    Raises:
        Cut: the text ends before this value.
        Wrong: the object has a syntax error before this value, or has no ``recordCollection``.

    """
    at = skip_space(data, at + 1, stop)
    while True:
        key = key_at(data, at, stop)
        if key.value == stop:
            raise Cut
        _check_utf8(data, key.start, key.end)
        if normalise(json.loads(data[key.start : key.end])) == "recordcollection":
            return key.value
        end = value_end(data, key.value, stop)
        comma = skip_space(data, end, stop)
        if comma == stop:
            raise Cut
        _check_utf8(data, key.value, end)
        if depth(data[key.value : end]) > MAX_DEPTH:
            raise Rejected(end)
        if data[comma] != 0x2C:  # ,
            raise Wrong(comma)
        at = skip_space(data, comma + 1, stop)


# --- The search -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a search so far: everything before the index ``stop`` is damaged text.

    ``kind`` is ``record`` or ``container`` if a record or container starts at ``stop``, ``nothing`` if neither starts
    before the next border, and ``more`` if more text is needed.
    """

    kind: Literal["record", "container", "nothing", "more"]
    stop: int


class Search:
    """A search that starts at the index ``at``, for damaged text that starts at the index ``begin``."""

    def __init__(self, buffer: Buffer, begin: int, at: int, max_record: int) -> None:
        self._buffer = buffer
        self._begin = buffer.base + begin
        self._next = buffer.base + at
        self._after_comma = False
        self._work = 0
        self._reach = max_record + 1  # with the comma or bracket that follows

    def run(self) -> Found:
        """Continue the search in the text up to the buffer's ``limit``."""
        buffer, at = self._buffer, self._next - self._buffer.base
        for kind, index in starts(buffer.data, at, buffer.limit, after_comma=self._after_comma, reach=self._reach):
            stop = min(buffer.limit, index + self._reach)
            final = buffer.complete or stop - index == self._reach
            verdict = self._try(kind, index, stop, final=final)
            if verdict == "accepted" and kind != "begun":
                return Found(kind, index)
            if verdict == "undecided":
                self._advance(index)
                return Found("more", index)
            if self._work > SPARE_WORK + WORK_FACTOR * (buffer.base + index - self._begin):
                return Found("nothing", index)
        self._advance(buffer.limit)
        return Found("nothing" if buffer.complete else "more", buffer.limit)

    def _advance(self, index: int) -> None:
        buffer = self._buffer
        passed = buffer.data[self._next - buffer.base : index].rstrip(_BLANKS)
        self._after_comma = passed.endswith(b",") if passed else self._after_comma
        self._next = buffer.base + index

    def _try(self, kind: Kind, index: int, stop: int, *, final: bool) -> Literal["accepted", "rejected", "undecided"]:
        data = self._buffer.data
        if kind == "begun":
            return "rejected" if final else "undecided"
        try:
            (_check_record if kind == "record" else _check_head)(data, index, stop)
        except Cut:
            if not final:
                return "undecided"
            self._work += stop - index
        except Wrong as wrong:
            if not final and may_continue(data, wrong.position, stop):
                return "undecided"
            self._work += wrong.position - index
        except Rejected as rejected:
            self._work += rejected.position - index
        else:
            return "accepted"
        return "rejected"

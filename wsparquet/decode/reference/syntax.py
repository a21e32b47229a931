"""Finds where JSON values and keys end, without building them and without recursion.

The splitter uses this module for text that the parser rejects: to find out whether more text can repair an error, and
whether a value in damaged text is complete. The native decoder reports the same positions
(``native/src/decode/json/scan.rs``), because the limit on work in damaged text counts the bytes up to these positions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Cut", "Key", "Wrong", "key_at", "may_continue", "skip_space", "value_end"]

_SPACE = re.compile(rb"[ \t\r\n]*")
_STRING = re.compile(rb'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
_ESCAPE_BEGUN = re.compile(rb"\\(?:u[0-9a-fA-F]{0,3})?")
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_NUMBER_BYTES = re.compile(rb"[-+.eE0-9]*")
_WORDS = {word[:1]: word for word in (b"true", b"false", b"null", b"NaN", b"Infinity")}
_CLOSERS = {b"{": b"}", b"[": b"]"}


class Cut(Exception):
    """Raised if the text ends inside a value that is valid so far."""


class Wrong(Exception):
    """Raised if the text is not JSON: ``position`` is the index of the error."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an object: the range of its text with the quotes, and the index of its value, which may be cut off."""

    start: int
    end: int
    value: int


def skip_space(data: bytes, at: int, stop: int) -> int:
    """Return the index of the first byte from ``at`` on that is not white space, but at most ``stop``."""
    match = _SPACE.match(data, at, stop)
    return match.end() if match else at


def may_continue(data: bytes, position: int, stop: int) -> bool:
    """Whether more text after ``stop`` may repair the error at ``position``.

    Only a number can be incomplete and look wrong: after ``1.``, the point is an error until a digit follows.
    """
    match = _NUMBER_BYTES.match(data, position, stop)
    return match is not None and match.end() == stop


def key_at(data: bytes, at: int, stop: int) -> Key:
    """Return the key at ``at``.

    Raises:
        Cut: the text ends before the colon.
        Wrong: there is no key with a colon.

    """
    _expect(data, at, stop, b'"')
    end = _string_end(data, at, stop)
    colon = skip_space(data, end, stop)
    _expect(data, colon, stop, b":")
    return Key(at, end, skip_space(data, colon + 1, stop))


def value_end(data: bytes, at: int, stop: int) -> int:
    """Return the index after the value at ``at``.

    Raises:
        Cut: the text ends inside the value.
        Wrong: the text is not a JSON value.

    """
    open_: list[bytes] = []
    while True:
        first = data[at : min(at + 1, stop)]
        if first in _CLOSERS:
            at = skip_space(data, at + 1, stop)
            open_.append(_CLOSERS[first])
            if data[at : min(at + 1, stop)] != open_[-1]:
                at = key_at(data, at, stop).value if first == b"{" else at
                continue
            open_.pop()
            at += 1
        else:
            at = _scalar_end(data, at, stop)
        next_at = _after_value(data, at, stop, open_)
        if not open_:
            return next_at
        at = next_at


def _after_value(data: bytes, at: int, stop: int, open_: list[bytes]) -> int:
    """Close the brackets after a value. Return the index of the next value or, if no bracket is open, of the end."""
    while open_:
        at = skip_space(data, at, stop)
        if at == stop:
            raise Cut
        found = data[at : at + 1]
        if found == b",":
            at = skip_space(data, at + 1, stop)
            return key_at(data, at, stop).value if open_[-1] == b"}" else at
        if found != open_[-1]:
            raise Wrong(at)
        open_.pop()
        at += 1
    return at


def _expect(data: bytes, at: int, stop: int, byte: bytes) -> None:
    if at >= stop:
        raise Cut
    if data[at : at + 1] != byte:
        raise Wrong(at)


def _string_end(data: bytes, at: int, stop: int) -> int:
    match = _STRING.match(data, at, stop)
    end = match.end() if match else at
    if end == stop:
        raise Cut
    if data[end] == 0x22:  # "
        return end + 1
    if _ESCAPE_BEGUN.fullmatch(data, end, stop):
        raise Cut
    raise Wrong(end)


def _scalar_end(data: bytes, at: int, stop: int) -> int:
    if at >= stop:
        raise Cut
    first = data[at : at + 1]
    if first == b'"':
        return _string_end(data, at, stop)
    if first in _WORDS:
        return _word_end(data, at, stop, _WORDS[first])
    if data[at : min(at + 2, stop)] == b"-I":
        return _word_end(data, at, stop, b"-Infinity")
    match = _NUMBER.match(data, at, stop)
    if match:
        return match.end()
    if first == b"-" and at + 1 == stop:
        raise Cut
    raise Wrong(at)


def _word_end(data: bytes, at: int, stop: int, word: bytes) -> int:
    found = data[at : min(at + len(word), stop)]
    if found == word:
        return at + len(word)
    if word.startswith(found):
        raise Cut
    raise Wrong(at)

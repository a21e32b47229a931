"""Parses JSON text without loss: preserves the order, duplicate keys, number literals, and unquoted ``NaN``.

The scanner comes from the standard library. ``wsparquet.decode.reference.values`` describes the values that it returns.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder
from typing import Any

from wsparquet.decode.reference.values import Constant, Literal, LoneSurrogates

__all__ = ["DEEP", "BadText", "checked", "scan"]

DEEP = Literal("")
"""Stands for a valid value that is nested so deep that the parser cannot build it."""

_DECODER = JSONDecoder(object_pairs_hook=tuple, parse_int=Literal, parse_float=Literal, parse_constant=Constant)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class BadText(Exception):
    """Raised for text that is not a JSON value or not valid UTF-8. The message describes the error and its position.

    ``position`` is the index in the complete text where reading failed, or 0 if the index is unknown.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


def scan(text: str, position: int) -> tuple[Any, int]:
    """Return the value that starts at ``position`` and the position after it.

    Raises:
        BadText: no complete JSON value starts there.

    """
    try:
        value, end = _DECODER.raw_decode(text, position)
    except JSONDecodeError as error:
        raise BadText(f"{error.msg.removesuffix(' at')} at byte {error.pos - position}", error.pos) from None
    except RecursionError:
        raise BadText("nested too deep") from None
    return value, end


def checked(raw: bytes, value: Any) -> Any:
    """Check that ``raw`` is valid UTF-8, and return its value.

    Strings that UTF-8 cannot represent become ``LoneSurrogates``. The result is ``DEEP`` if the value is nested too
    deep to look for these strings.

    Raises:
        BadText: the bytes are not valid UTF-8.

    """
    if not raw.isascii():
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadText(f"invalid UTF-8 at byte {error.start}") from None
    try:
        return _marked(value) if _SURROGATE_ESCAPE.search(raw) else value
    except RecursionError:
        return DEEP


def _marked(value: Any) -> Any:
    """Return the value, in which each key or string with a lone surrogate is replaced by a ``LoneSurrogates``."""
    if type(value) is tuple:
        return tuple((_marked(key), _marked(item)) for key, item in value)
    if type(value) is list:
        return [_marked(item) for item in value]
    if type(value) is str and _SURROGATE.search(value):
        return LoneSurrogates(value)
    return value

"""JSON text into Python values that keep everything: order, duplicate keys, number literals, bare ``NaN``.

The scanner is the standard library's; ``wsparquet.decode.reference.values`` describes what it is made to return.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder
from typing import Any

from wsparquet.decode.reference.values import Constant, Literal, LoneSurrogates

__all__ = ["BadText", "checked", "scan"]

_DECODER = JSONDecoder(object_pairs_hook=tuple, parse_int=Literal, parse_float=Literal, parse_constant=Constant)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class BadText(Exception):
    """Text that is no JSON value, or no UTF-8; the message says which, and where in it.

    ``position`` is the index in the whole text where reading it failed, 0 where that is not known.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


def scan(text: str, position: int) -> tuple[Any, int]:
    """The value that starts at ``position``, and the position behind it.

    Raises:
        BadText: no whole JSON value starts there.

    """
    try:
        value, end = _DECODER.raw_decode(text, position)
    except JSONDecodeError as error:
        raise BadText(f"{error.msg.removesuffix(' at')} at byte {error.pos - position}", error.pos) from None
    except RecursionError:
        raise BadText("nested too deep") from None
    return value, end


def checked(raw: bytes, value: Any) -> Any:
    """What was scanned from ``raw``, its strings that no UTF-8 can hold marked as such.

    Raises:
        BadText: the bytes are no UTF-8, or nested deeper than this can go.

    """
    if not raw.isascii():
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise BadText(f"invalid UTF-8 at byte {error.start}") from None
    try:
        return _marked(value) if _SURROGATE_ESCAPE.search(raw) else value
    except RecursionError:
        raise BadText("nested too deep") from None


def _marked(value: Any) -> Any:
    """The value with every string that holds a lone surrogate, key or value, as ``LoneSurrogates``."""
    if type(value) is tuple:
        return tuple((_marked(key), _marked(item)) for key, item in value)
    if type(value) is list:
        return [_marked(item) for item in value]
    if type(value) is str and _SURROGATE.search(value):
        return LoneSurrogates(value)
    return value

"""Converts JSON scalars to column values: one converter for each kind of leaf.

Parsed JSON loses nothing: an object is a tuple of ``(key, value)`` pairs, which keeps order and duplicates, an array is
a list, a number is a ``Literal``, and unquoted ``NaN`` and ``Infinity`` are ``Constant``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from wsparquet.schema.fields import EARLIEST_MS, LATEST_MS

__all__ = ["CONVERTERS", "MISFIT", "Constant", "Literal", "LoneSurrogates", "to_milliseconds"]


class Literal(str):
    """A number as the source wrote it."""

    __slots__ = ()


class Constant(str):
    """An unquoted ``NaN``, ``Infinity``, or ``-Infinity``."""

    __slots__ = ()


class LoneSurrogates(str):
    """A string that UTF-8 cannot represent."""

    __slots__ = ()


MISFIT: Final = object()
"""Returned for a value that does not fit its column. The caller rescues the value."""

_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:(Z)|([+-])([0-9]{2}):([0-9]{2}))?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_DIGITS = 19  # of an int64
_NAMED_DOUBLES = {
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "INF": float("inf"),
    "-Infinity": float("-inf"),
    "-INF": float("-inf"),
}


def _to_string(value: Any) -> Any:
    return value if type(value) is str else MISFIT


def _to_boolean(value: Any) -> Any:
    return value if type(value) is bool else MISFIT


def _integral(literal: str) -> int | None:
    """Return the value of a literal if it is an integer of at most 19 digits. Never builds larger integers."""
    if literal.isdigit() and len(literal) <= _MAX_DIGITS:
        return int(literal)
    match = _NUMBER.fullmatch(literal)
    if match is None:
        return None
    sign, whole, fraction, exponent = match.groups(default="")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return 0
    significant = digits.rstrip("0")
    scale = _power(exponent) - len(fraction) + len(digits) - len(significant)
    if scale < 0 or len(significant) + scale > _MAX_DIGITS:
        return None
    return int(sign + significant) * int(10**scale)


def _power(exponent: str) -> int:
    digits = exponent.lstrip("+-0") or "0"
    # Greater than any text's length: beyond that, the exact value does not matter.
    power = int(digits) if len(digits) <= 18 else 1 << 62
    return -power if exponent.startswith("-") else power


def _to_integer(low: int, high: int) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        if type(value) is Literal:
            number = _integral(value)
            if number is not None and low <= number <= high:
                return number
        return MISFIT

    return convert


def _to_double(value: Any) -> Any:
    if type(value) is Literal:
        number = float(value)
        # A double preserves up to 15 significant digits. Longer or scaled literals are compared with the double's text.
        if len(value) <= 15 and "e" not in value and "E" not in value:
            return number
        return number if _held(number, value) else MISFIT
    return _NAMED_DOUBLES.get(value, MISFIT) if type(value) is str else MISFIT


def _held(number: float, literal: str) -> bool:
    if number == 0.0:
        return not re.search("[1-9]", re.split("[eE]", literal, maxsplit=1)[0])
    return abs(number) != float("inf") and Decimal(repr(number)) == Decimal(literal)


def _to_timestamp(value: Any) -> Any:
    number = None
    if type(value) is Literal:
        number = _integral(value)
    elif type(value) is str:
        number = to_milliseconds(value)
    return number if number is not None and EARLIEST_MS <= number < LATEST_MS else MISFIT


def to_milliseconds(text: str) -> int | None:
    """Parse ``YYYY-MM-DD[T ]hh:mm:ss[.fraction][Z|±hh:mm]`` as milliseconds since 1970.

    Returns None if the text is not an instant, or if milliseconds would lose a digit of it.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    *parts, fraction, _, sign, hours, minutes = match.groups()
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > 3 or (minutes and int(minutes) > 59):
        return None
    try:
        shift = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        zone = timezone(-shift if sign == "-" else shift)
        year, month, day, hour, minute, second = map(int, parts)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None  # the text has the right form but is not an instant, such as February 31, or an offset of a day
    return (moment - _EPOCH) // timedelta(milliseconds=1) + int(fraction.ljust(3, "0"))


CONVERTERS: Final[dict[str, Callable[[Any], Any]]] = {
    "string": _to_string,
    "boolean": _to_boolean,
    "int32": _to_integer(-(1 << 31), (1 << 31) - 1),
    "int64": _to_integer(-(1 << 63), (1 << 63) - 1),
    "float64": _to_double,
    "timestamp": _to_timestamp,
}
"""For each kind of leaf, a function that converts a parsed scalar (never None) to the column's value or ``MISFIT``."""

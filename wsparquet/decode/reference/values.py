"""Converts JSON scalars to column values: one converter for each kind of leaf.

Parsed JSON loses nothing: an object is a tuple of ``(key, value)`` pairs, which keeps order and duplicates, an array is
a list, a number is a ``Literal``, and unquoted ``NaN`` and ``Infinity`` are ``Constant``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Context, Decimal
from typing import Any, Final

from wsparquet.schema.fields import EARLIEST_MS, LATEST_MS

__all__ = ["CONVERTERS", "MISFIT", "Constant", "Literal", "LoneSurrogates", "to_microseconds"]


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

_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:(Z)|([+-])([0-9]{2})(?::?([0-9]{2}))?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_DIGITS = 19  # of an int64
_MAX_ROUNDED = 17  # digits: if doubles are rounded to 17 digits, no two of them are equal
_EXACT = Context(prec=1000)  # a double has at most 767 significant digits
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
    """Return the value of a literal if it is an integer of at most 19 digits. No larger integer is ever built."""
    if literal.isdigit() and len(literal) <= _MAX_DIGITS:
        return int(literal)
    digits, scale = _digits(literal)
    if not digits:
        return 0
    if scale < 0 or len(digits) + scale > _MAX_DIGITS:
        return None
    number = int(digits) * int(10**scale)
    return -number if literal.startswith("-") else number


def _power(exponent: str) -> int:
    digits = exponent.lstrip("+-0") or "0"
    # The replacement for a huge exponent is greater than the length of any text; the exact value does not matter.
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
        # A number of up to 15 significant digits equals its nearest double, rounded to as many digits.
        if len(value) <= 15 and "e" not in value and "E" not in value:
            return number
        return number if _denotes(value, number) else MISFIT
    return _NAMED_DOUBLES.get(value, MISFIT) if type(value) is str else MISFIT


def _denotes(literal: str, number: float) -> bool:
    """Whether a literal is its nearest double's shortest spelling, or a spelling with up to 17 correct digits.

    Programs write doubles in different ways: most write the shortest form; others, such as C's ``%.17g``, write 16 or
    17 digits.
    """
    digits, scale = _digits(literal)
    if number == 0.0 or not digits:
        return number == 0.0 and not digits
    if abs(number) == float("inf"):
        return False
    size = abs(number)
    exact, spelled = Decimal(size), Decimal(f"{digits}e{scale}")
    unit = Decimal(f"1e{scale}")
    near = len(digits) <= _MAX_ROUNDED and abs(_EXACT.subtract(exact, spelled)) * 2 <= unit
    return near or Decimal(repr(size)) == spelled


def _digits(literal: str) -> tuple[str, int]:
    """Return a literal's digits without leading and trailing zeros, and the power of ten of the last digit."""
    mantissa, _, exponent = literal.lower().partition("e")
    whole, _, fraction = mantissa.removeprefix("-").partition(".")
    digits = (whole + fraction).rstrip("0")
    return digits.lstrip("0"), _power(exponent) - len(fraction) + len(whole + fraction) - len(digits)


def _to_timestamp(value: Any) -> Any:
    number = None
    if type(value) is Literal:
        milliseconds = _integral(value)
        number = None if milliseconds is None else milliseconds * 1000
    elif type(value) is str:
        number = to_microseconds(value)
    return number if number is not None and EARLIEST_MS * 1000 <= number < LATEST_MS * 1000 else MISFIT


def to_microseconds(text: str) -> int | None:
    """Parse ``YYYY-MM-DD[T ]hh:mm:ss[.fraction][Z|±hh:mm|±hhmm|±hh]`` as microseconds since 1970.

    Returns None if the text is not an instant, or if the instant has digits beyond microseconds.
    """
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    *parts, fraction, _, sign, hours, minutes = match.groups()
    fraction = (fraction or "").rstrip("0")
    if len(fraction) > 6 or (minutes and int(minutes) > 59):
        return None
    try:
        shift = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        zone = timezone(-shift if sign == "-" else shift)
        year, month, day, hour, minute, second = map(int, parts)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None  # text of the right form that is not an instant, such as February 31 or an offset of 24 hours
    return (moment - _EPOCH) // timedelta(microseconds=1) + int(fraction.ljust(6, "0"))


CONVERTERS: Final[dict[str, Callable[[Any], Any]]] = {
    "string": _to_string,
    "boolean": _to_boolean,
    "int32": _to_integer(-(1 << 31), (1 << 31) - 1),
    "int64": _to_integer(-(1 << 63), (1 << 63) - 1),
    "float64": _to_double,
    "timestamp": _to_timestamp,
}
"""For each kind of leaf, a function that converts a parsed scalar (never None) to the column's value or ``MISFIT``."""

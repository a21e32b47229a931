"""Whether each kind of column takes exactly the JSON scalars that it can hold, and each as the value that it is."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scale import FULL, scaled
from wsparquet.decode.model import Limits
from wsparquet.decode.reference.events import Record
from wsparquet.decode.reference.splitter import Splitter
from wsparquet.decode.reference.values import CONVERTERS, MISFIT, Constant, Literal, LoneSurrogates, to_microseconds

many = settings(max_examples=scaled(5_000, 300), deadline=None, derandomize=not FULL, database=None)

PARSED = {"string": str, "boolean": bool, "int32": int, "int64": int, "float64": float, "timestamp": int}
"""The Python type of a column's value."""


def convert(kind: str, text: str) -> Any:
    """What a column of a kind makes of JSON text."""
    splitter = Splitter(Limits())
    events = [*splitter.feed(b'{"recordCollection":[%s]}' % text.encode()), *splitter.finish()]
    (record,) = [event for event in events if isinstance(event, Record)]
    assert record.reason is None
    return CONVERTERS[kind](record.value)


# --- Tables -----------------------------------------------------------------------------------------------------------

TIME = 1467291704525
TIME_US = TIME * 1000

ACCEPTED: dict[str, dict[str, Any]] = {
    "string": {
        '""': "", '"NaN"': "NaN", '"7"': "7", r'"\u0000"': "\0", r'"\ud83d\ude00"': "😀", '"\u2028é"': "\u2028é",
    },
    "boolean": {"true": True, "false": False},
    "int32": {
        "0": 0, "-0": 0, "0.0": 0, "0e99999999999999999999": 0, "7.0": 7, "1e2": 100, "1E+2": 100, "12.5e1": 125,
        "100e-2": 1, "2147483647": 2147483647, "-2147483648": -2147483648, "2.147483647e9": 2147483647,
        "0.00000000000000000000000000001e29": 1, "1" + "0" * 400 + "e-400": 1, "1e000000000000000000000002": 100,
        "3.000000000000000000000000000000": 3,
    },
    "int64": {
        "2147483648": 2147483648, "9223372036854775807": 9223372036854775807,
        "-9223372036854775808": -9223372036854775808, "9223372036854775807.0": 9223372036854775807,
        "922337203685477580.7e1": 9223372036854775807, "9007199254740993": 9007199254740993, "1e18": 10**18,
    },
    "float64": {
        "0": 0.0, "1": 1.0, "-1": -1.0, "0.1": 0.1, "1.50": 1.5, "1e40": 1e40, "5e-324": 5e-324,
        "1.7976931348623157e308": 1.7976931348623157e308, "0.30000000000000004": 0.30000000000000004,
        "9007199254740992": 9007199254740992.0, "100000000000000000000000": 1e23,
        "123456789012345.6": 123456789012345.6,
        "4.9e-324": 5e-324, "816.45000000000005": 816.45, "29.949999999999999": 29.95, "4.6566128730773926E-10": 2**-31,
        "5.960464477539063e-08": 2**-24, "5.684341886080802e-14": 2**-44, "0.10000000000000000": 0.1,
        "2.9802322387695312e-08": 2**-25, "2.9802322387695313e-08": 2**-25, "4.9406564584124654E-324": 5e-324,
        "0." + "0" * 5000 + "1e5000": 0.1, "1" + "0" * 5000 + "e-5000": 1.0,
        "0e400": 0.0, "0.000e-400": 0.0, '"Infinity"': math.inf, '"INF"': math.inf, '"-Infinity"': -math.inf,
        '"-INF"': -math.inf, "2.2250738585072014e-308": 2.2250738585072014e-308, "1" + "0" * 22: 1e22,
    },
    "timestamp": {
        str(TIME): TIME_US, f"{TIME}.0": TIME_US, "1.467291704525e12": TIME_US, "946684800000": 946684800000000,
        "4102444799999": 4102444799999000, '"2016-06-30T13:01:44.525"': TIME_US, '"2016-06-30 13:01:44.525Z"': TIME_US,
        '"2016-06-30T13:01:44.525000000000Z"': TIME_US, '"2016-06-30T15:01:44.525+02:00"': TIME_US,
        '"2016-06-30T07:31:44.525-05:30"': TIME_US, '"2016-06-30T13:01:44.5"': TIME_US - 25000,
        '"2016-06-30T13:01:44"': TIME_US - 525000, '"2016-06-30T13:01:44.525001"': TIME_US + 1,
        '"2000-01-01T00:00:00Z"': 946684800000000, '"1999-12-31T23:00:00-01:00"': 946684800000000,
        '"2016-07-01T13:00:44.525+23:59"': TIME_US, '"2016-02-29T00:00:00"': 1456704000000000,
        '"2016-06-30T13:01:44.525-00:00"': TIME_US, '"2016-06-30T15:01:44.525+0200"': TIME_US,
        '"2016-06-30T15:01:44.525+02"': TIME_US, '"2016-06-30T07:31:44.525-0530"': TIME_US,
        '"2099-12-31T23:59:59.999999Z"': 4102444799999999,
    },
}  # fmt: skip

NUMBERS = ["0", "1", "-1.5", "1e2"]
OTHERS = ["[]", "{}", "[1]", '{"a":1,"b":2}', "NaN", "Infinity", "-Infinity", r'"\ud83d"', r'"x\udc00"']

REJECTED = {
    "string": [*NUMBERS, "true", *OTHERS],
    "boolean": [*NUMBERS, '"true"', '""', *OTHERS],
    "int32": [
        *("0.5", "1e-1", "1.0000000000000000000000000000001", "2147483648", "-2147483649", "1e10"),
        *("1e99999999999999999999", "1e-99999999999999999999", "9" * 5000, "0.1e0", '"1"', '""', "true"),
        *("false", *OTHERS),
    ],
    "int64": ["9223372036854775808", "-9223372036854775809", "1e19", "9223372036854775807.5", '"1"', "true", *OTHERS],
    "float64": [
        *("9007199254740993", "1e400", "-1e400", "1e-400", "3e-324", "0.1000000000000000055511151231257827", "1e309"),
        *("123456789012345678", "0.12345678901234567890", "1" + "0" * 400, "2e-324", "816.45000000000006", '"1"'),
        *("9" * 5000, '"nan"', '"inf"', '"+INF"', '"NaN "', '""', "true", *OTHERS),
    ],
    "timestamp": [
        *("0", "1467291704", "946684799999", "4102444800000", "9223372036854775807", f"{TIME}.5", "-1467291704525"),
        *('"2016-06-30"', '"2016-06-30T13:01"', '"2016-06-30T13:01:44.1234567"', '"2016-06-30T13:01:44.0000001"'),
        *('"2016-06-30T13:01:44."', '"2016-06-30t13:01:44"', '"2016-06-30T13:01:44z"', '"2016-06-30T13:01:44+2"'),
        *('"2016-06-30T13:01:44+020"', '"2016-06-30T13:01:44+02:"', '"2016-06-30T13:01:44+2400"'),
        *('"2016-06-30T13:01:44 Z"', '" 2016-06-30T13:01:44"', '"2016-06-30T13:01:44\\n"'),
        *('"2016-02-30T00:00:00"', '"2015-02-29T00:00:00"', '"2016-13-01T00:00:00"', '"2016-06-30T24:00:00"'),
        *('"2016-06-30T23:59:60"', '"2016-06-30T13:01:44+24:00"', '"2016-06-30T13:01:44+02:60"'),
        *('"16-06-30T13:01:44"', '"2100-01-01T00:00:00Z"', '"1999-12-31T23:59:59.999Z"', '"0000-01-01T00:00:00"'),
        *('"0001-01-01T00:00:00+01:00"', '"2016-06-3０T13:01:44"', f'"{TIME}"', '"yesterday"', '""', "true", *OTHERS),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in ACCEPTED.items() for text in texts])
def test_accepted(kind: str, text: str) -> None:
    """A scalar that fits becomes the value that it is, of exactly the column's type."""
    value = convert(kind, text)
    assert type(value) is PARSED[kind]
    assert value == ACCEPTED[kind][text]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in REJECTED.items() for text in texts])
def test_rejected(kind: str, text: str) -> None:
    """What does not fit is a misfit, neither an error nor another value."""
    assert convert(kind, text) is MISFIT


def test_every_kind_is_in_the_tables() -> None:
    """No kind of column is without accepted and rejected scalars."""
    assert ACCEPTED.keys() == REJECTED.keys() == CONVERTERS.keys()


def test_not_a_number() -> None:
    """The string NaN is that double; the bare word is none."""
    assert math.isnan(convert("float64", '"NaN"'))
    assert convert("float64", "NaN") is MISFIT


def test_negative_zero_keeps_its_sign() -> None:
    """A double can hold the sign of zero, so it does."""
    assert math.copysign(1, convert("float64", "-0.0")) == -1.0


# --- Properties -------------------------------------------------------------------------------------------------------

LITERALS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,3})?\Z").map(
    lambda text: text.strip()
)


@many
@given(value=st.integers(-(1 << 65), 1 << 65))
def test_integers_fit_by_their_range(value: int) -> None:
    """An integer fits int32 and int64 iff it is in range, and then is itself."""
    for kind, bits in (("int32", 31), ("int64", 63)):
        expected = value if -(1 << bits) <= value < 1 << bits else MISFIT
        assert convert(kind, str(value)) == expected


@many
@given(literal=LITERALS)
def test_integral_literals_fit(literal: str) -> None:
    """However it is written, a number fits an integer column iff it is integral and in range."""
    exact = Fraction(literal)
    fits = exact.denominator == 1 and -(1 << 63) <= exact < 1 << 63
    assert convert("int64", literal) == (int(exact) if fits else MISFIT)


@many
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_round_trip(value: float) -> None:
    """Every finite double's shortest text fits and is that double, its sign too."""
    for text in {repr(value), json.dumps(value), f"{Decimal(repr(value)):f}"}:
        found = convert("float64", text)
        assert type(found) is float
        assert (found, math.copysign(1, found)) == (value, math.copysign(1, value))


def spellings(number: float) -> st.SearchStrategy[str]:
    """Texts of a double, with any number of digits, with and without an exponent, and numbers close to such texts."""
    digits = st.integers(0, 18)
    return st.one_of(
        digits.map(lambda count: f"{number:.{count}e}"),
        digits.map(lambda count: f"{Decimal(f'{number:.{count}e}'):f}"),
        st.tuples(digits, st.sampled_from((-1, 1))).map(lambda off: _moved(number, *off)),
    )


def _moved(number: float, count: int, step: int) -> str:
    mantissa, _, exponent = f"{number:.{count}e}".partition("e")
    return f"{int(mantissa.replace('.', '')) + step}e{int(exponent) - count}"


DOUBLES = st.floats(allow_nan=False, allow_infinity=False) | st.builds(
    lambda mantissa, power: mantissa * 2.0**power, st.integers(-63, 63), st.integers(-1074, 960)
)
"""Doubles, among them many whose decimal expansion is short, so that it lies halfway between two shorter numbers."""


def is_spelling(literal: str) -> bool:
    """The rule of docs/decoding.md, in exact arithmetic."""
    exact, nearest = Fraction(literal), float(literal)
    if exact == 0 or nearest == 0.0 or math.isinf(nearest):
        return exact == nearest
    digits = literal.lower().partition("e")[0].replace("-", "").replace(".", "").strip("0")
    unit = abs(exact) / int(digits)
    near = len(digits) <= 17 and 2 * abs(exact - Fraction(nearest)) <= unit
    return near or Fraction(repr(nearest)) == exact


@many
@given(literal=LITERALS | DOUBLES.flatmap(spellings))
def test_a_literal_fits_if_it_is_a_spelling_of_its_double(literal: str) -> None:
    """A literal fits a double iff it is the shortest text, or has up to 17 digits and is within half a unit."""
    assert convert("float64", literal) == (float(literal) if is_spelling(literal) else MISFIT)


@many
@given(number=DOUBLES, digits=st.integers(0, 40))
def test_a_text_that_a_writer_of_doubles_makes_is_that_double(number: float, digits: int) -> None:
    """A double printed with 17 digits, or with as many as it has up to 17, becomes that double again."""
    texts = {repr(number), f"{number:.16e}", f"{number:.17g}"}
    short = f"{number:.{digits}g}"
    texts |= {short} if float(short) == number and digits <= 17 else set()
    assert {text: convert("float64", text) for text in texts} == dict.fromkeys(texts, number)


ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1999, 12, 30), datetime(2100, 1, 2), timezones=ZONES | st.just(UTC))


@many
@given(moment=MOMENTS, separator=st.sampled_from("T "), colon=st.sampled_from(("", ":")))
def test_times_are_their_instants(moment: datetime, separator: str, colon: str) -> None:
    """An ISO time with a zone is its instant iff it lies in the century, with or without a colon in its zone."""
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    fits = 946684800000000 <= expected < 4102444800000000
    text = moment.isoformat(separator)
    text = text[:-3] + colon + text[-2:]
    assert convert("timestamp", json.dumps(text)) == (expected if fits else MISFIT)
    if text.endswith("00"):
        assert convert("timestamp", json.dumps(text[: -2 - len(colon)])) == (expected if fits else MISFIT)


@many
@given(microseconds=st.integers(946684800000000, 4102444799999999), digits=st.integers(6, 12))
def test_times_without_zone_are_utc(microseconds: int, digits: int) -> None:
    """Without a zone a time is UTC, and zeros after the sixth digit of its fraction lose nothing."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    text = moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "0" * (digits - 6)
    assert to_microseconds(text) == microseconds
    assert to_microseconds(text + "Z") == microseconds


@many
@given(text=st.text(st.characters(codec=None, exclude_categories=()) | st.sampled_from("\ud83d\ude00")))
def test_strings_fit_unless_a_surrogate_is_alone(text: str) -> None:
    """A string is itself, its paired surrogates one character; with a lone one it fits nowhere."""
    expected: Any = MISFIT
    with suppress(UnicodeDecodeError):
        expected = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    assert convert("string", json.dumps(text)) == expected


@pytest.mark.parametrize("marked", [Literal("1"), Constant("NaN"), LoneSurrogates("\ud800")])
def test_marked_texts_are_no_strings(marked: str) -> None:
    """A number, a bare word and a lone surrogate are Python strings, and fit no string column."""
    assert CONVERTERS["string"](marked) is MISFIT

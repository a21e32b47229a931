"""How dataclasses become plain JSON values."""

from __future__ import annotations

import doctest
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from wsparquet import json_values
from wsparquet.json_values import JsonResult, in_json, json_dict, texts

MOMENT = datetime(2016, 6, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Inner:
    """A value within another one."""

    x: int = 1
    y: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Outer(JsonResult):
    """A result with every kind of declaration."""

    json_properties = (("twice", "count"),)

    count: int = 2
    inner: Inner = field(default=Inner(), metadata=in_json("renamed"))
    beside: Inner = field(default=Inner(), metadata=in_json(flat=True, convert=json_dict))
    secret: str = field(default="s", metadata=in_json(hidden=True))
    moment: datetime = MOMENT

    @property
    def twice(self) -> int:
        """Twice the count."""
        return 2 * self.count


def test_the_example_runs() -> None:
    """The module's example prints what it says."""
    assert doctest.testmod(json_values).attempted > 0
    assert doctest.testmod(json_values).failed == 0


def test_every_declaration() -> None:
    """Fields are renamed, laid flat, and left out as declared; a property follows its field."""
    found = Outer().to_dict()
    assert list(found.items()) == [
        ("count", 2),
        ("twice", 4),
        ("renamed", {"x": 1, "y": []}),
        ("x", 1),
        ("y", []),
        ("moment", "2016-06-30T00:00:00+00:00"),
    ]


def test_a_value_without_a_json_form_is_refused() -> None:
    """A value that JSON cannot hold is an error, never silently text."""
    with pytest.raises(TypeError, match="expected a value with a JSON form, found Decimal"):
        json_dict(Inner(y=(Decimal(1),)))


def test_rows_keep_values_without_a_json_form_as_text() -> None:
    """In rows, times and decimals become text; everything else stays as it is."""
    assert texts({"a": [MOMENT, True, None, {"b": Decimal("1.5")}]}) == {
        "a": ["2016-06-30 00:00:00+00:00", True, None, {"b": "1.5"}]
    }

"""Determines the day of a row from the timestamps in its columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wsparquet.schema import AnyTable
from wsparquet.schema.fields import DAY_US
from wsparquet.schema.own_timestamps import own_timestamps

__all__ = ["day_of", "own_day"]


def own_day(table: AnyTable, columns: Mapping[str, Any]) -> int | None:
    """Return the UTC day, in days since 1970, of a row's earliest timestamp outside of ``metaData``."""
    found = (instant for leaf in own_timestamps(table) for instant in _values(columns, leaf.steps))
    return day_of(min(found, default=None))


def day_of(microseconds: int | None) -> int | None:
    """Convert microseconds since 1970 to days since 1970."""
    return None if microseconds is None else microseconds // DAY_US


def _values(value: Any, steps: tuple[str | None, ...]) -> Iterator[int]:
    """Yield all values in a leaf column of one row."""
    if value is None:
        return
    if not steps:
        yield value
    elif steps[0] is None:
        for element in value:
            yield from _values(element, steps[1:])
    else:
        yield from _values(value.get(steps[0]), steps[1:])

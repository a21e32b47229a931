"""Chooses the days, weeks, months or years of a chart, so that the chart has about a hundred columns at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

__all__ = ["NO_DAY", "Calendar", "calendar_of"]

MOST = 130
"""How many columns a chart may have; if there are more days, it shows weeks, and so on."""

LONGEST_GAP = 31
"""The most empty columns in a row that a chart shows. A single wrong time must not make a chart of empty years."""

NO_DAY = "no day"


@dataclass(frozen=True)
class Unit:
    """A unit of time: its name, a function from a day to the first day of its unit, and the days to the next unit."""

    name: str
    start: Callable[[date], date]
    days: int
    form: str


UNITS = (
    Unit("day", lambda day: day, 1, "%Y-%m-%d"),
    Unit("week", lambda day: day - timedelta(day.weekday()), 7, "%Y-%m-%d"),
    Unit("month", lambda day: day.replace(day=1), 31, "%Y-%m"),
    Unit("year", lambda day: day.replace(month=1, day=1), 366, "%Y"),
)


@dataclass(frozen=True)
class Calendar:
    """The columns of a chart, in order.

    ``gaps`` says whether long spans without rows are omitted between the columns.
    """

    unit: Unit
    columns: tuple[str, ...]
    gaps: bool

    def column(self, day: date | None) -> str:
        """Return the column of a day."""
        return NO_DAY if day is None else self.unit.start(day).strftime(self.unit.form)


def calendar_of(days: Iterable[date | None]) -> Calendar:
    """Return the columns for days; the day None comes last. Without days, there are no columns."""
    found = {*days}
    known = [day for day in found if day is not None]
    calendars = (_calendar(unit, known) for unit in UNITS)
    chosen = next((each for each in calendars if len(each.columns) <= MOST), _calendar(UNITS[-1], known))
    return replace(chosen, columns=(*chosen.columns, NO_DAY)) if None in found else chosen


def _calendar(unit: Unit, days: Iterable[date]) -> Calendar:
    starts = sorted({*map(unit.start, days)})
    shown = [*starts[:1]]
    gaps = False
    for before, after in pairwise(starts):
        between = list(_between(unit, before, after))
        gaps |= len(between) > LONGEST_GAP
        shown += [*(between if len(between) <= LONGEST_GAP else ()), after]
    return Calendar(unit, tuple(start.strftime(unit.form) for start in shown), gaps)


def _between(unit: Unit, before: date, after: date) -> Iterator[date]:
    """Yield the units between two units, at most one more than a chart shows."""
    for _ in range(LONGEST_GAP + 1):
        before = unit.start(before + timedelta(unit.days))
        if before >= after:
            return
        yield before

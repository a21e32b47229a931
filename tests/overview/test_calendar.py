"""The columns of charts: all days if they are few, coarser units if they are many, and no years without rows."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from wsparquet.overview.calendar import LONGEST_GAP, MOST, NO_DAY, calendar_of

FIRST = date(2016, 6, 29)


def days(count: int, *, step: int = 1, first: date = FIRST) -> list[date | None]:
    """So many days, each ``step`` days after the one before."""
    return [first + timedelta(number * step) for number in range(count)]


def test_no_days_are_no_columns() -> None:
    """Rows without a day have a column of their own, the last one."""
    assert calendar_of([]).columns == ()
    assert calendar_of([None]).columns == (NO_DAY,)
    assert calendar_of([None, FIRST]).columns == ("2016-06-29", NO_DAY)


def test_days_without_rows_are_shown_between_others() -> None:
    """A missing day is an empty column; a span of more than a month is left out, and the calendar says so."""
    found = calendar_of([FIRST, FIRST + timedelta(3)])
    assert (found.columns, found.gaps) == (("2016-06-29", "2016-06-30", "2016-07-01", "2016-07-02"), False)
    edge = calendar_of([FIRST, FIRST + timedelta(LONGEST_GAP + 1)])
    assert (len(edge.columns), edge.gaps) == (LONGEST_GAP + 2, False)
    wrong = calendar_of([date(2000, 1, 1), FIRST, date(2099, 12, 31)])
    assert (wrong.columns, wrong.gaps) == (("2000-01-01", "2016-06-29", "2099-12-31"), True)


@pytest.mark.parametrize(
    ("given", "unit", "first", "last"),
    [
        (days(MOST), "day", "2016-06-29", "2016-11-05"),
        (days(MOST + 1), "week", "2016-06-27", "2016-10-31"),
        (days(800), "week", "2016-06-27", "2018-09-03"),
        (days(1000), "month", "2016-06", "2019-03"),
        (days(100, step=30), "month", "2016-06", "2024-08"),
        (days(20_000, first=date(2000, 1, 1)), "year", "2000", "2054"),
        (days(2, step=1, first=date(9999, 12, 30)), "day", "9999-12-30", "9999-12-31"),
    ],
)
def test_many_days_become_weeks_months_or_years(given: list[date | None], unit: str, first: str, last: str) -> None:
    """No chart has more columns than fit, and every day has its column."""
    found = calendar_of(given)
    assert (found.unit.name, found.columns[0], found.columns[-1]) == (unit, first, last)
    assert len(found.columns) <= MOST
    assert {found.column(day) for day in given} <= {*found.columns}
    assert len({*found.columns}) == len(found.columns)
    assert [*found.columns] == sorted(found.columns)

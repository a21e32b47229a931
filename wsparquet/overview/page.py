"""Renders the report of a root as one page of HTML, which has no scripts and loads nothing.

Jinja escapes every text, and every text is made printable, because anyone may have chosen the names of sources, the
paths and the values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from typing import Any

from wsparquet._version import __version__
from wsparquet.errors import WsparquetError
from wsparquet.overview.calendar import Calendar, calendar_of
from wsparquet.overview.charts import Cell, Run, covered_hours, heat_map, size_bars
from wsparquet.overview.facts import SIZE_CLASSES, SMALL_BYTES
from wsparquet.overview.root_report import RootReport
from wsparquet.query import Finding
from wsparquet.redaction import printable
from wsparquet.synchronisation import AccountStatus

__all__ = ["page"]

MOST_ROWS = 50
"""How many rows a table of the page shows; the page gives the number of the other rows."""

MOST_FINDINGS = 25
"""How many rows the heat map of drift has. The most frequent findings are shown."""

MOST_DAYS = 100
"""How many days the chart of an account's hours shows. The last days are shown."""

MOST_ACCOUNTS = 10
"""How many accounts have a chart of hours."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Hours:
    """The hours of an account: its status, the chart of its last days, and whether earlier days are omitted."""

    status: AccountStatus
    chart: str
    cut: bool


def page(report: RootReport) -> str:
    """Return the page. Raises WsparquetError if a package that draws or renders is not installed."""
    template = _environment().from_string(
        resources.files("wsparquet.overview").joinpath("page.html").read_text(encoding="utf-8")
    )
    rows = calendar_of(each.day for each in report.days)
    drift = calendar_of(_day(each) for each in report.drift_by_day)
    text: str = template.render(
        report=report,
        version=__version__,
        calendar=rows,
        rows_chart=_rows_chart(report, rows),
        hours=[_hours(account, chart=number < MOST_ACCOUNTS) for number, account in enumerate(report.accounts)],
        drift_calendar=drift,
        drift_chart=_drift_chart(report.drift_by_day, drift),
        sizes_chart=_sizes_chart(report),
        small_size=SMALL_BYTES,
        failed=[
            (account.account, each)
            for account in report.accounts
            for each in (*account.missing, *account.gone)
            if each.failed_since is not None or each.gone_at is not None
        ],
        most=MOST_ROWS,
    )
    return text


def _environment() -> Any:
    try:
        from jinja2 import Environment, StrictUndefined
        from markupsafe import Markup
    except ImportError as error:
        raise WsparquetError(
            "expected the package jinja2, found none; install it with: pip install 'wsparquet[report]'"
        ) from error
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    environment.filters.update(size=_size, count=lambda number: f"{number:,}", time=_time, drawn=Markup)
    return environment


# --- Charts -----------------------------------------------------------------------------------------------------------


def _rows_chart(report: RootReport, calendar: Calendar) -> str:
    counts: dict[tuple[str, str], int] = {}
    for each in report.days:
        key = calendar.column(each.day), each.table
        counts[key] = counts.get(key, 0) + each.rows
    cells = [
        Cell(column, table, count, f"{column}, {table}: {count:,} rows") for (column, table), count in counts.items()
    ]
    tables = [each.table for each in report.tables]
    return heat_map(cells, calendar.columns, tables, label="Rows by day and table") if cells else ""


def _drift_chart(findings: Sequence[Finding], calendar: Calendar) -> str:
    totals: dict[str, int] = {}
    counts: dict[tuple[str, str], int] = {}
    for each in findings:
        name, column = _name(each), calendar.column(_day(each))
        totals[name] = totals.get(name, 0) + each.count
        counts[column, name] = counts.get((column, name), 0) + each.count
    shown = sorted(totals, key=lambda name: (-totals[name], name))[:MOST_FINDINGS]
    cells = [
        Cell(column, name, count, f"{column}, {name}: {count:,}")
        for (column, name), count in counts.items()
        if name in shown
    ]
    return heat_map(cells, calendar.columns, shown, label="Drift by day") if cells else ""


def _sizes_chart(report: RootReport) -> str:
    sizes: Mapping[str, int] = {name: sum(table.sizes[name] for table in report.tables) for _, name in SIZE_CLASSES}
    return size_bars(sizes, label="Files by size") if any(sizes.values()) else ""


def _hours(account: AccountStatus, *, chart: bool) -> Hours:
    runs = list(_runs(account)) if chart else []
    days = sorted({run.day for run in runs})
    shown = {*days[-MOST_DAYS:]}
    drawn = [run for run in runs if run.day in shown]
    svg = covered_hours(drawn, label=printable(f"Covered hours of account {account.account}")) if drawn else ""
    return Hours(account, svg, len(shown) < len(days))


def _runs(account: AccountStatus) -> Iterator[Run]:
    """Yield the runs of covered hours and of gaps of an account, cut at midnight, in order."""
    if account.first_hour is None or account.last_hour is None:
        return
    start = account.first_hour
    for gap_start, gap_end in account.gaps:
        yield from _cut(start, gap_start, covered=True)
        yield from _cut(gap_start, gap_end, covered=False)
        start = gap_end
    yield from _cut(start, account.last_hour + HOUR, covered=True)


def _cut(start: datetime, end: datetime, *, covered: bool) -> Iterator[Run]:
    """Yield a span of time as one run for each day; of a very long span, only the last days, which are shown."""
    start = max(start, end - timedelta(MOST_DAYS + 1))
    while start < end:
        midnight = datetime.combine(start.date(), datetime.min.time(), start.tzinfo)
        last = min(end, midnight + timedelta(1))
        yield Run(start.date(), (start - midnight) / HOUR, (last - midnight) / HOUR, covered)
        start = last


# --- Texts ------------------------------------------------------------------------------------------------------------


def _name(finding: Finding) -> str:
    """Return the kind, the table and the path of a finding in one text."""
    return " · ".join(each for each in (finding.kind, finding.table, finding.path) if each)


def _day(finding: Finding) -> date | None:
    return None if finding.period is None else date.fromisoformat(finding.period)


def _time(moment: datetime | str | None) -> str:
    if moment is None:
        return "unknown"
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return moment.strftime("%Y-%m-%d %H:%M")


def _size(number: int | None) -> str:
    """Return a number of bytes in a unit that makes it readable."""
    if number is None:
        return "unknown"
    amount = float(number)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:,.0f} {unit}" if unit == "bytes" or amount >= 100 else f"{amount:,.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} TiB"

"""Renders `visits`: one row for each visit, with one value of each kind, chosen by a rule.

Each part of the query has the columns of one table or flat view, with at most a few rows for each visit; the columns of
other parts are null there. Grouping the rows of all parts by visit gives one row for each visit, without a join, in
which rows could multiply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from wsparquet.render.views.dialects import Dialect
from wsparquet.render.views.rows import rows_query
from wsparquet.schema import TABLES
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.flat_views import FlatView, Rows, ViewColumn

__all__ = ["VISITS", "visits_query"]

KEY = ("accountId", "visitId")


@dataclass(frozen=True)
class VisitColumn:
    """A column of `visits`, and how its values of all parts become one: ``MIN``, ``MAX``, ``SUM`` or ``COUNT``.

    ``COUNT`` is a sum that is 0 if there is nothing to count; ``SUM`` is null then.
    """

    name: str
    type: pa.DataType
    how: str
    doc: str


TEXT, COUNT, AMOUNT = pa.string(), pa.int64(), pa.float64()
FIRST_REPORT = "of the first report that has a country"
FIRST_SESSION = "of the report with the earliest start of the session"

COLUMNS = (
    VisitColumn("visitorId", TEXT, "MIN", "The visitor; the first in alphabetical order, if records name several."),
    VisitColumn("date", pa.date32(), "MIN", "The first day of the visit's rows, in UTC."),
    VisitColumn("started_at", TIMESTAMP, "MIN", "The earliest timestamp of the session, its pages and all its events."),
    VisitColumn("ended_at", TIMESTAMP, "MAX", "The latest timestamp of the session, its pages and all its events."),
    VisitColumn("country", TEXT, "MAX", f"Country name {FIRST_REPORT}."),
    VisitColumn("country_code", TEXT, "MAX", f"Country code {FIRST_REPORT}."),
    VisitColumn("state", TEXT, "MAX", f"State name {FIRST_REPORT}."),
    VisitColumn("city", TEXT, "MAX", f"City name {FIRST_REPORT}."),
    VisitColumn("device_family", TEXT, "MAX", f"Device type {FIRST_SESSION}."),
    VisitColumn("device_os", TEXT, "MAX", f"Device OS type {FIRST_SESSION}."),
    VisitColumn("search_engine", TEXT, "MAX", f"Search engine {FIRST_SESSION}."),
    VisitColumn("site_control_group", TEXT, "MAX", f"Site control group {FIRST_SESSION}."),
    VisitColumn("landing_page", TEXT, "MAX", "The page with the earliest time."),
    VisitColumn("exit_page", TEXT, "MAX", "The page with the latest time."),
    VisitColumn("pages", COUNT, "COUNT", "The number of rows in `page_views`."),
    VisitColumn("impressions_shown", COUNT, "COUNT", "The number of rows in `impressions` of the type Show."),
    VisitColumn("impressions_accepted", COUNT, "COUNT", "The number of rows in `impressions` of the type Accept."),
    VisitColumn(
        "goals", COUNT, "COUNT", "The number of different achievements in `goals`; each without an identifier counts."
    ),
    VisitColumn(
        "orders", COUNT, "COUNT", "The number of different orders in `purchases`; each without an identifier counts."
    ),
    VisitColumn(
        "order_value", AMOUNT, "SUM", "The sum of the totals of these orders, each by its first report; null if none."
    ),
    VisitColumn("customer_type", TEXT, "MAX", "The customer type in the last report that has one."),
)

VISITS = (
    ViewColumn("accountId", TEXT, "LivePerson account number."),
    ViewColumn("visitId", TEXT, "Unique visitor session identifier; records without one belong to no visit."),
    *(ViewColumn(column.name, column.type, column.doc) for column in COLUMNS),
)
"""The columns of the view."""


def visits_query(dialect: Dialect) -> str:
    """Return the query of `visits`. It reads all tables and the flat views by their names."""
    q = dialect.name
    columns = ",\n  ".join([*map(q, KEY), *(_combined(column, dialect) for column in COLUMNS)])
    parts = "\n  UNION ALL\n  ".join(_indented(part) for part in _parts(dialect))
    return f"SELECT\n  {columns}\nFROM (\n  {parts}\n) AS {q('part')}\nGROUP BY {', '.join(map(q, KEY))}"


def _combined(column: VisitColumn, dialect: Dialect) -> str:
    name = dialect.name(column.name)
    if column.how != "COUNT":
        return f"{column.how}({name}) AS {name}"
    return f"CAST(COALESCE(SUM({name}), 0) AS {dialect.types[column.type]}) AS {name}"


def _indented(query: str) -> str:
    return query.replace("\n", "\n  ")


def _parts(dialect: Dialect) -> Iterator[str]:
    """Yield the parts; the first gives the columns their names and types."""
    q = dialect.name
    for table in TABLES:
        start = {"started_at": q("sessionStartTime"), "ended_at": q("sessionStartTime")}
        values = {"visitorId": q("visitorId"), "date": q("date"), **(start if table == "session_info" else {})}
        keys = (_path_of_account(dialect), q("visitId"))
        yield _part(dialect, dialect.relation(table), values, keys=keys)
    for view, time in {"page_views": "viewed_at", "impressions": "occurred_at", "goals": "achieved_at"}.items():
        yield _part(dialect, dialect.relation(view), {"started_at": q(time), "ended_at": q(time)})
    for source, time in ((ATTRIBUTES, "reported_at"), (ASSESSMENTS, "assessed_at")):
        times = f"({_indented(rows_query(source, source.rows[0], dialect))}) AS {q('event')}"
        yield _part(dialect, times, {"started_at": q(time), "ended_at": q(time)})
    yield from _chosen_parts(dialect)
    yield from _counted_parts(dialect)


ATTRIBUTES = FlatView(
    "attributes",
    "",
    (Rows("engagement_attributes", {"attribute": "engagementAttributes"}, {"reported_at": "attribute.timestamp"}),),
)
ASSESSMENTS = FlatView(
    "assessments",
    "",
    (Rows("eligibility", {"assessment": "eligibilityData"}, {"assessed_at": "assessment.timestamp"}),),
)


def _path_of_account(dialect: Dialect) -> str:
    if dialect.unnesting == "flatten":
        return f"{dialect.name('metaData')}:{dialect.name('accountId')}::{dialect.types[TEXT]}"
    return dialect.path("metaData.accountId")


def _part(dialect: Dialect, source: str, values: Mapping[str, str], *, keys: tuple[str, str] | None = None) -> str:
    q = dialect.name
    account, visit = keys or (q("accountId"), q("visitId"))
    columns = [f"{account} AS {q('accountId')}", f"{visit} AS {q('visitId')}"]
    columns += [f"{values.get(each.name) or dialect.null(each.type)} AS {q(each.name)}" for each in COLUMNS]
    return f"SELECT {', '.join(columns)}\nFROM {source}\nWHERE {visit} IS NOT NULL"


# --- Columns of one chosen row ----------------------------------------------------------------------------------------


def _chosen_parts(dialect: Dialect) -> Iterator[str]:
    q = dialect.name
    place = {"country": "country", "country_code": "countryCode", "state": "state", "city": "city"}
    yield _chosen(dialect, dialect.relation("geo"), place, _nulls_last(q("country")), account=_path_of_account(dialect))
    device = {
        "device_family": "deviceFamily",
        "device_os": "deviceOS",
        "search_engine": "searchEngine",
        "site_control_group": "siteControlGroup",
    }
    start = q("sessionStartTime")
    session = f"{_nulls_last(start)}, {start}"
    yield _chosen(dialect, dialect.relation("session_info"), device, session, account=_path_of_account(dialect))
    pages, viewed, url = dialect.relation("page_views"), q("viewed_at"), q("url")
    first, last = (f"{_nulls_last(viewed)}, {viewed}{way}" for way in ("", " DESC"))
    yield _chosen(dialect, pages, {"landing_page": "url"}, first, then=url)
    yield _chosen(dialect, pages, {"exit_page": "url"}, last, then=f"{url} DESC", latest=True)
    kind, reported = q("customer_type"), q("reported_at")
    last = f"{_nulls_last(kind)}, {_nulls_last(reported)}, {reported} DESC"
    customer = {"customer_type": "customer_type"}
    yield _chosen(dialect, dialect.relation("customers"), customer, last, then=f"{kind} DESC", latest=True)


def _nulls_last(expression: str) -> str:
    """Return what sorts nulls last in every engine. Engines differ in where they put them by default."""
    return f"CASE WHEN {expression} IS NULL THEN 1 ELSE 0 END"


def _chosen(
    dialect: Dialect,
    source: str,
    values: Mapping[str, str],
    order: str,
    *,
    then: str = "",
    latest: bool = False,
    account: str = "",
) -> str:
    """Return the part with the first row of each visit by an order, in which a record of a source comes by its number.

    ``latest`` turns the order of records around. ``then`` orders rows of one record.
    """
    q = dialect.name
    way = " DESC" if latest else ""
    records = _records(dialect, way)
    account = account or q("accountId")
    number = (
        f"ROW_NUMBER() OVER (PARTITION BY {account}, {q('visitId')} "
        f"ORDER BY {order}, {records}{f', {then}' if then else ''}) AS {q('place')}"
    )
    inner = [f"{account} AS {q('accountId')}", q("visitId"), *dict.fromkeys(map(q, values.values())), number]
    ranked = _subquery(", ".join(inner), source, dialect)
    return f"{_part(dialect, ranked, {name: q(path) for name, path in values.items()})} AND {q('place')} = 1"


# --- Counts -----------------------------------------------------------------------------------------------------------


def _counted_parts(dialect: Dialect) -> Iterator[str]:
    q = dialect.name
    yield _grouped(dialect, dialect.relation("page_views"), {"pages": "COUNT(*)"})
    shown, accepted = (_sum_if(dialect, q("impression_type") + f" = '{kind}'") for kind in ("Show", "Accept"))
    counted = {"impressions_shown": shown, "impressions_accepted": accepted}
    yield _grouped(dialect, dialect.relation("impressions"), counted)
    achievement = q("achievement_id")
    different = f"COUNT(DISTINCT {achievement}) + {_sum_if(dialect, f'{achievement} IS NULL')}"
    yield _grouped(dialect, dialect.relation("goals"), {"goals": different})
    yield _orders(dialect)


def _orders(dialect: Dialect) -> str:
    """Return the part that counts each order by its first report."""
    q = dialect.name
    order, reported, total = q("order_id"), q("reported_at"), q("total")
    keys = f"{q('accountId')}, {q('visitId')}, {order}"
    first = f"{_nulls_last(reported)}, {reported}, {_records(dialect)}, {_nulls_last(total)}, {total}"
    number = f"ROW_NUMBER() OVER (PARTITION BY {keys} ORDER BY {first}) AS {q('place')}"
    ranked = _subquery(f"{keys}, {total}, {number}", dialect.relation("purchases"), dialect)
    counted = {"orders": "COUNT(*)", "order_value": f"SUM({total})"}
    return _grouped(dialect, ranked, counted, where=f"({q('place')} = 1 OR {order} IS NULL)")


def _records(dialect: Dialect, way: str = "") -> str:
    """Return the order of records: by their source, then by their number in it."""
    return f"{dialect.name('source_file')}{way}, {dialect.name('record_number')}{way}"


def _subquery(columns: str, source: str, dialect: Dialect, *, more: str = "") -> str:
    """Return a query as the source of another one. ``more`` are its lines after FROM."""
    return f"(\n  SELECT {columns}\n  FROM {source}{more}\n) AS {dialect.name('sub')}"  # noqa: S608 - our own names


def _sum_if(dialect: Dialect, condition: str) -> str:
    return f"CAST(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END) AS {dialect.types[COUNT]})"


def _grouped(dialect: Dialect, source: str, values: Mapping[str, str], *, where: str = "") -> str:
    """Return the part with values that are counted by visit."""
    q = dialect.name
    keys = ", ".join(map(q, KEY))
    counted = ", ".join(f"{value} AS {q(name)}" for name, value in values.items())
    more = f"\n  WHERE {where}" if where else ""
    grouped = _subquery(f"{keys}, {counted}", source, dialect, more=f"{more}\n  GROUP BY {keys}")
    return _part(dialect, grouped, {name: q(name) for name in values})

"""Renders `visits`: one row for each visit, with one value of each kind, chosen by a rule.

Each part of the query has the rows of one table or flat view; the columns of other parts are null there. Grouping the
rows of all parts by visit gives one row for each visit, without a join, in which rows could multiply. Each part reads
its table once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from wsparquet.render.views.dialects import Dialect
from wsparquet.render.views.rows import rows_query
from wsparquet.schema import TABLES
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.flat_views import FlatView, Rows, ViewColumn

__all__ = ["VISITS", "VISITS_READS", "visits_query"]

VISITS_READS = ("page_views", "impressions", "goals")
"""The flat views that the query reads."""

KEY = ("accountId", "visitId")


@dataclass(frozen=True)
class VisitColumn:
    """A column of `visits`, and the rule that combines its values of all parts: ``MIN``, ``MAX``, ``SUM`` or ``COUNT``.

    If there are no values, ``COUNT`` is 0, and ``SUM`` is null; otherwise both are sums.
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
        "goals", COUNT, "COUNT", "The number of achievements in `goals`; rows without an identifier count separately."
    ),
    VisitColumn(
        "orders",
        COUNT,
        "COUNT",
        "The number of orders in `purchases`; rows without an order identifier count separately.",
    ),
    VisitColumn(
        "order_value", AMOUNT, "SUM", "The sum of the totals in the first report of each order; null without an order."
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
    """Return the query of `visits`.

    The query reads all tables, and the flat views in ``VISITS_READS``, by their names.
    """
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


ATTRIBUTES = FlatView(
    "attributes",
    "",
    (
        Rows(
            "engagement_attributes",
            {"attribute": "engagementAttributes"},
            {
                "reported_at": "attribute.timestamp",
                "purchase": "attribute.data.purchase",
                "order_id": "attribute.data.purchase.orderId",
                "total": "attribute.data.purchase.total",
                "customer_type": "attribute.data.customerInfo.customerType",
            },
        ),
    ),
)
ASSESSMENTS = FlatView(
    "assessments",
    "",
    (Rows("eligibility", {"assessment": "eligibilityData"}, {"assessed_at": "assessment.timestamp"}),),
)


def _parts(dialect: Dialect) -> Iterator[str]:
    """Yield the parts. The first part gives the columns their names and types."""
    yield _geo(dialect)
    yield _sessions(dialect)
    for table in TABLES:
        if table not in {"geo", "session_info"}:
            yield _part(dialect, dialect.relation(table), _of_record(dialect), account=_account_of_table(dialect))
    yield _pages(dialect)
    yield _impressions(dialect)
    yield _goals(dialect)
    yield _attributes(dialect)
    yield _part(dialect, _rows(ASSESSMENTS, dialect), _times(dialect, "assessed_at"))


# --- Parts ------------------------------------------------------------------------------------------------------------


def _geo(dialect: Dialect) -> str:
    q = dialect.name
    chosen = {"country": "country", "country_code": "countryCode", "state": "state", "city": "city"}
    order = [_nulls_last(q("country")), *_records(dialect)]
    place = _number(dialect, order, account=_account_of_table(dialect))
    columns = [*map(q, ("visitId", "visitorId", "date")), *map(q, chosen.values())]
    source = _ranked(dialect, "geo", columns, {"place": place})
    values = {name: _if(f"{q('place')} = 1", q(column)) for name, column in chosen.items()}
    return _part(dialect, source, {**_of_record(dialect), **values})


def _sessions(dialect: Dialect) -> str:
    q = dialect.name
    chosen = {
        "device_family": "deviceFamily",
        "device_os": "deviceOS",
        "search_engine": "searchEngine",
        "site_control_group": "siteControlGroup",
    }
    start = q("sessionStartTime")
    order = [_nulls_last(start), start, *_records(dialect)]
    place = _number(dialect, order, account=_account_of_table(dialect))
    columns = [*map(q, ("visitId", "visitorId", "date")), start, *map(q, chosen.values())]
    source = _ranked(dialect, "session_info", columns, {"place": place})
    values = {name: _if(f"{q('place')} = 1", q(column)) for name, column in chosen.items()}
    return _part(dialect, source, {**_of_record(dialect), **_times(dialect, "sessionStartTime"), **values})


def _pages(dialect: Dialect) -> str:
    q = dialect.name
    viewed, url = q("viewed_at"), q("url")
    first = _number(dialect, [_nulls_last(viewed), viewed, *_records(dialect), url])
    last = _number(dialect, _last([_nulls_first(viewed), viewed, *_records(dialect), url]))
    columns = [q("accountId"), q("visitId"), viewed, url]
    source = _subquery(dialect, dialect.relation("page_views"), columns, {"first": first, "last": last})
    values = {
        "landing_page": _if(f"{q('first')} = 1", url),
        "exit_page": _if(f"{q('last')} = 1", url),
        "pages": _count(dialect, f"{q('visitId')} IS NOT NULL"),
    }
    return _part(dialect, source, {**_times(dialect, "viewed_at"), **values})


def _impressions(dialect: Dialect) -> str:
    kind = dialect.name("impression_type")
    values = {
        "impressions_shown": _count(dialect, f"{kind} = 'Show'"),
        "impressions_accepted": _count(dialect, f"{kind} = 'Accept'"),
    }
    return _part(dialect, dialect.relation("impressions"), {**_times(dialect, "occurred_at"), **values})


def _goals(dialect: Dialect) -> str:
    q = dialect.name
    achievement = q("achievement_id")
    place = _number(dialect, _records(dialect), within=achievement)
    columns = [q("accountId"), q("visitId"), q("achieved_at"), achievement]
    source = _subquery(dialect, dialect.relation("goals"), columns, {"place": place})
    counted = _count(dialect, f"{q('place')} = 1 OR {achievement} IS NULL")
    return _part(dialect, source, {**_times(dialect, "achieved_at"), "goals": counted})


def _attributes(dialect: Dialect) -> str:
    q = dialect.name
    order, reported, total, kind = q("order_id"), q("reported_at"), q("total"), q("customer_type")
    first = [_nulls_last(reported), reported, *_records(dialect), _nulls_last(total), total]
    last = _last([_nulls_first(kind), _nulls_first(reported), reported, *_records(dialect), kind])
    numbers = {"order_place": _number(dialect, first, within=order), "customer_place": _number(dialect, last)}
    columns = [q("accountId"), q("visitId"), reported, q("purchase"), order, total, kind]
    source = _subquery(dialect, _rows(ATTRIBUTES, dialect), columns, numbers)
    counts = f"{q('purchase')} IS NOT NULL AND ({q('order_place')} = 1 OR {order} IS NULL)"
    values = {
        "orders": _count(dialect, counts),
        "order_value": _if(counts, total),
        "customer_type": _if(f"{q('customer_place')} = 1", kind),
    }
    return _part(dialect, source, {**_times(dialect, "reported_at"), **values})


# --- Pieces of parts --------------------------------------------------------------------------------------------------


def _part(dialect: Dialect, source: str, values: Mapping[str, str], *, account: str = "") -> str:
    q = dialect.name
    columns = [f"{account or q('accountId')} AS {q('accountId')}", q("visitId")]
    columns += [f"{values.get(each.name) or dialect.null(each.type)} AS {q(each.name)}" for each in COLUMNS]
    return f"SELECT {', '.join(columns)}\nFROM {source}\nWHERE {q('visitId')} IS NOT NULL"


def _of_record(dialect: Dialect) -> dict[str, str]:
    """Return the columns that every record has."""
    return {"visitorId": dialect.name("visitorId"), "date": dialect.name("date")}


def _times(dialect: Dialect, column: str) -> dict[str, str]:
    """Return the values of a row with a timestamp."""
    return {"started_at": dialect.name(column), "ended_at": dialect.name(column)}


def _account_of_table(dialect: Dialect) -> str:
    if dialect.unnesting == "flatten":
        return f"{dialect.name('metaData')}:{dialect.name('accountId')}::{dialect.types[TEXT]}"
    return dialect.path("metaData.accountId")


def _rows(view: FlatView, dialect: Dialect) -> str:
    return f"({_indented(rows_query(view, view.rows[0], dialect))}) AS {dialect.name('event')}"


def _ranked(dialect: Dialect, table: str, columns: Sequence[str], numbers: Mapping[str, str]) -> str:
    """Return a table with the numbers of its rows, and with its account as a column."""
    account = f"{_account_of_table(dialect)} AS {dialect.name('accountId')}"
    return _subquery(dialect, dialect.relation(table), [account, *columns], numbers)


def _subquery(dialect: Dialect, source: str, columns: Sequence[str], numbers: Mapping[str, str]) -> str:
    """Return a query in the form in which another query can read from it."""
    selected = [*columns, *(f"{number} AS {dialect.name(name)}" for name, number in numbers.items())]
    return f"(\n  SELECT {', '.join(selected)}\n  FROM {_indented(source)}\n) AS {dialect.name('ranked')}"  # noqa: S608 - our own names


def _number(dialect: Dialect, order: Sequence[str], *, within: str = "", account: str = "") -> str:
    """Return the number of a row among the rows of its visit, or of its visit and its value ``within``."""
    keys = [account or dialect.name("accountId"), dialect.name("visitId"), *([within] if within else [])]
    return f"ROW_NUMBER() OVER (PARTITION BY {', '.join(keys)} ORDER BY {', '.join(order)})"


def _records(dialect: Dialect) -> list[str]:
    """Return the order of records: by source, then by the record's number in the source."""
    return [dialect.name("source_file"), dialect.name("record_number")]


def _last(order: Sequence[str]) -> list[str]:
    """Return the reverse order. Some engines do not allow both directions in one order."""
    return [f"{each} DESC" for each in order]


def _nulls_last(expression: str) -> str:
    """Return an order in which nulls come last in every engine. By default, engines differ in where they put nulls."""
    return f"CASE WHEN {expression} IS NULL THEN 1 ELSE 0 END"


def _nulls_first(expression: str) -> str:
    return f"CASE WHEN {expression} IS NULL THEN 0 ELSE 1 END"


def _if(condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} END"


def _count(dialect: Dialect, condition: str) -> str:
    return f"CAST(CASE WHEN {condition} THEN 1 ELSE 0 END AS {dialect.types[COUNT]})"

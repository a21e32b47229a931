"""The rows of all views, computed in plain Python from nested rows: what the queries of every engine have to give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from wsparquet.render.views import VIEWS, columns_of_view
from wsparquet.schema.flat_views import FLAT_VIEWS, KEYS, Rows

Row = dict[str, Any]
Tables = dict[str, list[Row]]

LATE = datetime(9999, 1, 1, tzinfo=UTC)
EARLY = datetime(1, 1, 1, tzinfo=UTC)


def expected_views(tables: Tables) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every view as tuples in the order of its columns, sorted."""
    flat = {name: flat_rows(name, tables) for name in FLAT_VIEWS}
    rows = {**flat, "visits": list(visits(tables, flat))}
    return {
        view: in_order(tuple(row[column.name] for column in columns_of_view(view)) for row in rows[view])
        for view in VIEWS
    }


def in_order(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in an order that depends only on their values."""
    return sorted(rows, key=repr)


def flat_rows(view: str, tables: Tables) -> list[Row]:
    """The rows of a flat view by its definition."""
    return [row for rows in FLAT_VIEWS[view].rows for record in tables[rows.table] for row in elements(rows, record)]


def elements(rows: Rows, record: Row) -> Iterator[Row]:
    """The rows that one record gives."""
    found = [record]
    for alias, path in rows.lists.items():
        found = [{**each, alias: element} for each in found for element in at(each, path) or ()]
    for each in found:
        if rows.only is None or at(each, rows.only) is not None:
            keys = {name: at(each, path) for name, path in KEYS.items()}
            yield {**keys, **rows.constants, **{name: at(each, path) for name, path in rows.columns.items()}}


def at(value: Any, path: str) -> Any:
    """The value at a path, or None if it or anything around it is missing."""
    for name in path.split(".") if path else [""]:
        value = None if value is None else value.get(name)
    return value


def visits(tables: Tables, flat: dict[str, list[Row]]) -> Iterator[Row]:
    """One row for each visit, by the rules that the columns' descriptions state."""
    records = [
        {**row, "accountId": at(row, "metaData.accountId"), "table": table} for table in tables for row in tables[table]
    ]
    for key in {(row["accountId"], row["visitId"]) for row in records if row["visitId"] is not None}:
        own = [row for row in records if (row["accountId"], row["visitId"]) == key]
        views = {name: [row for row in flat[name] if (row["accountId"], row["visitId"]) == key] for name in flat}
        yield {"accountId": key[0], "visitId": key[1], **one_visit(own, views)}


def one_visit(own: list[Row], views: dict[str, list[Row]]) -> Row:
    """The columns of one visit, from its records and its rows in the flat views."""
    geo = sorted((r for r in own if r["table"] == "geo"), key=lambda r: (r["country"] is None, record(r)))
    sessions = [r for r in own if r["table"] == "session_info"]
    sessions.sort(key=lambda r: (r["sessionStartTime"] or LATE, record(r)))
    pages = sorted(views["page_views"], key=lambda r: (r["viewed_at"] or LATE, record(r), r["url"] or ""))
    last = sorted(views["page_views"], key=lambda r: (r["viewed_at"] or EARLY, record(r), r["url"] or ""))
    kinds = [r for r in views["customers"] if r["customer_type"] is not None]
    kinds.sort(key=lambda r: (r["reported_at"] or EARLY, record(r), r["customer_type"]))
    times = [
        *(r["sessionStartTime"] for r in sessions),
        *(r["viewed_at"] for r in pages),
        *(r["occurred_at"] for r in views["impressions"]),
        *(r["achieved_at"] for r in views["goals"]),
        *(at(each, "timestamp") for r in own for each in r.get("engagementAttributes") or ()),
        *(at(each, "timestamp") for r in own for each in r.get("eligibilityData") or ()),
    ]
    known = [time for time in times if time is not None]
    orders = first_orders(views["purchases"])
    totals = [row["total"] for row in orders if row["total"] is not None]
    kinds_of_impression = [row["impression_type"] for row in views["impressions"]]
    achievements = [row["achievement_id"] for row in views["goals"]]
    place, session = (geo or [{}])[0], (sessions or [{}])[0]
    return {
        "visitorId": min((r["visitorId"] for r in own if r["visitorId"] is not None), default=None),
        "date": min((r["date"] for r in own if r["date"] is not None), default=None),
        "started_at": min(known, default=None),
        "ended_at": max(known, default=None),
        "country": place.get("country"),
        "country_code": place.get("countryCode"),
        "state": place.get("state"),
        "city": place.get("city"),
        "device_family": session.get("deviceFamily"),
        "device_os": session.get("deviceOS"),
        "search_engine": session.get("searchEngine"),
        "site_control_group": session.get("siteControlGroup"),
        "landing_page": pages[0]["url"] if pages else None,
        "exit_page": last[-1]["url"] if last else None,
        "pages": len(pages),
        "impressions_shown": kinds_of_impression.count("Show"),
        "impressions_accepted": kinds_of_impression.count("Accept"),
        "goals": len({each for each in achievements if each is not None}) + achievements.count(None),
        "orders": len(orders),
        "order_value": sum(totals) if totals else None,
        "customer_type": kinds[-1]["customer_type"] if kinds else None,
    }


def record(row: Row) -> tuple[str, int]:
    """The record that has a row."""
    return row["source_file"], row["record_number"]


def first_orders(purchases: list[Row]) -> list[Row]:
    """The first report of each order; each purchase without an order is one."""
    found: dict[Any, Row] = {}
    for number, row in enumerate(sorted(purchases, key=_report)):
        found.setdefault(row["order_id"] if row["order_id"] is not None else number, row)
    return list(found.values())


def _report(row: Row) -> tuple[Any, ...]:
    return (row["reported_at"] or LATE, record(row), row["total"] is None, row["total"] or 0)

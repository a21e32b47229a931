"""Whether the answers of the page of questions are right: each is counted again in plain Python, without any SQL."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

import wsparquet
from tests.guides.pages import blocks, follow
from tests.guides.snippets import run_python, run_sql
from wsparquet.schema import TABLES

PAGE = "questions.md"
Row = dict[str, Any]
Tables = dict[str, list[Row]]
Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which a reader has typed the page's commands."""
    found = tmp_path_factory.mktemp("questions")
    assert [code for _, code, _ in follow(PAGE, found)] == [0, 0]
    return found


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    """All rows as plain Python values, straight from the sources."""
    return {name: table.to_pylist() for name, table in wsparquet.read(folder / "sample").items()}


# --- By hand ----------------------------------------------------------------------------------------------------------


def _times(value: Any) -> Iterator[dt.datetime]:
    if isinstance(value, dt.datetime):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _times(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _times(inner)


def _day(row: Row) -> dt.date:
    own = list(_times({name: value for name, value in row.items() if name != "metaData"}))
    moment: dt.datetime = min(own) if own else row["metaData"]["startTime"]
    return moment.date()


def _days(tables: Tables) -> dict[str, dt.date]:
    """The first day of every visit."""
    days: dict[str, dt.date] = {}
    for rows in tables.values():
        for row in rows:
            day = _day(row)
            days[row["visitId"]] = min(day, days.get(row["visitId"], day))
    return days


def _elements(rows: list[Row], column: str) -> Iterator[tuple[Row, Any]]:
    """Every element of a list with its row; null and empty lists have none."""
    for row in rows:
        for element in row[column] or []:
            yield row, element


def _first_values(rows: list[Row], column: str) -> dict[str, Any]:
    """The first value of each visit that is not null, in the order of files and records."""
    found: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: (row["source_file"], row["record_number"])):
        if row[column] is not None:
            found.setdefault(row["visitId"], row[column])
    return found


def _by_value(tables: Tables, table: str, column: str) -> Rows:
    values = _first_values(tables[table], column)
    counted = Counter(values.get(visit) for visit in _days(tables))
    return sorted(counted.items(), key=lambda each: (-each[1], each[0] is None, each[0] or ""))


def _how_many(tables: Tables) -> Rows:
    visitors = {row["visitorId"] for rows in tables.values() for row in rows}
    return [(len(_days(tables)), len(visitors))]


def _how_not(tables: Tables) -> Rows:
    pages = Counter(row["visitId"] for row in tables["navigation"])
    places = Counter(row["visitId"] for row in tables["geo"])
    joined = sum(count * places[visit] for visit, count in pages.items())
    return [(pages.total(), len(pages), joined, len(pages.keys() & places.keys()))]


def _each_day(tables: Tables) -> Rows:
    return sorted(Counter(_days(tables).values()).items())


def _countries(tables: Tables) -> Rows:
    return _by_value(tables, "geo", "country")[:5]


def _devices(tables: Tables) -> Rows:
    return _by_value(tables, "session_info", "deviceFamily")


def _pages(tables: Tables) -> Rows:
    visits = defaultdict(list)
    for row, element in _elements(tables["navigation"], "navigationData"):
        if element and element["url"] is not None:
            visits[element["url"]].append(row["visitId"])
    counted = [(url, len(found), len(set(found))) for url, found in visits.items()]
    return sorted(counted, key=lambda each: (-each[1], each[0]))[:5]


def _share(tables: Tables) -> Rows:
    visits = len(_days(tables))
    converted = len({row["visitId"] for row, _ in _elements(tables["goal_achieved"], "achievedGoals")})
    return [(visits, converted, round(100 * converted / visits, 1))]


def _goals(tables: Tables) -> Rows:
    visits = defaultdict(list)
    for row, goal in _elements(tables["goal_achieved"], "achievedGoals"):
        if goal["campaignGoalId"] is not None:
            visits[goal["campaignGoalId"]].append(row["visitId"])
    counted = [(goal, len(found), len(set(found))) for goal, found in visits.items()]
    return sorted(counted, key=lambda each: (-each[2], -each[1], each[0]))[:5]


def _after_impressions(tables: Tables) -> Rows:
    events: dict[str, list[Row]] = defaultdict(list)
    goals: dict[str, list[dt.datetime]] = defaultdict(list)
    for row, event in _elements(tables["impression"], "impressions"):
        events[row["visitId"]].append(event)
    for row, goal in _elements(tables["goal_achieved"], "achievedGoals"):
        goals[row["visitId"]] += [goal["timestamp"]] if goal["timestamp"] else []
    counted: dict[bool, list[bool]] = {False: [], True: []}
    for visit, found in events.items():
        shown = [event for event in found if event["impressionType"] == "Show"]
        if not shown:
            continue
        times = [event["timestamp"] for event in shown if event["timestamp"]]
        accepted = any(event["impressionType"] == "Accept" for event in found)
        counted[accepted].append(bool(times) and any(goal >= min(times) for goal in goals[visit]))
    return [(accepted, len(found), sum(found)) for accepted, found in counted.items()]


def _by_campaign(tables: Tables) -> Rows:
    kinds = defaultdict(list)
    for _, event in _elements(tables["impression"], "impressions"):
        if event["campaign"] and event["campaign"]["id"] is not None:
            kinds[event["campaign"]["id"]].append(event["impressionType"])
    counted = [(campaign, found.count("Show"), found.count("Accept")) for campaign, found in kinds.items()]
    return sorted(counted, key=lambda each: (-each[1], each[0]))[:5]


def _attributes(tables: Tables, branch: str) -> Iterator[tuple[Row, Row, Row]]:
    for row, element in _elements(tables["engagement_attributes"], "engagementAttributes"):
        if element["data"] and element["data"][branch] is not None:
            yield row, element, element["data"][branch]


def _purchases(tables: Tables) -> Rows:
    reports = defaultdict(list)
    for row, element, purchase in _attributes(tables, "purchase"):
        if purchase["orderId"] is not None:
            reports[purchase["orderId"]].append(
                ((element["timestamp"], row["source_file"], row["record_number"]), purchase)
            )
    last = [[each for _, each in sorted(found, key=_order) if each["total"] is not None] for found in reports.values()]
    totals = [found[-1]["total"] for found in last if found]
    return [(len(reports), round(sum(totals), 2), round(sum(totals) / len(totals), 2))]


def _order(report: tuple[tuple[Any, ...], Row]) -> tuple[Any, ...]:
    moment, *rest = report[0]
    # DuckDB sorts null after every value.
    return (moment is None, moment or dt.datetime.min, *rest)


def _carts(tables: Tables) -> Rows:
    carts = defaultdict(list)
    for row, element, cart in _attributes(tables, "cart"):
        carts[row["visitId"]].append((element["timestamp"], cart["total"]))
    bought = {row["visitId"] for row, _, _ in _attributes(tables, "purchase")}
    left = 0.0
    for visit in carts.keys() - bought:
        timed = [(moment, total) for moment, total in carts[visit] if moment is not None and total is not None]
        left += max(timed)[1] if timed else 0
    return [(len(carts), len(carts.keys() & bought), round(left, 2))]


def _rescued(tables: Tables) -> Rows:
    values = [row["rescued"] for row in tables["navigation"]]
    return [(len(values), sum(value is not None for value in values))]


BY_HAND: dict[str, list[Callable[[Tables], Rows]]] = {
    "How many visits are there?": [_how_many],
    "How not to count": [_how_not],
    "How many visits are there each day?": [_each_day],
    "Where do visits come from?": [_countries],
    "Which devices do visitors use?": [_devices],
    "Which pages are visited most?": [_pages],
    "What share of visits reaches a goal?": [_share, _goals],
    "Do impressions lead to goals?": [_after_impressions, _by_campaign],
    "What do visitors buy?": [_purchases],
    "Which carts are left behind?": [_carts],
    "What did not fit the schema?": [_rescued],
}


# --- Tests ------------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_every_answer_is_the_one_that_counting_by_hand_gives(
    folder: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each query of the page is counted again from ``wsparquet.read``, and the page shows its answer."""
    monkeypatch.chdir(folder)
    answers: dict[str, list[Rows]] = {}
    for block, rows in run_sql(PAGE, duckdb.connect()):
        answers.setdefault(block.heading, []).append(rows)
        assert block.rows, f"{PAGE}:{block.line} shows no answer"
    assert answers == {heading: [count(tables) for count in counts] for heading, counts in BY_HAND.items()}


def test_polars_answers_as_duckdb_does(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queries in Polars have the tables of their twins in SQL below them."""
    monkeypatch.chdir(folder)
    assert len(run_python(PAGE)) == 3
    sql = {block.heading: block.rows for block in blocks(PAGE, "sql")}
    pages, days, _ = [block.rows for block in blocks(PAGE, "python")]
    assert pages == sql["Which pages are visited most?"]
    assert days == sql["How many visits are there each day?"]


def test_the_page_says_what_a_row_of_every_table_is() -> None:
    """No table is left out."""
    text = Path(__file__).parents[2].joinpath("docs", PAGE).read_text(encoding="utf-8")
    for table in TABLES:
        assert f"| `{table}` | one " in text

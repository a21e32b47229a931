"""Whether visits are coherent, as those of real visitors are, and whether each option of the mix does what it says."""

from __future__ import annotations

import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

import wsparquet
from tests.generate.test_text import text_of
from wsparquet.generate import GenerateOptions, expected, generate
from wsparquet.generate.site import LINKS
from wsparquet.generate.story import _route

FILES = 4
SIZE = 500_000
PRESETS: tuple[Literal["easy", "shop", "hard"], ...] = ("easy", "shop", "hard")
KINDS = {
    "/": "home", "/c/": "category", "/p/": "product", "/search": "search", "/login": "login", "/account": "account",
    "/help": "help", "/hilfe": "help", "/cart": "cart", "/checkout/step-1": "checkout1",
    "/checkout/step-2": "checkout2", "/checkout/step-3": "checkout3", "/checkout/done": "done",
}  # fmt: skip


@dataclass
class Visit:
    """The rows of a visit by table, in the order of its file."""

    visitor: str
    source: str
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def elements(self, table: str, name: str) -> list[dict[str, Any]]:
        """The elements of a list in all rows of a table."""
        return [element for row in self.rows[table] for element in row[name] or ()]

    @property
    def last(self) -> int:
        """The greatest number of a record."""
        return max(row["record_number"] for rows in self.rows.values() for row in rows)

    @property
    def pages(self) -> list[dict[str, Any]]:
        """The pages in the order of the file."""
        return self.elements("navigation", "navigationData")

    @property
    def attributes(self) -> list[dict[str, Any]]:
        """The engagement attributes in the order of the file."""
        return self.elements("engagement_attributes", "engagementAttributes")


def visits_in(folder: Path, **options: Any) -> dict[str, Visit]:
    """The visits of generated files by identifier, read by wsparquet."""
    found: dict[str, Visit] = {}
    keywords: dict[str, Any] = {"files": FILES, "size": SIZE, **options}
    generate(folder, GenerateOptions(**keywords))
    for name, table in wsparquet.read(folder).items():
        for row in table.drop_columns(["metaData", "rescued"]).to_pylist():
            visit = found.setdefault(row["visitId"], Visit(row["visitorId"], row["source_file"]))
            assert (visit.visitor, visit.source) == (row["visitorId"], row["source_file"])
            visit.rows[name].append(row)
    # A file ends when it is large enough, which may be in the middle of a visit.
    last = {visit.source: (visit.last, key) for key, visit in sorted(found.items(), key=lambda each: each[1].last)}
    return {key: visit for key, visit in found.items() if (visit.last, key) != last[visit.source]}


@pytest.fixture(scope="module", params=PRESETS)
def preset(request: pytest.FixtureRequest) -> str:
    """The name of a preset."""
    return str(request.param)


@pytest.fixture(scope="module")
def visits(preset: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Visit]:
    """The visits of some files of a preset."""
    return visits_in(tmp_path_factory.mktemp(preset), preset=preset)


def first(values: list[Any]) -> Any:
    """The only value that a list has, however often."""
    assert len(set(values)) <= 1, values
    return values[0] if values else None


def kind_of(url: str) -> str:
    """The kind of page that a URL leads to."""
    path = re.sub("^/(de|ja)(?=/)", "", urlsplit(url).path)
    if path.endswith("/reviews"):
        return "reviews"
    return next(KINDS[start] for start in sorted(KINDS, key=len, reverse=True) if path.startswith(start))


# --- Coherence --------------------------------------------------------------------------------------------------------


def test_a_visit_has_one_place_device_and_site(visits: dict[str, Visit]) -> None:
    """A visit has one country and device at most, and all its pages are of one site in one language."""
    assert len(visits) > 100
    for visit in visits.values():
        assert len(visit.rows["geo"]) <= 1
        assert len(visit.rows["session_info"]) == 1
        sites = {(urlsplit(page["url"]).netloc, "/de/" in page["url"], "/ja/" in page["url"]) for page in visit.pages}
        assert len(sites) == 1


def test_pages_follow_each_other_by_links(visits: dict[str, Visit]) -> None:
    """The referrer of a page is the page before it, and there is a link from the one to the other."""
    followed = 0
    for visit in visits.values():
        for before, page in pairwise(visit.pages):
            assert page["referrerUrl"] in {before["url"], None}
            assert kind_of(page["url"]) in LINKS[kind_of(before["url"])], (before["url"], page["url"])
            followed += 1
    assert followed > 2 * len(visits)


def test_landing_pages_have_weights(visits: dict[str, Visit]) -> None:
    """Most visitors land on home, fewer on a category, and fewer still on a product."""
    landings = Counter(kind_of(visit.pages[0]["url"]) for visit in visits.values())
    assert set(landings) >= {"home", "category", "product", "help", "login"}
    assert min(landings["home"], landings["category"], landings["product"]) > landings["help"]
    assert landings["home"] > landings["product"]


def test_every_accept_follows_a_show(visits: dict[str, Visit]) -> None:
    """An accepted engagement was shown before, in the same campaign and instance, and a third of those shown is."""
    counts: Counter[str] = Counter()
    for visit in visits.values():
        shown: dict[Any, datetime | None] = {}
        for each in visit.elements("impression", "impressions"):
            counts[each["impressionType"]] += 1
            key = (each["campaign"]["id"], each["engagement"]["id"], each["engagement"]["type"])
            if each["impressionType"] == "Show":
                shown[key] = each["timestamp"]
                continue
            assert key in shown
            before = shown[key]
            assert before is None or each["timestamp"] > before
    assert counts["Accept"] / counts["Show"] == pytest.approx(1 / 3, abs=0.1)
    assert min(counts["Close"], counts["Timeout"]) > 0


def test_goals_are_achieved_after_pages(visits: dict[str, Visit]) -> None:
    """A goal has pages before it, and a goal of pages tells as many as there are before it."""
    goals = 0
    for visit in visits.values():
        for goal in visit.elements("goal_achieved", "achievedGoals"):
            goals += 1
            before = [page for page in visit.pages if page["timestamp"] < goal["timestamp"]]
            assert before
            told = goal["goalMetaData"] and goal["goalMetaData"]["reduceAbandonmentGoalMetadata"]
            assert not told or told["numberOfPages"] in {None, len(before)}
    assert goals > len(visits) / 10


def test_carts_are_bought_or_left(visits: dict[str, Visit]) -> None:
    """A purchase has the total of the cart before it; other carts are left, some after an error."""
    bought = left = after_error = 0
    for visit in list(visits.values()):
        data = [each["data"] for each in visit.attributes if each["data"]]
        carts = [each["cart"] for each in data if each["cart"]]
        purchases = [each["purchase"] for each in data if each["purchase"]]
        if not carts or not purchases:
            left += bool(carts)
            after_error += bool(carts) and any(each["visitorError"] for each in data)
            continue
        bought += 1
        cart, purchase = carts[-1], purchases[-1]
        assert purchase["total"] in {None, cart["total"]} or cart["total"] is None
        check_total(cart)
        assert kind_of(visit.pages[-1]["url"]) == "done" or visit.source.endswith("-0.gz")
    assert bought > left / 3 > 0
    assert after_error > 0


def check_total(cart: dict[str, Any]) -> None:
    """The total of a cart is the sum of its products where all of these are known."""
    products = cart["products"] or ()
    known = [line for line in products if line["product"] and line["product"]["price"] is not None]
    if cart["total"] is None or not products or len(known) < len(products):
        return
    assert cart["total"] == pytest.approx(sum(line["quantity"] * line["product"]["price"] for line in known))


def test_times_are_in_order(visits: dict[str, Visit]) -> None:
    """In every list and over all rows of a visit times ascend, and none is before the start of the session."""
    for visit in visits.values():
        timed: list[tuple[int, list[Any]]] = []
        for name in ("navigationData", "eligibilityData", "impressions", "achievedGoals", "engagementAttributes"):
            for rows in visit.rows.values():
                timed += [
                    (row["record_number"], [each["timestamp"] for each in row[name] or ()])
                    for row in rows
                    if name in row
                ]
        times = [time for _, group in sorted(timed) for time in group if time is not None]
        start = visit.rows["session_info"][0]["sessionStartTime"]
        assert times == sorted(times)
        assert start is None or start <= times[0]


def test_segments_spend_differently(visits: dict[str, Visit]) -> None:
    """Purchases of members and of businesses are larger than those of consumers, where the segment is known."""
    totals: dict[Any, list[float]] = defaultdict(list)
    for visit in visits.values():
        data = [each["data"] for each in visit.attributes if each["data"]]
        segments = [each["customerInfo"]["customerType"] for each in data if each["customerInfo"]]
        for each in data:
            if each["purchase"] and segments and each["purchase"]["total"]:
                totals[segments[0]].append(each["purchase"]["total"])
    known = {segment: median(found) for segment, found in totals.items() if segment}
    assert "consumer" in known
    assert len(known) > 1
    assert all(value > known["consumer"] for segment, value in known.items() if segment != "consumer")


# --- Visitors ---------------------------------------------------------------------------------------------------------


def by_visitor(visits: dict[str, Visit]) -> Iterator[list[Visit]]:
    """The visits of each visitor who has several."""
    found: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits.values():
        found[visit.visitor].append(visit)
    yield from (group for group in found.values() if len(group) > 1)


def test_visitors_come_back(preset: str, visits: dict[str, Visit]) -> None:
    """Visitors come back in other files, never twice at a time, but in the easy preset."""
    returned = list(by_visitor(visits))
    assert (len(returned) > 2) is (preset != "easy")
    for group in returned:
        assert len({visit.source for visit in group}) == len(group)
        starts = sorted((visit.pages[0]["timestamp"], visit.pages[-1]["timestamp"]) for visit in group)
        assert all(end < start for (_, end), (start, _) in pairwise(starts))


def test_visitors_stay_who_they_are(visits: dict[str, Visit]) -> None:
    """Place, address, device, and what is known of the customer are the same in all visits of a visitor."""
    for group in by_visitor(visits):
        for table, names in (("geo", ("country", "city", "iPV4")), ("session_info", ("deviceOS", "userAgent"))):
            for name in names:
                first([row[name] for visit in group for row in visit.rows[table] if row[name] is not None])
        known = [each["data"]["customerInfo"] for visit in group for each in visit.attributes if each["data"]]
        for name in ("customerType", "customerId", "customerStatus"):
            first([info[name] for info in known if info and info[name] is not None])


# --- Options ----------------------------------------------------------------------------------------------------------


def days_of(visit: Visit) -> int:
    """The number of days on which a visit has pages, impressions or other events."""
    times = [each["timestamp"] for each in visit.pages + visit.attributes]
    return len({time.date() for time in times})


def test_midnight(preset: str, visits: dict[str, Visit]) -> None:
    """In the hard preset a share of the visits spans midnight, whatever the hour; at noon none does in the others."""
    share = sum(days_of(visit) > 1 for visit in visits.values()) / len(visits)
    assert (0.1 < share < 0.5) if preset == "hard" else share == 0


def test_lengths_of_sessions(tmp_path: Path) -> None:
    """Sessions last from minutes to hours, and longer if the option says so; early files have the day before."""
    minutes = {}
    for median_minutes in (5, 60):
        made = visits_in(
            tmp_path / str(median_minutes), files=1, session_minutes=median_minutes, returning=0.0,
            start_ms=1_467_331_200_000,
        )  # fmt: skip
        lasted = [
            (visit.attributes or visit.pages)[-1]["timestamp"] - visit.rows["session_info"][0]["sessionStartTime"]
            for visit in made.values()
            if visit.rows["session_info"][0].get("sessionStartTime")
        ]
        minutes[median_minutes] = sorted(length.total_seconds() / 60 for length in lasted)
        assert sum(days_of(visit) > 1 for visit in made.values()) > 0
    assert median(minutes[5]) < 10
    assert median(minutes[60]) > 25
    assert minutes[60][0] < 15
    assert minutes[60][-1] > 180


@pytest.mark.parametrize("wanted", [1, 7, 2000])
def test_visits_in_a_container(wanted: int) -> None:
    """Each line has as many visits as asked for, the last one whatever is left; a document has all of them."""
    size = 150_000 if wanted < 2000 else 1_000_000
    lines = text_of(GenerateOptions(size=size, visits=wanted, seed=2, preset="easy")).splitlines()
    counts = [len(set(re.findall(rb'"visitId":\{"string":"([^"]+)', line))) for line in lines]
    assert counts[:-1] == [wanted] * (len(counts) - 1)
    assert 1 <= counts[-1] <= wanted
    assert (len(counts) > 1) is (wanted < 2000)
    document = GenerateOptions(size=60_000, visits=1, form="document")
    assert expected(document).containers == 1


def test_distinct_values(tmp_path: Path) -> None:
    """The greater the share of distinct values, the more values does a file have, and the worse it compresses."""
    sizes, products = [], []
    for share in (0.0, 0.5, 1.0):
        (path,) = generate(tmp_path / str(share), GenerateOptions(size=600_000, distinct=share))
        sizes.append(path.stat().st_size)
        products.append(len(set(re.findall(rb'"sku":\{"string":"([^"]+)', gzip.decompress(path.read_bytes())))))
    assert sizes == sorted(sizes)
    assert sizes[2] > 1.15 * sizes[0]
    assert products[0] < products[2]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_options(name: Literal["easy", "shop", "hard"]) -> None:
    """A preset is the same as its options, and an option overrides the preset."""
    options = GenerateOptions(
        records=60, preset=name, visits=3, distinct=0.25, session_minutes=9, midnight=0.5, returning=0.5
    )
    assert text_of(options) == text_of(GenerateOptions(**{**vars(options), "preset": "shop"}))
    assert text_of(options) != text_of(GenerateOptions(records=60, preset=name))


def test_routes_exist() -> None:
    """Each kind of page can be reached from every other by links, so that no intent gets stuck."""
    for start in LINKS:
        for end in LINKS:
            if start != end:
                assert _route(start, end)[-1] == end

"""wsparquet/layout.py."""

from __future__ import annotations

from datetime import date

import pytest

from tests.dataset.helpers import API_NAME
from wsparquet.layout import Identity, Key, is_own_path, parse_intent_path, parse_part_path, part_path

TOKEN = "0123456789abcdef"
KEY = Identity("7", API_NAME).key


@pytest.mark.parametrize(
    ("name", "month"),
    [
        (API_NAME, "2016-06"),
        ("WebSession.1467331200000.1467295200000.part-00000-0", "2016-07"),
        ("WebSession.1467331199999.1467295200000.part-00000-0", "2016-06"),
        ("WebSession.999999999999999.1467295200000.part-00000-0", "undated"),
        ("WebSession.1.1467295200000.part-00000-0", "undated"),
        (f"{API_NAME}.0123456789abcdef", "undated"),
        ("sessions", "undated"),
    ],
)
def test_a_record_lies_in_the_month_that_its_name_starts_in(name: str, month: str) -> None:
    """The month is the UTC month of an API name's start, and ``undated`` for every other name."""
    assert Identity("7", name).key.record_path == f"_wsparquet/commits/7/{month}/{name}.json"


@pytest.mark.parametrize("day", [date(2016, 6, 30), None])
def test_a_part_path_tells_its_table_and_day(day: date | None) -> None:
    """The table and the day of a part can be read from its path, by its own identity only."""
    path = part_path(KEY, "geo", day, f"{TOKEN}.12")
    assert parse_part_path(path, KEY) == ("geo", day)
    assert is_own_path(path, KEY)
    assert parse_part_path(path, Key("8", KEY.name)) is None


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x.parquet",
        f"record_type=geo/date=2016-06-30/../../7.{API_NAME}.{TOKEN}.0.parquet",
        f"record_type=../date=2016-06-30/7.{API_NAME}.{TOKEN}.0.parquet",
        f"record_type=geo/date=2016-99-30/7.{API_NAME}.{TOKEN}.0.parquet",
        f"record_type=geo/date=2016-06-30/8.{API_NAME}.{TOKEN}.0.parquet",
        f"record_type=geo/date=2016-06-30/7.{API_NAME}.{TOKEN}.0.parquet\n",
        f"record_type=geo/date=2016-06-30/x/7.{API_NAME}.{TOKEN}.0.parquet",
        f"_wsparquet/quarantine/8/{API_NAME}.{TOKEN}.ndjson",
        f"_wsparquet/commits/7/2016-06/{API_NAME}.json",
        "_wsparquet/root.json",
        "",
    ],
)
def test_no_other_path_is_an_own_one(path: str) -> None:
    """What lies elsewhere, or belongs to another identity, is never taken for an own file."""
    assert not is_own_path(path, KEY)


DOTTED = [
    (Identity("75555851", API_NAME), Identity("75555851.WebSession", API_NAME.partition(".")[2])),
    (Identity("a", "b.c.d"), Identity("a.b", "c.d")),
    (Identity("a.b", "c.d"), Identity("a.b.c", "d")),
    (Identity("a.b", "c"), Identity("a%2Eb", "c")),
]


@pytest.mark.parametrize(("one", "other"), [*DOTTED, *(pair[::-1] for pair in DOTTED)])
def test_no_two_identities_have_a_path_in_common(one: Identity, other: Identity) -> None:
    """Wherever the dots are: who forges one's record cannot have the other's parts deleted by it."""
    for day in (date(2016, 6, 30), None):
        path = part_path(one.key, "geo", day, f"{TOKEN}.0")
        assert is_own_path(path, one.key)
        assert not is_own_path(path, other.key)
    assert one.key.record_path != other.key.record_path
    assert one.key.intent_path(TOKEN) != other.key.intent_path(TOKEN)
    assert parse_intent_path(one.key.intent_path(TOKEN)) == (one.key, TOKEN)
    assert not is_own_path(one.key.quarantine_path(TOKEN), other.key)


@pytest.mark.parametrize("account", ["75555851", "unknown", "multiple", "le-1_X"])
def test_paths_of_accounts_stay_as_they_are(account: str) -> None:
    """Only dots are encoded, which no real account has."""
    assert Identity(account, API_NAME).key == Key(account, API_NAME)


def test_an_account_of_many_dots_is_cut() -> None:
    """A file's name stays below what disks allow, and different accounts stay so."""
    keys = {Identity("." * count, "x").key.account for count in range(1, 200)}
    assert len(keys) == 199
    assert max(map(len, keys)) <= 100
    assert not any("." in account for account in keys)


def test_an_intent_path_tells_its_identity() -> None:
    """The identity and the token can be read from an intent's path, and from nothing else."""
    assert parse_intent_path(KEY.intent_path(TOKEN)) == (KEY, TOKEN)
    assert parse_intent_path("_wsparquet/intents/7/x.json") is None
    assert parse_intent_path(f"_wsparquet/intents/75555851.WebSession/x.{TOKEN}.json") is None

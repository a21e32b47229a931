"""wsparquet/dataset/layout.py."""

from __future__ import annotations

from datetime import date

import pytest

from tests.dataset.helpers import API_NAME
from wsparquet.dataset import Identity
from wsparquet.dataset.layout import Key, intent_key, is_own_path, part_path, part_place

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
    assert Identity("7", name).key.commit_path == f"_wsparquet/commits/7/{month}/{name}.json"


@pytest.mark.parametrize("day", [date(2016, 6, 30), None])
def test_a_part_path_tells_its_table_and_day(day: date | None) -> None:
    """The table and the day of a part can be read from its path, by its own identity only."""
    path = part_path(KEY, "geo", day, f"{TOKEN}.12")
    assert part_place(path, KEY) == ("geo", day)
    assert is_own_path(path, KEY)
    assert part_place(path, Key("8", KEY.name)) is None


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


def test_an_intent_path_tells_its_identity() -> None:
    """The identity and the token can be read from an intent's path, and from nothing else."""
    assert intent_key(KEY.intent_path(TOKEN)) == (KEY, TOKEN)
    assert intent_key("_wsparquet/intents/7/x.json") is None

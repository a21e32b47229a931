"""wsparquet/dataset/layout.py."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dataset.helpers import API_NAME
from wsparquet.dataset import Identity
from wsparquet.dataset.layout import Key, encode, intent_key, is_own_path, part_path, part_place

TOKEN = "0123456789abcdef"
KEY = Identity("7", API_NAME).key
any_text = st.text(st.characters(), max_size=150)


@given(any_text)
def test_any_text_becomes_a_safe_file_name(text: str) -> None:
    """An encoded text is short, never empty, hidden or a way out, and of the safe alphabet only."""
    encoded = encode(text)
    assert re.fullmatch(r"(?:[A-Za-z0-9-]|%[0-9A-Fa-f]{2})(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})*", encoded)
    assert len(encoded) <= 100


@given(any_text, any_text)
def test_different_texts_stay_different(one: str, other: str) -> None:
    """Two texts have the same encoding only if they are the same, over-long and odd ones too."""
    assert (encode(one) == encode(other)) == (one == other)
    # What another text became is a text of its own.
    assert encode(encode(one)) != encode(one) or encode(one) == one


def test_a_name_that_looks_like_a_cut_one_is_another_name() -> None:
    """Naming a source after the encoding of an over-long name does not make them one."""
    long = "x" * 500
    assert len(encode(long)) == 100
    assert encode(encode(long)) != encode(long)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("..", "%2E."), ("_a", "%5Fa"), ("a/b", "a%2Fb"), ("a b", "a%20b"), ("%", "%25"), (API_NAME, API_NAME)],
)
def test_encoding_keeps_what_is_safe(text: str, expected: str) -> None:
    """Only what is unsafe is escaped; a leading dot or underscore would hide the file from engines."""
    assert encode(text) == expected


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

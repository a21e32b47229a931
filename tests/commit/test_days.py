"""Day records: read as they were written, refused if they are wrong, and the rule which rows count."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.commit.commits import commit
from wsparquet.commit import Commit, Part
from wsparquet.commit.days import Counting, DayRecord, Member, is_waiting
from wsparquet.commit.parsing import decode_day, decode_intent
from wsparquet.commit.record import Intent
from wsparquet.errors import DatasetError
from wsparquet.layout import Day, Identity, day_part_path, part_path

DAY = Day("7", date(2016, 6, 30))
TOKEN = "0123456789abcdef"


def day_part(table: str, number: int = 0, *, rows: int = 5, day: Day = DAY, token: str = TOKEN) -> Part:
    """A day part."""
    return Part(day_part_path(day.key, table, f"{token}.{number}"), table, day.day, rows, 100, 1, 2, "ab" * 32)


def record(**changes: Any) -> DayRecord:
    """A day with rows of two sources in geo."""
    members = {"a": Member("content a", "a.gz", {"geo": 2}), "b": Member("content b", "b.gz", {"geo": 3})}
    made = DayRecord.new(DAY, TOKEN, members=members, parts=[day_part("geo")], keep_until=1.5)
    return replace(made, **changes)


def source(name: str, *, content_id: str, tables: tuple[str, ...] = ("geo",), day: date | None = DAY.day) -> Commit:
    """A commit with a part in some tables of one day."""
    identity = Identity("7", name)
    parts = tuple(
        Part(part_path(identity.key, table, day, f"{TOKEN}.{number}"), table, day, 2, 10, None, None)
        for number, table in enumerate(tables)
    )
    return replace(commit(), identity=identity, parts=parts, content_id=content_id)


# --- Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", [DAY, Day("a.b/c", None), Day("7", date(1, 1, 1))])
def test_a_record_is_read_as_it_was_written(day: Day) -> None:
    """Every value comes back, for a day and for the rows without one, whatever the account is called."""
    written = record(identity=day, parts=(day_part("geo", day=day),), obsolete=(day_part("geo", 7, day=day).path,))
    assert decode_day(written.to_json(), written.path) == written
    intent = Intent.of(written, expected=written)
    assert intent.paths == written.paths
    assert decode_intent(intent.to_json(), day.key.intent_path(TOKEN), day.key) == intent


@pytest.mark.parametrize(
    "change",
    [
        {"parts": [{"path": "record_type=geo/date=2016-07-01/7.0123456789abcdef.0.parquet", "rows": 5}]},
        {"parts": [{"path": "record_type=geo/date=2016-06-30/8.0123456789abcdef.0.parquet", "rows": 5}]},
        {"parts": [{"path": "record_type=geo/date=2016-06-30/7.a.0123456789abcdef.0.parquet", "rows": 5}]},
        {"parts": [{"path": "../record_type=geo/date=2016-06-30/7.0123456789abcdef.0.parquet", "rows": 5}]},
        {"parts": [{"rows": 6}]},
        {"parts": []},
        {"obsolete": ["record_type=geo/date=2016-06-30/7.a.0123456789abcdef.0.parquet"]},
        {"members": {"a": {"content_id": "x", "source_file": "a.gz", "rows": {"geo": 5}}, "b": 3}},
        {"members": {"a": {"content_id": "x", "source_file": "a.gz", "rows": {"geo": "5"}}}},
        {"members": {n: {"content_id": n, "source_file": "a.gz", "rows": {"geo": r}} for n, r in (("a", 2), ("b", 3))}},
        {"members": {"a": {"content_id": "x", "source_file": "a.gz", "rows": {"navigation": 5}}}},
        {"identity": {"account": "7", "day": "2016-07-01"}},
        {"identity": {"account": "8", "day": "2016-06-30"}},
        {"identity": {"account": "7", "day": "30.06.2016"}},
        {"keep_until": "tomorrow"},
        {"token": 5},
        {"format_version": 3},
    ],
    ids=repr,
)
def test_a_wrong_record_is_refused(change: dict[str, Any]) -> None:
    """A path of another day, account or source, rows that do not add up, or a value of another kind."""
    values = json.loads(record().to_json())
    if change.get("parts"):
        change = {"parts": [{**values["parts"][0], **change["parts"][0]}]}
    with pytest.raises(DatasetError, match=r"_wsparquet/days/7/2016-06-30\.json: expected"):
        decode_day(json.dumps({**values, **change}).encode(), record().path)


def test_an_intent_names_the_new_day_parts_alone() -> None:
    """Day parts that the record keeps belong to an earlier attempt."""
    kept = day_part("geo", token="f" * 16)
    assert record(parts=(kept, day_part("geo", 1))).published == (day_part("geo", 1).path,)


def test_a_successor_replaces_what_it_does_not_keep() -> None:
    """Also files that still wait for their deletion; the latest wish to keep them counts."""
    old, kept, new = day_part("geo", 1), day_part("geo", 2), day_part("geo", 3, token="f" * 16)
    waiting = record(parts=(old, kept), obsolete=("earlier",), keep_until=time.time() + 60)
    assert is_waiting(waiting)
    after = record(parts=(kept, new), keep_until=None).after(waiting, waiting.replaceable())
    assert after.obsolete == (old.path, "earlier")
    assert after.keep_until == waiting.keep_until
    done = replace(waiting, keep_until=time.time() - 1)
    assert not is_waiting(done)
    assert record(parts=(kept, new)).after(done, done.replaceable()).obsolete == (old.path,)


# --- Which rows count -------------------------------------------------------------------------------------------------


def paths(counting: Counting) -> dict[str, frozenset[str]]:
    """The parts that count, with their void sources."""
    return {part.path: void for part, void in counting.parts()}


def test_a_member_of_the_current_content_has_its_rows_in_day_parts() -> None:
    """Its own part of this table and day does not count; those of other tables and days do."""
    merged, other = (
        source("a", content_id="content a", tables=("geo", "navigation")),
        source("b", content_id="content b"),
    )
    tomorrow = source("b", content_id="content b", day=date(2016, 7, 1))
    both = replace(other, parts=(*other.parts, *tomorrow.parts))
    counting = Counting([merged, both], {DAY: record()})
    assert paths(counting) == {
        merged.parts[1].path: frozenset(),
        tomorrow.parts[0].path: frozenset(),
        day_part("geo").path: frozenset(),
    }
    assert list(counting.day_parts(merged)) == [day_part("geo")]


@pytest.mark.parametrize("now", ["other content", "gone"])
def test_rows_of_other_content_are_void(now: str) -> None:
    """A source that was replaced has its rows in its own part, and a removed one has none."""
    changed = source("a", content_id="new content")
    commits = [source("b", content_id="content b"), *([changed] if now == "other content" else [])]
    found = paths(Counting(commits, {DAY: record()}))
    assert found.pop(day_part("geo").path) == frozenset({"a.gz"})
    assert list(found) == [part.path for part in changed.parts if now == "other content"]


def test_the_rule_is_one_of_the_account() -> None:
    """A source of another account with the same name and content id is not the member."""
    stranger = replace(source("a", content_id="content a"), identity=Identity("8", "a"))
    assert list(Counting([], {DAY: record()}).own_parts(stranger)) == list(stranger.parts)

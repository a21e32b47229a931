"""wsparquet/parquet/partition.py, held against plain Python."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dataset.helpers import DAY, START, make_rows
from tests.scale import scaled
from wsparquet.errors import DatasetError
from wsparquet.parquet.partition import shared_day, split_by_day, to_date
from wsparquet.parquet.row_days import earliest, partition_days
from wsparquet.schema import TABLES
from wsparquet.schema.fields import TIMESTAMP

COMMON = {"metaData", "source_file", "record_number", "rescued"}


def instants(value: Any) -> list[datetime]:
    """Every timestamp in a value."""
    if isinstance(value, datetime):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [instant for child in children for instant in instants(child)]


def expected_day(row: dict[str, Any], fallback: int | None) -> date | None:
    """The rule of the design, word by word."""
    own = [instant for name, value in row.items() if name not in COMMON for instant in instants(value)]
    if own:
        return min(own).date()
    if row["metaData"] and row["metaData"]["startTime"]:
        return row["metaData"]["startTime"].date()
    return datetime.fromtimestamp(fallback / 1000, UTC).date() if fallback is not None else None


@pytest.mark.parametrize("table", TABLES)
@settings(max_examples=scaled(100, 25), deadline=None)
@given(seed=st.integers(0, 2**32), fallback=st.sampled_from([None, START, START + 40 * DAY]), offset=st.integers(0, 9))
def test_days_are_those_of_the_earliest_own_timestamps(
    table: str, seed: int, fallback: int | None, offset: int
) -> None:
    """Own timestamps come first, then the container's start, then the file's, then none; slices count alike."""
    batch = make_rows(table, 12, seed=seed).slice(offset)
    days = partition_days(table, batch, fallback)
    assert days.type == pa.date32()
    assert days.to_pylist() == [expected_day(row, fallback) for row in batch.to_pylist()]


@pytest.mark.parametrize("table", TABLES)
@settings(max_examples=scaled(100, 25), deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 40))
def test_splitting_loses_no_row_and_keeps_their_order(table: str, seed: int, count: int) -> None:
    """Each row is in the one split of its day, in the batch's order."""
    batch = make_rows(table, count, seed=seed)
    days = partition_days(table, batch, None).to_pylist() if count else []
    splits = list(split_by_day(table, batch, None))
    assert sum(rows.num_rows for _, rows in splits) == count
    assert len(splits) == len(set(days))
    for day, rows in splits:
        expected = [row for row, of in zip(batch.to_pylist(), days, strict=True) if of == day]
        assert repr(rows.to_pylist()) == repr(expected)


@pytest.mark.parametrize("table", TABLES)
@settings(max_examples=scaled(100, 25), deadline=None)
@given(
    seed=st.integers(0, 2**32),
    start=st.sampled_from([START - 3 * DAY, START - DAY // 2, START]),
    span=st.sampled_from([DAY // 100, DAY, 3 * DAY]),
    fallback=st.sampled_from([None, START, START + 40 * DAY, -1]),
)
def test_a_shared_day_is_that_of_every_row(table: str, seed: int, start: int, span: int, fallback: int | None) -> None:
    """Where one day is told for a whole batch, each row alone has it; at midnight and for slices, too."""
    batch = make_rows(table, 4, seed=seed, start=start, span=span).slice(seed % 3)
    shared = shared_day(table, batch, fallback)
    days = partition_days(table, batch, fallback)
    assert shared is None or days.to_pylist() == [to_date(shared, table)] * len(days)


@pytest.mark.parametrize("table", TABLES)
def test_records_of_one_hour_share_their_day(table: str) -> None:
    """What the field's files look like is not looked at row by row."""
    batch = make_rows(table, 30, span=DAY // 24)
    shared = shared_day(table, batch, START)
    assert shared is not None
    assert to_date(shared, table) == date(2016, 6, 30)


def test_a_batch_of_one_day_is_not_copied() -> None:
    """The usual case costs nothing."""
    schema = TABLES["unrecognized"].schema
    batch = pa.RecordBatch.from_pylist([{"record_number": n} for n in range(5)], schema=schema)
    ((day, rows),) = split_by_day("unrecognized", batch, START)
    assert day == date(2016, 6, 30)
    assert rows is batch


@pytest.mark.parametrize(
    ("fallback", "day"),
    [
        (START, date(2016, 6, 30)),
        (946684800000, date(2000, 1, 1)),
        (946684799999, None),
        (4102444799999, date(2099, 12, 31)),
        (4102444800000, None),
        (99999999999999999999, None),
        (-1, None),
    ],
)
def test_an_impossible_file_name_gives_no_day(fallback: int, day: date | None) -> None:
    """The start in a file's name counts from 2000 to 2099 only, as timestamps in the file do."""
    batch = pa.RecordBatch.from_pylist([{"record_number": 0}], schema=TABLES["geo"].schema)
    assert partition_days("geo", batch, fallback).to_pylist() == [day]


@pytest.mark.parametrize(("microseconds", "day"), [(-1, date(1969, 12, 31)), (0, date(1970, 1, 1))])
def test_days_before_1970_are_rounded_down(microseconds: int, day: date) -> None:
    """A negative instant lies in the day that it lies in."""
    rows = [{"sessionStartTime": microseconds}]
    batch = pa.RecordBatch.from_pylist(rows, schema=TABLES["session_info"].schema)
    assert partition_days("session_info", batch, None).to_pylist() == [day]


def test_a_day_that_no_folder_can_be_named_after_is_an_error() -> None:
    """The year 294247 is refused, not written under a strange name."""
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array([2**63 - 1], pa.int64()).cast(TIMESTAMP)
            if field.name == "sessionStartTime"
            else pa.nulls(1, field.type)
            for field in TABLES["session_info"].schema
        ],
        schema=TABLES["session_info"].schema,
    )
    with pytest.raises(DatasetError, match="years 1 to 9999"):
        list(split_by_day("session_info", batch, None))


def nested(chance: random.Random, depth: int) -> Any:
    """A list of structs of lists, with nulls at every level."""
    if chance.random() < 0.2:
        return None
    if depth == 0:
        return START + chance.randrange(DAY)
    return [{"at": nested(chance, 0), "more": nested(chance, depth - 1)} for _ in range(chance.randrange(3))]


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_timestamps_are_found_at_any_depth(seed: int) -> None:
    """Lists in lists are searched too, though no table has them yet; what a null hides is not found."""
    chance = random.Random(seed)
    inner = pa.list_(pa.struct([("at", TIMESTAMP), ("more", TIMESTAMP)]))
    outer = pa.list_(pa.struct([("at", TIMESTAMP), ("more", inner)]))
    array = pa.array([nested(chance, 2) for _ in range(6)], outer)
    rows: list[Any] = array.to_pylist()
    found = earliest(array, pa.field("a", array.type))
    assert found.cast(TIMESTAMP).to_pylist() == [min(instants(value), default=None) for value in rows]


def test_what_lies_under_a_null_list_is_not_found() -> None:
    """A null list may have values beneath it, which are none."""
    values = pa.array([START, START + 1, START + 2], TIMESTAMP)
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 3], pa.int32()), values, mask=pa.array([True, False]))
    assert earliest(lists, pa.field("a", lists.type)).to_pylist() == [None, START + 2]

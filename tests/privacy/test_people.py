"""wsparquet/privacy/people.py and quarantine.py: which rows and texts belong to people."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pytest

from wsparquet.privacy.ids import KINDS, Id, Kind
from wsparquet.privacy.keys import SecretKey
from wsparquet.privacy.people import People, digest
from wsparquet.privacy.quarantine import copy_without, count_kinds, find_texts
from wsparquet.schema import TABLES

KEY = SecretKey(b"k" * 32)


def people(*ids: Id, erased: bool) -> People:
    """People by their ids, or by the hashes of these."""
    if not erased:
        return People.named(ids)
    digests = {kind: frozenset(digest(KEY, kind, value) for each, value in ids if each == kind) for kind in KINDS}
    return People.erased(KEY, digests)


def rows(table: str, *values: dict[str, Any]) -> pa.RecordBatch:
    """Rows with these values, and nulls in all other columns."""
    return pa.RecordBatch.from_pylist(list(values), schema=TABLES[table].schema)


def attributes(*customers: str | None) -> dict[str, Any]:
    """A row with one attribute for each customer, and one of another kind."""
    infos = [{"data": {"type": "customerInfo", "customerInfo": {"customerId": each}}} for each in customers]
    return {"visitId": "v", "engagementAttributes": [{"data": None}, *infos]}


@pytest.mark.parametrize("erased", [False, True])
@pytest.mark.parametrize("start", [0, 1])
def test_rows_by_columns_and_texts(erased: bool, start: int) -> None:
    """By each column with ids, at any depth and in a slice of a batch, and by JSON text."""
    known = people(("visitor", "a"), ("visit", "b"), ("customer", "c"), erased=erased)
    found = rows(
        "geo",
        {"visitorId": "x"},
        {"visitorId": "a"},
        {"visitorId": "b", "visitId": "a"},
        {"visitId": "b", "rescued": "{}"},
        {"rescued": '{"$.x": {"visitor_id": "a"}}'},
        {"visitorId": None},
    ).slice(start)
    assert pa.RecordBatch.to_pylist(known.others(found)) == [
        found.to_pylist()[i - start] for i in range(start, 6) if i in {0, 2, 5}
    ]
    batch = rows(
        "engagement_attributes", attributes("c"), attributes(), attributes("x", "c", None), attributes("x")
    ).slice(start)
    mask = known.rows(batch)
    assert mask is not None
    assert mask.to_pylist() == [True, False, True, False][start:]
    texts = rows("unrecognized", {"record": '{"customerId": {"string": "c"}}'}, {"record": "{}"}, {"record": None})
    assert known.others(texts).num_rows == 2
    assert known.rows(texts.slice(1)) is None
    assert people(("customer", "c"), erased=erased).others(found).num_rows == found.num_rows


def test_hashes_differ_by_kind_and_key() -> None:
    """The same id of two kinds, or with two keys, has different hashes."""
    kinds: tuple[Kind, ...] = ("visitor", "visit", "customer")
    keys = (KEY, SecretKey(b"other key of 32 bytes ..........."))
    assert len({digest(key, kind, "a") for key in keys for kind in kinds}) == 6
    assert digest(KEY, "visitor", "a") != KEY.digest(b"a")


def test_values_of_containers() -> None:
    """Only values with an id go; an entry without values goes with them."""
    known = people(("visitor", "a"), erased=False)
    values = [
        {"containers": [0, 0], "values": {"$.visitorId": '"a"', "$.x": "1"}},
        {"containers": [1, 1], "values": {"$.y": '{"visitorId": "a"}'}},
        {"containers": [2, 2], "values": {"$.y": '{"visitorId": "b"}'}},
    ]
    kept, gone = known.without(values)
    assert gone == 2
    assert [each["containers"] for each in kept] == [[0, 0], [2, 2]]
    assert kept[0]["values"] == {"$.x": "1"}


def line(text: str, *, kind: str = "item", continued: bool = False) -> bytes:
    """A line of a quarantine file."""
    return json.dumps({"kind": kind, "start": 0, "continued": continued, "text": text}).encode() + b"\n"


def test_quarantined_texts_go_as_a_whole() -> None:
    """A text in several lines goes with all of them, also if the id begins in one line and ends in the next."""
    known = people(("visitor", "abc"), erased=True)
    lines = [
        line("nothing"),
        line('x "visit'),
        line('orId": "ab', continued=True),
        line('c" and so on', continued=True),
        line('{"visitorId": "abc"', kind="record"),
        line('{"visitorId": "abcd"', kind="record"),
        json.dumps({"kind": "item", "continued": False, "base64": "/yJ2aXNpdG9ySWQiOiJhYmMi"}).encode() + b"\n",
        line("the end"),
    ]
    found = find_texts(lines, known, "file")
    assert count_kinds(found) == {"item": 2, "record": 1}
    to = io.BytesIO()
    assert copy_without(iter(lines), found, to, "file") == 3
    assert to.getvalue() == lines[0] + lines[5] + lines[7]

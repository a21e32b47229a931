"""wsparquet/verification/doubles.py: when rows of two texts count as the same, on both sides of each threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.dataset.helpers import START, facts, make_rows
from tests.scale import scaled
from wsparquet import compact
from wsparquet.commit import Commit, Text
from wsparquet.dataset import Root
from wsparquet.layout import Identity
from wsparquet.schema import TABLES
from wsparquet.verification import verify
from wsparquet.verification.doubles import MASK, MOST_PARTS, SKETCH, _Piece, _sharing, _Sketched, _text_hash

FIRST, SECOND = "navigation", "impression"
LISTS = {FIRST: "navigationData", SECOND: "impressions"}
"""The columns with the timestamps."""


def timed_rows(table: str, count: int, seed: int) -> pa.RecordBatch:
    """Rows that each have one timestamp, which no other seed has, all on one day."""
    rows = make_rows(table, count, seed=seed).to_pylist()
    for number, row in enumerate(rows):
        row[LISTS[table]] = [{"timestamp": START * 1000 + seed * 1_000_000 + number}]
    return pa.RecordBatch.from_pylist(rows, schema=TABLES[table].schema)


def put(root: Root, name: str, *rows: tuple[str, int, int], text: Text | None = None) -> Commit:
    """Commit rows: the table, their number, and the seed that makes them."""
    known = facts(text=text) if text else facts()
    with root.begin(fallback_day_ms=None) as attempt:
        for table, count, seed in rows:
            attempt.write(table, timed_rows(table, count, seed))
        return attempt.commit(Identity("7", name), known, expected=None)


def found(root: Root) -> list[tuple[str, str, str]]:
    """The commits that have rows of others: kind, path, and what was found."""
    kinds = {"doubled", "twin"}
    return [(each.kind, each.where, each.found) for each in verify(root.place).problems if each.kind in kinds]


@pytest.mark.parametrize(("others", "reported"), [(20, True), (21, False)])
def test_half_of_the_rows_of_the_smaller_commit(tmp_path: Path, others: int, reported: bool) -> None:
    """With half of its rows in the other it is reported, with fewer it is not."""
    root = Root.open(tmp_path / "lake")
    larger = put(root, "larger", (FIRST, 20, 0), (SECOND, 60, 1))
    smaller = put(root, "smaller", (FIRST, 20, 0), (SECOND, others, 2))
    said = f"20 of 40 rows in {larger.path} "
    assert [(kind, where, text.startswith(said)) for kind, where, text in found(root)] == (
        [("doubled", smaller.path, True)] if reported else []
    )


def test_each_pair_is_reported_once(tmp_path: Path) -> None:
    """Rows in several tables and days are one problem for each pair of commits."""
    root = Root.open(tmp_path / "lake")
    for name in ("a", "b", "c"):
        put(root, name, (FIRST, 20, 0), (SECOND, 20, 0))
    assert [(kind, text.partition(" rows")[0]) for kind, _, text in found(root)] == [("doubled", "40 of 40")] * 3


def test_commits_of_one_text_are_twins_and_not_doubled(tmp_path: Path) -> None:
    """They have a remedy of their own: the next run settles them."""
    root = Root.open(tmp_path / "lake")
    for name in ("a", "b"):
        put(root, name, (FIRST, 20, 0), text=Text("ab" * 32, 10))
    assert [kind for kind, _, _ in found(root)] == ["twin"]


def sketched(*hashes: int) -> _Sketched:
    """A part with these hashes."""
    return _Sketched(_Piece("path"), sorted(hashes))


@pytest.mark.parametrize(("same", "candidates"), [(8, 1), (7, 0)])
def test_four_fifths_of_the_hashes(same: int, candidates: int) -> None:
    """Rows are compared from there on, and not below."""
    one, other = sketched(*range(10)), sketched(*range(10 - same, 20 - same))
    assert len(list(_sharing([one, other]))) == candidates


def test_a_full_sketch_says_nothing_of_larger_hashes() -> None:
    """A small part is found in a large one, whose sketch ends early; a part that is not full has no other hashes."""
    large = sketched(*range(0, 2 * SKETCH, 2))
    inside = sketched(*range(0, 20, 2), *range(1000, 1020))
    assert list(_sharing([large, inside])) == [(large, inside)]
    assert list(_sharing([sketched(*range(0, 2 * SKETCH - 2, 2)), inside])) == []
    assert MASK > 1020


@pytest.mark.parametrize(
    ("parts", "pairs"), [(MOST_PARTS, MOST_PARTS * (MOST_PARTS - 1) // 2), (MOST_PARTS + 1, MOST_PARTS)]
)
def test_beyond_a_limit_neighbours_are_candidates(parts: int, pairs: int) -> None:
    """At the limit all pairs are candidates; beyond it the work is linear."""
    assert len(list(_sharing([sketched(1) for _ in range(parts)]))) == pairs


@pytest.mark.parametrize("own", [(), tuple(range(10, 19))])
def test_a_timestamp_of_very_many_parts_says_nothing(own: tuple[int, ...]) -> None:
    """Parts that share nothing else are not compared. Equal parts are found among them, whatever else they have."""
    popular, equal = (500, 501), MOST_PARTS + 6
    group = []
    for number in range(100):
        starts = 1000 * (2 * number + 1), 1000 * (2 * number + 2)
        group += [
            sketched(number % 7, each, *range(start, start + 9)) for start, each in zip(starts, popular, strict=True)
        ]
        if number < equal:
            group.append(sketched(*own, *popular))
    pairs = list(_sharing(group))
    assert len(pairs) == equal - 1
    assert all(one.hashes == other.hashes for one, other in pairs)


def test_very_many_sources_with_the_same_rows(tmp_path: Path) -> None:
    """All but one are reported, each with another one; a source with other rows at a shared time is not."""
    root = Root.open(tmp_path / "lake")
    count, tables = MOST_PARTS + 2, (FIRST, SECOND)[: scaled(2, 1)]
    for number in range(count):
        put(root, f"copy {number}", *((table, 3, 0) for table in tables))
    other = put(root, "other", (FIRST, 3, 1))
    problems = found(root)
    assert len(problems) == count - 1
    assert {text.partition(" rows")[0] for _, _, text in problems} == {f"{3 * len(tables)} of {3 * len(tables)}"}
    assert not any(other.path in where + text for _, where, text in problems)


# --- Tables without timestamps ----------------------------------------------------------------------------------------


def place_rows(table: str, visits: Sequence[str | None], **values: Any) -> pa.RecordBatch:
    """Rows of a table without timestamps, which differ by nothing but their visits."""
    (row,) = make_rows(table, 1).to_pylist()
    rows = [row | {"visitId": visit, "record_number": number} | values for number, visit in enumerate(visits)]
    return pa.RecordBatch.from_pylist(rows, schema=TABLES[table].schema)


def put_rows(root: Root, name: str, rows: Mapping[str, pa.RecordBatch]) -> Commit:
    """Commit the rows of each table."""
    with root.begin(fallback_day_ms=START * 1000) as attempt:
        for table, batch in rows.items():
            attempt.write(table, batch)
        return attempt.commit(Identity("7", name), facts(source_name=name), expected=None)


def visits(numbers: range) -> list[str]:
    """The ids of some visits."""
    return [f"visit {number}" for number in numbers]


@pytest.mark.parametrize("table", ["geo", "unrecognized"])
def test_rows_without_timestamps_of_the_same_visits(tmp_path: Path, table: str) -> None:
    """They are the same rows if every column but the source is equal, also after a compaction."""
    root = Root.open(tmp_path / "lake")
    for name, context in (("one", "same"), ("other", "same"), ("moved", "another")):
        rows = place_rows(table, visits(range(20)), source_file=name, contextId=context)
        put_rows(root, name, {table: rows})
    before = found(root)
    assert [(kind, text.partition(" rows")[0]) for kind, _, text in before] == [("doubled", "20 of 20")]
    assert compact(root.place, min_files=2).days == 1
    assert found(root) == before


def test_sketches_of_visits_are_equal_in_all_processes() -> None:
    """Processes that check parts send their sketches to one that compares them."""
    assert _text_hash("visit") == 0xE197E08CAEA97A51


@pytest.mark.parametrize("visit", [None, "", "redacted"])
def test_equal_rows_of_no_visit_are_not_the_same(tmp_path: Path, visit: str | None) -> None:
    """Visitors of one town and provider have equal rows."""
    root = Root.open(tmp_path / "lake")
    for name in ("one", "other"):
        # One visit makes the two sources candidates.
        put_rows(root, name, {"geo": place_rows("geo", ["visit", *[visit] * 8])})
    assert found(root) == []


def test_equal_rows_of_different_visits_are_not_the_same(tmp_path: Path) -> None:
    """Also if some visits go on in the other source: fewer than half of them."""
    root = Root.open(tmp_path / "lake")
    put_rows(root, "one", {"geo": place_rows("geo", visits(range(20)))})
    put_rows(root, "other", {"geo": place_rows("geo", visits(range(11, 31)))})
    assert found(root) == []


def test_timestamps_decide_where_there_are_any(tmp_path: Path) -> None:
    """Visits that go on in the next file have the same place there, but other events."""
    root = Root.open(tmp_path / "lake")
    place = place_rows("geo", visits(range(20)))
    for seed, name in enumerate(("one", "other")):
        put_rows(root, name, {"geo": place, FIRST: timed_rows(FIRST, 2, seed)})
    assert found(root) == []
    copy = put_rows(root, "places", {"geo": place})
    assert [(where, text.partition(" rows")[0]) for _, where, text in found(root)] == [(copy.path, "20 of 20")] * 2

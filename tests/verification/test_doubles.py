"""wsparquet/verification/doubles.py: when rows of two texts count as the same, on both sides of each threshold."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.dataset.helpers import START, facts, make_rows
from wsparquet.commit import Commit, Text
from wsparquet.dataset import Root
from wsparquet.layout import Identity
from wsparquet.schema import TABLES
from wsparquet.verification import verify
from wsparquet.verification.doubles import MASK, MOST_PARTS, SKETCH, _Piece, _sharing, _Sketched

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


@pytest.mark.parametrize(("parts", "pairs"), [(MOST_PARTS, MOST_PARTS * (MOST_PARTS - 1) // 2), (MOST_PARTS + 1, 0)])
def test_a_timestamp_of_very_many_parts_says_nothing(parts: int, pairs: int) -> None:
    """At the limit all pairs are candidates, beyond it none is."""
    assert len(list(_sharing([sketched(1) for _ in range(parts)]))) == pairs

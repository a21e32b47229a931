"""Finds rows that two sources have although their texts differ, such as a file that was written again by another tool.

Comparing all rows of a root with each other would need much memory. So each part gets a sketch: the smallest hashes of
the timestamps of its rows (a bottom-k sketch). Two parts of one table and day that have the same rows have the same
timestamps, hence the same small hashes. Only the rows of such parts are compared, value by value.
"""

from __future__ import annotations

import functools
import heapq
import io
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import combinations
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from wsparquet.commit import Commit, Part
from wsparquet.parquet.settings import leaves, own_timestamps
from wsparquet.store.store import Store
from wsparquet.verification.outcome import Problem

__all__ = ["Doubles"]

SKETCH = 64
"""How many hashes a sketch has: enough to find a part of 1,000 rows in one that is 20 times as large."""

SAME = 0.8
"""The share of the comparable hashes that must be equal before rows are compared."""

MOST_PARTS = 64
"""The largest number of parts that a hash may be in, so that it makes two of them candidates."""

NAMES = frozenset({"source_file", "record_number"})
"""The columns that say where a row comes from, so that they differ between two sources with the same rows."""

# A multiplier of Knuth's multiplicative hash: the upper bits of the product depend on all bits of the timestamp.
MULTIPLIER = 11400714819323198485
MASK = (1 << 64) - 1


class _Sketched(NamedTuple):
    part: Part
    hashes: list[int]


class Doubles:
    """The sketches of the parts of a root; any number of threads may add parts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sketches: dict[str, list[int]] = {}

    def add(self, part: Part, file: pq.ParquetFile) -> None:
        """Add a part. Parts of tables without timestamps of their own are not compared."""
        columns = own_timestamps(part.table)
        if not columns:
            return
        times = _values(file.read(columns=[leaves(part.table)[columns[0]].path]).column(0).combine_chunks())
        distinct = times.drop_null().cast(pa.int64()).unique().to_pylist()
        hashes = heapq.nsmallest(SKETCH, (value * MULTIPLIER & MASK for value in distinct if value is not None))
        with self._lock:
            self._sketches[part.path] = hashes

    def problems(self, store: Store, commits: Iterable[Commit]) -> Iterator[Problem]:
        """Yield one problem for each pair of commits of which one has at least half of its rows in the other, too.

        Commits of the same text are left out: they are twins.
        """
        by_path: dict[str, Commit] = {}
        groups: defaultdict[tuple[str, date | None], list[_Sketched]] = defaultdict(list)
        for commit in commits:
            for part in commit.parts:
                if (hashes := self._sketches.get(part.path)) is not None:
                    by_path[part.path] = commit
                    groups[part.table, part.date].append(_Sketched(part, hashes))
        # A part can be in many pairs. The rows of a whole root would not fit in memory.
        rows_of = functools.lru_cache(maxsize=256)(functools.partial(_rows, store))
        found: dict[tuple[str, str], tuple[Commit, Commit, int]] = {}
        for one, other in _similar(groups.values(), by_path):
            pair = (by_path[one.path], by_path[other.path])
            if shared := _shared_rows(rows_of, one, other):
                key = (pair[0].path, pair[1].path)
                before = found[key][2] if key in found else 0
                found[key] = (*pair, before + shared)
        for commit, holder, rows in found.values():
            smaller, larger = sorted((commit, holder), key=lambda each: each.row_count)
            timed = sum(part.rows for part in smaller.parts if part.path in self._sketches)
            if 2 * rows >= timed:
                yield Problem(
                    "doubled",
                    smaller.path,
                    "rows that no other source has",
                    f"{rows} of {timed} rows in {larger.path} ({larger.facts.source_name}), too; remove one of the two "
                    "sources with `wsparquet remove`",
                )


def _similar(groups: Iterable[list[_Sketched]], by_path: Mapping[str, Commit]) -> Iterator[tuple[Part, Part]]:
    """Yield the pairs of parts of different sources, of one table and day, with the same small hashes."""
    for group in groups:
        for one, other in _sharing(group):
            first, second = by_path[one.part.path], by_path[other.part.path]
            if first is not second and first.facts.text != second.facts.text:
                yield one.part, other.part


def _sharing(group: list[_Sketched]) -> Iterator[tuple[_Sketched, _Sketched]]:
    """Yield the pairs of a group that have most of their comparable hashes in common."""
    by_hash: defaultdict[int, list[int]] = defaultdict(list)
    for index, sketched in enumerate(group):
        for value in sketched.hashes:
            by_hash[value].append(index)
    # A timestamp of very many parts, such as 1970-01-01, says nothing about any two of them.
    rare = (indices for indices in by_hash.values() if len(indices) <= MOST_PARTS)
    shared = Counter(pair for indices in rare for pair in combinations(indices, 2))
    for (first, second), count in shared.items():
        one, other = group[first], group[second]
        # Beyond the largest hash of either full sketch, it is unknown which hashes the part has.
        limit = min(_known_up_to(one), _known_up_to(other))
        comparable = min(sum(value <= limit for value in each.hashes) for each in (one, other))
        if count >= SAME * comparable:
            yield one, other


def _known_up_to(sketched: _Sketched) -> int:
    return sketched.hashes[-1] if len(sketched.hashes) == SKETCH else MASK


def _values(array: pa.Array) -> pa.Array:
    """Return the innermost values of nested lists and structs with one field each."""
    while True:
        if isinstance(array, pa.StructArray):
            array = array.flatten()[0]
        elif isinstance(array, pa.ListArray):
            array = array.flatten()
        else:
            return array


def _shared_rows(rows: Callable[[str], Counter[int]], one: Part, other: Part) -> int:
    """Return how many rows two parts have in common, apart from where they come from."""
    return (rows(one.path) & rows(other.path)).total()


def _rows(store: Store, path: str) -> Counter[int]:
    """Return the hashes of the rows of a part, with their numbers; none if the part is gone."""
    data = store.read(path)
    if data is None:
        return Counter()
    with pq.ParquetFile(io.BytesIO(data)) as file:
        table = file.read()
    rows = table.drop_columns([name for name in table.column_names if name in NAMES]).to_pylist()
    return Counter(hash(repr(row)) for row in rows)

"""Finds rows that two sources share although their texts differ, for example because a tool rewrote one file.

Comparing all rows of a root with each other would need too much memory. Instead, each part gets a sketch: the smallest
hashes of the timestamps of its rows (a bottom-k sketch). If two parts of the same table and day have the same rows,
they have the same timestamps, and therefore the same smallest hashes. Rows are compared value by value only between
parts with similar sketches.
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
"""How many hashes a sketch has: enough to find the rows of a part of 1,000 rows in a part of 20,000."""

SAME = 0.8
"""The share of the comparable hashes that must be equal before rows are compared."""

MOST_PARTS = 64
"""A hash that more parts than this have in common is ignored when similar parts are searched."""

NAMES = frozenset({"source_file", "record_number"})
"""The columns that say where a row comes from. They differ between two sources with the same rows."""

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
        """Yield a problem for each pair of commits if at least half of one's rows are also rows of the other.

        Commits of the same text are skipped, because they are twins.
        """
        by_path: dict[str, Commit] = {}
        groups: defaultdict[tuple[str, date | None], list[_Sketched]] = defaultdict(list)
        for commit in commits:
            for part in commit.parts:
                if (hashes := self._sketches.get(part.path)) is not None:
                    by_path[part.path] = commit
                    groups[part.table, part.date].append(_Sketched(part, hashes))
        # Cache rows, because a part can be in many pairs. The rows of a whole root would not fit in memory.
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
    """Yield the pairs of parts of the same table and day, but of different sources, with similar sketches."""
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
    # A timestamp that occurs in very many parts, such as 1970-01-01, does not make two of them similar.
    rare = (indices for indices in by_hash.values() if len(indices) <= MOST_PARTS)
    shared = Counter(pair for indices in rare for pair in combinations(indices, 2))
    for (first, second), count in shared.items():
        one, other = group[first], group[second]
        # A full sketch does not show which hashes its part has beyond the sketch's largest one.
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
    """Return how many rows two parts have in common, ignoring the columns that say where a row comes from."""
    return (rows(one.path) & rows(other.path)).total()


def _rows(store: Store, path: str) -> Counter[int]:
    """Return how often each row hash occurs in a part; return an empty counter if the part is gone."""
    data = store.read(path)
    if data is None:
        return Counter()
    with pq.ParquetFile(io.BytesIO(data)) as file:
        table = file.read()
    rows = table.drop_columns([name for name in table.column_names if name in NAMES]).to_pylist()
    return Counter(hash(repr(row)) for row in rows)

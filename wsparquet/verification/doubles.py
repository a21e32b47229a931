"""Finds rows that two sources share although their texts differ, for example because a tool rewrote one file.

Comparing all rows of a root with each other would need too much memory. Instead, each part gets a sketch: the smallest
hashes of the timestamps of its rows (a bottom-k sketch). If two parts of the same table and day have the same rows,
they have the same timestamps, and therefore the same smallest hashes. Rows are compared value by value only between
parts with similar sketches.

Tables such as ``geo`` have no timestamps of their own, and rows of different visits can be equal there. Their sketches
have hashes of ``visitId`` instead, and rows without a ``visitId`` are never the same. Such rows only decide about
sources that have no rows in other tables: a visit that goes on in the next file can have the same place there, while
its timestamps differ.
"""

from __future__ import annotations

import functools
import hashlib
import heapq
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from itertools import combinations, pairwise
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from wsparquet.commit import Commit, Part
from wsparquet.commit.days import Counting, DayRecord
from wsparquet.compute import count_values
from wsparquet.dataset.day_parts import rows_of_source
from wsparquet.decode.reference.masking import REDACTED
from wsparquet.layout import Day
from wsparquet.parquet.settings import leaves, own_timestamps
from wsparquet.schema import DOCUMENTED, Schema
from wsparquet.store.store import Store
from wsparquet.verification.outcome import Problem
from wsparquet.verification.part_files import batches, local_part, opened

__all__ = ["Doubles"]

SKETCH = 64
"""How many hashes a sketch has: enough to find the rows of a part of 1,000 rows in a part of 20,000."""

SAME = 0.8
"""The share of the comparable hashes that must be equal before rows are compared."""

MOST_PARTS = 64
"""Parts that share a hash are compared with each other, but with more parts than this, only with their neighbours.

Otherwise, a timestamp that occurs in very many parts, such as 1970-01-01, would make the search quadratic.
"""

VISIT = "visitId"

NO_VISITS = frozenset({None, "", REDACTED})
"""The values of ``visitId`` that do not tell visits apart."""

NAMES = frozenset({"source_file", "record_number"})
"""The columns that say where a row comes from. These columns differ between two sources with the same rows."""

# A multiplier of Knuth's multiplicative hash: the upper bits of the product depend on all bits of the timestamp.
MULTIPLIER = 11400714819323198485
MASK = (1 << 64) - 1


class _Piece(NamedTuple):
    """The rows of one source in a file: all rows of its own part, or with ``source_file`` its rows in a day part."""

    path: str
    source_file: str | None = None


class _Sketched(NamedTuple):
    piece: _Piece
    hashes: list[int]


class Doubles:
    """The sketches of the parts of a root; any number of threads may add parts."""

    def __init__(self, schema: Schema = DOCUMENTED) -> None:
        self.schema = schema
        self._lock = threading.Lock()
        self._sketches: dict[_Piece, list[int]] = {}

    def add(self, part: Part, file: pq.ParquetFile) -> None:
        """Add a source's own part."""
        self._add(part, file, lambda rows: [(_Piece(part.path), rows)])

    def add_day_part(self, part: Part, file: pq.ParquetFile, source_files: Iterable[str]) -> None:
        """Add the rows of some sources in a day part."""
        wanted = frozenset(source_files)

        def pieces(rows: pa.RecordBatch) -> Iterator[tuple[_Piece, pa.RecordBatch]]:
            for each in wanted.intersection(count_values(rows.column("source_file"))):
                yield _Piece(part.path, each), rows_of_source(rows, each)

        self._add(part, file, pieces)

    def _add(
        self,
        part: Part,
        file: pq.ParquetFile,
        pieces: Callable[[pa.RecordBatch], Iterable[tuple[_Piece, pa.RecordBatch]]],
    ) -> None:
        table = self.schema.tables[part.table]
        columns = own_timestamps(table)
        column = leaves(table)[columns[0]].path if columns else VISIT
        sketches: dict[_Piece, list[int]] = {}
        for batch in batches(file, ["source_file", column]):
            for piece, rows in pieces(batch):
                sketches[piece] = _sketch(rows, sketches.get(piece, []))
        with self._lock:
            self._sketches.update(sketches)

    def _is_timed(self, name: str) -> bool:
        table = self.schema.tables.get(name)
        return table is not None and bool(own_timestamps(table))

    @property
    def sketches(self) -> dict[_Piece, list[int]]:
        """The sketches by piece, which can be sent to another process."""
        return self._sketches

    def add_sketches(self, sketches: Mapping[_Piece, list[int]]) -> None:
        """Add the sketches that another process has made."""
        with self._lock:
            self._sketches.update(sketches)

    def problems(self, store: Store, commits: Iterable[Commit], days: Mapping[Day, DayRecord]) -> Iterator[Problem]:
        """Yield a problem for each pair of commits if at least half of one's rows are also rows of the other.

        Only rows in tables with timestamps count, unless the commit has none. Of more than ``MOST_PARTS`` commits with
        the same rows, each is only compared with the next one. Commits of the same text are skipped, because they are
        twins.
        """
        by_piece: dict[_Piece, Commit] = {}
        by_path: dict[str, Commit] = {}
        groups: defaultdict[tuple[str, date | None], list[_Sketched]] = defaultdict(list)
        for commit in commits:
            by_path[commit.path] = commit
            for part, piece in _pieces(commit, days):
                if (hashes := self._sketches.get(piece)) is not None:
                    by_piece[piece] = commit
                    groups[part.table, part.date].append(_Sketched(piece, hashes))
        timed = {path: self._timed_rows(commit) for path, commit in by_path.items()}
        # Cache rows, because a part can be in many pairs. The rows of a whole root would not fit in memory.
        rows_of = functools.lru_cache(maxsize=256)(functools.partial(_rows, store))
        found: Counter[tuple[str, str]] = Counter()
        for (table, _), group in groups.items():
            is_timed = self._is_timed(table)
            for one, other in _similar(group, by_piece):
                pair = (by_piece[one], by_piece[other])
                smaller, larger = sorted(pair, key=lambda each: (each.row_count, each.path))
                if is_timed or not timed[smaller.path]:
                    shared = rows_of(one, of_visits=not is_timed) & rows_of(other, of_visits=not is_timed)
                    found[smaller.path, larger.path] += shared.total()
        for (path, holder), rows in found.items():
            counted = timed[path] or by_path[path].row_count
            if rows and 2 * rows >= counted:
                yield Problem(
                    "doubled",
                    path,
                    "rows that no other source has",
                    f"{rows} of {counted} rows in {holder} ({by_path[holder].facts.source_name}), too; remove "
                    "one of the two sources with `wsparquet remove`",
                )

    def _timed_rows(self, commit: Commit) -> int:
        return sum(part.rows for part in commit.parts if self._is_timed(part.table))


def _pieces(commit: Commit, days: Mapping[Day, DayRecord]) -> Iterator[tuple[Part, _Piece]]:
    counting = Counting([commit], days)
    for part in counting.own_parts(commit):
        yield part, _Piece(part.path)
    for part in counting.day_parts(commit):
        yield part, _Piece(part.path, commit.facts.source_name)


def _sketch(rows: pa.RecordBatch, before: Iterable[int]) -> list[int]:
    """Return the smallest hashes of the timestamps or visits in the last column, and of those ``before``."""
    values = _values(rows.column(rows.num_columns - 1))
    if pa.types.is_timestamp(values.type):
        hashes = {value * MULTIPLIER & MASK for value in _distinct(values.cast(pa.int64()))}
    else:
        hashes = {_text_hash(value) for value in _distinct(values) if value not in NO_VISITS}
    return heapq.nsmallest(SKETCH, hashes.union(before))


def _distinct(values: pa.Array) -> list[Any]:
    distinct: list[Any] = values.drop_null().unique().to_pylist()
    return distinct


def _text_hash(text: str) -> int:
    # Python's own hash of a text differs between processes, and sketches are sent to other processes.
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _similar(group: list[_Sketched], by_piece: Mapping[_Piece, Commit]) -> Iterator[tuple[_Piece, _Piece]]:
    """Yield the pairs of pieces of a group, but of different sources, with similar sketches."""
    for one, other in _sharing(group):
        first, second = by_piece[one.piece], by_piece[other.piece]
        if first is not second and first.facts.text != second.facts.text:
            yield one.piece, other.piece


def _sharing(group: list[_Sketched]) -> Iterator[tuple[_Sketched, _Sketched]]:
    """Yield the pairs of a group that have most of their comparable hashes in common.

    If more than ``MOST_PARTS`` parts share a hash, each of them is only compared with the next one. In the order of
    their sketches, parts with the same rows are neighbours, whatever other parts share the hash.
    """
    ordered = sorted(group, key=lambda each: each.hashes)
    by_hash: defaultdict[int, list[int]] = defaultdict(list)
    for index, sketched in enumerate(ordered):
        for value in sketched.hashes:
            by_hash[value].append(index)
    pairs: set[tuple[int, int]] = set()
    for indices in by_hash.values():
        pairs.update(combinations(indices, 2) if len(indices) <= MOST_PARTS else pairwise(indices))
    # In this order, a part is soon compared again, while its rows are still cached.
    for first, second in sorted(pairs):
        if _are_similar(ordered[first], ordered[second]):
            yield ordered[first], ordered[second]


def _are_similar(one: _Sketched, other: _Sketched) -> bool:
    # A full sketch does not show which hashes its part has beyond the sketch's largest one.
    limit = min(_known_up_to(one), _known_up_to(other))
    comparable = min(sum(value <= limit for value in each.hashes) for each in (one, other))
    return len({*one.hashes}.intersection(other.hashes)) >= SAME * comparable


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


def _rows(store: Store, piece: _Piece, *, of_visits: bool) -> Counter[int]:
    """Return how often each row hash occurs in a piece, regardless of the columns that say where a row comes from.

    With ``of_visits``, leave out rows without a ``visitId``. Return an empty counter if the part is gone.
    """
    found: Counter[int] = Counter()
    with local_part(store, piece.path) as path:
        if path is None:
            return found
        with opened(path) as file:
            for batch in batches(file):
                rows = batch if piece.source_file is None else rows_of_source(batch, piece.source_file)
                kept = rows.select([name for name in rows.schema.names if name not in NAMES])
                found.update(
                    hash(repr(row)) for row in kept.to_pylist() if not of_visits or row[VISIT] not in NO_VISITS
                )
    return found

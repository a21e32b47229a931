"""A source decoded again by the reference decoder, and held against its rows value by value.

Rows are known by their number in the source. Of each, a digest of all of its values with table and day is kept, so that
the memory needed grows with the number of rows and not with what is in them; only rows that differ are looked at whole.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wsparquet.dataset.partition import split_by_day
from wsparquet.dataset.records import Commit
from wsparquet.dataset.store import Store
from wsparquet.decode import Decoded, DecoderOptions, Limits, make_decoder
from wsparquet.errors import DatasetError, WsparquetError
from wsparquet.names import parse_name
from wsparquet.source import Source, SourceLimits
from wsparquet.stream import decoded
from wsparquet.verification.outcome import Problem, Verification

__all__ = ["Comparison"]

Place = tuple[str, int]
"""Of a row: its table, and its number in the source."""
Row = tuple[date | None, dict[str, Any]]
"""A row with its day."""
Rows = tuple[str, date | None, pa.RecordBatch]
"""Rows of one table and one day."""
MOST_SHOWN = 10
DIGEST_BYTES = 16
SHOWN = 200


@dataclass
class _Content:
    """What a source holds: a digest of each row, and one of all quarantined text in the source's order."""

    rows: dict[Place, bytes] = field(default_factory=dict)
    quarantined: dict[int, bytes] = field(default_factory=dict)

    def add_rows(self, table: str, day: date | None, batch: pa.RecordBatch) -> None:
        """Take the rows of one day."""
        for row in batch.to_pylist():
            text = repr((day, row)).encode("utf-8", "surrogatepass")
            self.rows[table, row["record_number"]] = hashlib.blake2b(text, digest_size=DIGEST_BYTES).digest()

    def quarantine(self, start: int, data: bytes) -> None:
        """Take text that became no row, from its first byte in the source on."""
        self.quarantined[start] = self.quarantined.get(start, b"") + data

    def quarantined_text(self) -> str:
        """A digest of all that became no row; borders of pieces do not count."""
        text = b"".join(data for _, data in sorted(self.quarantined.items()))
        return f"{len(text)} bytes with SHA-256 {hashlib.sha256(text).hexdigest()}"


class Comparison:
    """A source and a commit of it."""

    def __init__(
        self, store: Store, commit: Commit, source: Source, *, limits: Limits, source_limits: SourceLimits
    ) -> None:
        self._store = store
        self._commit = commit
        self._source = source
        self._limits = limits
        self._source_limits = source_limits
        self._fallback = parse_name(source.name).start_ms

    def run(self, told: Callable[[int], None]) -> Verification:
        """How they differ; ``told`` is called with the stored bytes of the source that are read so far."""
        result = Verification(self._store.place(), sources=1)
        try:
            ours, theirs = self._decoded(told), self._committed()
        except (WsparquetError, pa.ArrowException, ValueError, KeyError) as error:
            problem = Problem("source", self._source.url, "a source and rows that can be read", str(error))
            result.problems.append(problem)
            return result
        result.compared_rows = len(ours.rows)
        differing = [place for place in {**ours.rows, **theirs.rows} if ours.rows.get(place) != theirs.rows.get(place)]
        if differing:
            result.problems.extend(self._describe(sorted(differing), ours, theirs))
        expected, found = ours.quarantined_text(), theirs.quarantined_text()
        if expected != found:
            where = self._commit.quarantine or self._commit.path
            result.problems.append(Problem("values", where, f"{expected}, as {self._source.url} has", found))
        return result

    # --- What either holds -------------------------------------------------------------------------------------------

    def _decoded(self, told: Callable[[int], None]) -> _Content:
        content = _Content()
        for piece, stored in self._pieces():
            for table, day, batch in self._by_day(piece):
                content.add_rows(table, day, batch)
            for entry in piece.quarantined:
                content.quarantine(entry.start, entry.data)
            told(stored)
        return content

    def _pieces(self) -> Iterator[tuple[Decoded, int]]:
        with self._source.open(self._source_limits) as reader:
            decoder = make_decoder(DecoderOptions(self._source.name, self._limits), decoder="reference")
            for piece in decoded(self._source, reader, decoder):
                yield piece, reader.stored_bytes

    def _by_day(self, piece: Decoded) -> Iterator[Rows]:
        for table, batch in piece.batches:
            for day, rows in split_by_day(table, batch, self._fallback):
                yield table, day, rows

    def _committed(self) -> _Content:
        content = _Content()
        for table, day, batch in self._parts():
            content.add_rows(table, day, batch)
        if self._commit.quarantine is not None:
            for line in self._read(self._commit.quarantine).splitlines():
                entry = json.loads(line)
                data = base64.b64decode(entry["base64"]) if "base64" in entry else entry["text"].encode("utf-8")
                content.quarantine(entry["start"], data)
        return content

    def _parts(self) -> Iterator[Rows]:
        for part in self._commit.parts:
            with pq.ParquetFile(io.BytesIO(self._read(part.path))) as file:
                for batch in file.iter_batches():
                    yield part.table, part.date, batch

    def _read(self, path: str) -> bytes:
        data = self._store.read(path)
        if data is None:
            raise DatasetError(f"{path}: expected a file that a record names, found none")
        return data

    # --- What differs ------------------------------------------------------------------------------------------------

    def _describe(self, differing: list[Place], ours: _Content, theirs: _Content) -> Iterator[Problem]:
        shown = differing[:MOST_SHOWN]
        expected = _picked((rows for piece, _ in self._pieces() for rows in self._by_day(piece)), {*shown})
        found = _picked(self._parts(), {*shown})
        for place in shown:
            where = f"{self._source.url}, record {place[1]}, table {place[0]}"
            if place not in theirs.rows:
                yield Problem("values", where, "a row", "none")
            elif place not in ours.rows:
                yield Problem("values", where, "no row", "one")
            else:
                yield Problem("values", where, *_difference(expected[place], found[place]))
        if len(differing) > len(shown):
            more = f"{len(differing) - len(shown)} more"
            yield Problem("values", self._source.url, "no other row that differs", more)


def _picked(rows: Iterable[Rows], places: set[Place]) -> dict[Place, Row]:
    """The rows at some places."""
    found: dict[Place, Row] = {}
    for table, day, batch in rows:
        for index, number in enumerate(batch.column("record_number").to_pylist()):
            if number is not None and (table, number) in places:
                found[table, number] = day, batch.slice(index, 1).to_pylist()[0]
    return found


def _difference(expected: Row, found: Row) -> tuple[str, str]:
    """The first column that differs, as text; what differs is personal data, and shown to whoever has both."""
    if expected[0] != found[0]:
        return f"date {expected[0]}", f"date {found[0]}"
    name = next((name for name in expected[1] if repr(expected[1][name]) != repr(found[1].get(name))), "?")
    return f"{name} {_shown(expected[1].get(name))}", _shown(found[1].get(name))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"

"""Decodes a source again with the reference decoder, and compares the result with the committed rows value by value.

Rows are matched by their record number in the source. Only a digest of each row's values and day is kept in memory, so
memory use depends on the number of rows, but not on their size. Only rows that differ are read in full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from wsparquet.commit.record import Commit, Part
from wsparquet.dataset.day_parts import rows_of_source
from wsparquet.decode import Decoded, DecoderOptions, Quarantined, make_decoder
from wsparquet.errors import DatasetError, WsparquetError
from wsparquet.layout import is_day_part_path
from wsparquet.names import parse_name
from wsparquet.parquet.partition import split_by_day
from wsparquet.privacy.people import People
from wsparquet.privacy.quarantine import TextFinder
from wsparquet.schema import Schema
from wsparquet.source import Source, SourceLimits
from wsparquet.store.store import Store
from wsparquet.stream import decoded
from wsparquet.verification.outcome import Problem, Verification
from wsparquet.verification.part_files import batches, local_part, opened
from wsparquet.verification.quarantine import quarantine_entries

__all__ = ["Committed", "Comparison"]

Place = tuple[str, int | None]
"""The table of a row, and its record number in the source, or None if the row has no number."""
Values = dict[str, Any]
Row = tuple[date | None, Values]
"""The day and the values of a row."""
Rows = tuple[str, date | None, Sequence[Values]]
"""Rows of one table and one day."""
MOST_SHOWN = 10
DIGEST_BYTES = 16
SHOWN = 200
REMEDY = "convert its source with `again`"


@dataclass
class _Content:
    """The content of a source: the digests of its rows by table and number, and quarantined text by position."""

    rows: dict[Place, bytes] = field(default_factory=dict)
    quarantined: dict[int, bytes] = field(default_factory=dict)

    def add_rows(self, table: str, day: date | None, rows: Iterable[Values]) -> None:
        """Add the digests of the rows of one day.

        Two rows with the same table and number are an error, but both are kept.
        """
        for row in rows:
            text = repr((day, row)).encode("utf-8", "surrogatepass")
            place = _place(table, row)
            self.rows[place] = self.rows.get(place, b"") + hashlib.blake2b(text, digest_size=DIGEST_BYTES).digest()

    def count(self, place: Place) -> int:
        """Return how many rows have the table and the record number of ``place``."""
        return len(self.rows.get(place, b"")) // DIGEST_BYTES

    def quarantine(self, start: int, data: bytes) -> None:
        """Add quarantined text that begins at byte ``start`` of the source."""
        self.quarantined[start] = self.quarantined.get(start, b"") + data

    def quarantined_text(self) -> str:
        """Return a digest of all quarantined text, regardless of how the text is split into entries."""
        text = b"".join(data for _, data in sorted(self.quarantined.items()))
        return f"{len(text)} bytes with SHA-256 {hashlib.sha256(text).hexdigest()}"


class _Texts:
    """Adds the quarantined texts of a source to its content, without those of erased people."""

    def __init__(self, people: People | None, content: _Content) -> None:
        self._finder = TextFinder(people) if people is not None else None
        self._content = content
        self._pieces: list[Quarantined] = []
        self._left_out = False

    def add(self, entry: Quarantined) -> None:
        """Add a piece of a text. A text is added to the content when the next one begins."""
        if not entry.continued:
            self.end()
        self._pieces.append(entry)
        if self._finder is not None:
            self._left_out |= self._finder.has(entry.data.decode("utf-8", "replace"), entry.continued)

    def end(self) -> None:
        """Add the last text."""
        pieces, self._pieces = self._pieces, []
        left_out, self._left_out = self._left_out, False
        for entry in pieces if not left_out else ():
            self._content.quarantine(entry.start, entry.data)


class Committed(NamedTuple):
    """A commit, and the parts with its rows, of which day parts also have rows of other sources; and the schema."""

    commit: Commit
    parts: tuple[Part, ...]
    schema: Schema


class Comparison:
    """The comparison of a source with a commit of that source."""

    def __init__(
        self,
        store: Store,
        committed: Committed,
        source: Source,
        *,
        options: DecoderOptions,
        source_limits: SourceLimits,
        expired: Mapping[str, date],
        people: People | None,
    ) -> None:
        self._store = store
        self._commit = commit = committed.commit
        self._parts = committed.parts
        self._schema = committed.schema
        self._source = source
        self._source_limits = source_limits
        self._expired = expired
        self._people = people
        # The decoder needs the recorded name, because the source may have been renamed after the commit.
        self._name = commit.facts.source_name
        self._options = replace(options, source_file=self._name)
        self._fallback = parse_name(self._name).start_ms

    def run(self, told: Callable[[int], None]) -> Verification:
        """Return the differences; ``told`` is called with the number of stored bytes read so far.

        Unreadable files of the commit are reported as problems, and the readable files are still compared.
        """
        result = Verification(self._store.place())
        try:
            self._compare(result, told)
        except WsparquetError as error:
            result.problems.append(Problem("source", self._source.url, "a source that can be read", str(error)))
        return result

    def _compare(self, result: Verification, told: Callable[[int], None]) -> None:
        ours = self._decoded(told)
        result.sources = 1
        theirs, unreadable = self._committed()
        result.problems.extend(unreadable.values())
        # If a part is unreadable, it is unknown which of the table's rows are missing, so the table is not compared.
        spoilt = {part.table for part in self._parts if part.path in unreadable}
        result.compared_rows = sum(place[0] not in spoilt for place in ours.rows)
        places = (place for place in {**ours.rows, **theirs.rows} if place[0] not in spoilt)
        if differing := [place for place in places if ours.rows.get(place) != theirs.rows.get(place)]:
            result.problems.extend(self._describe(sorted(differing, key=_order), ours, theirs))
        expected, found = ours.quarantined_text(), theirs.quarantined_text()
        if expected != found and self._commit.quarantine not in unreadable:
            where = self._commit.quarantine or self._commit.path
            result.problems.append(Problem("values", where, f"{expected}, as {self._source.url} has", found))

    # --- Contents of the source and of the commit ---------------------------------------------------------------------

    def _decoded(self, told: Callable[[int], None]) -> _Content:
        content = _Content()
        texts = _Texts(self._people, content)
        for piece, stored in self._pieces():
            for table, day, rows in self._by_day(piece):
                content.add_rows(table, day, rows)
            for entry in piece.quarantined:
                texts.add(entry)
            told(stored)
        texts.end()
        return content

    def _pieces(self) -> Iterator[tuple[Decoded, int]]:
        with self._source.open(self._source_limits) as reader:
            decoder = make_decoder(replace(self._options, schema=self._schema), decoder="reference")
            for piece in decoded(self._source, reader, decoder):
                yield piece, reader.stored_bytes

    def _by_day(self, piece: Decoded) -> Iterator[Rows]:
        for table, batch in piece.batches:
            for day, rows in split_by_day(self._schema.tables[table], batch, self._fallback):
                if day is None or day >= self._expired.get(table, day):
                    kept = rows if self._people is None else self._people.others(rows)
                    yield table, day, kept.to_pylist()

    def _committed(self) -> tuple[_Content, dict[str, Problem]]:
        """Return the content of the commit's files, and the problem of each unreadable file, by path."""
        content, unreadable = _Content(), {}
        for path, add in self._files():
            try:
                add(content)
            except DatasetError as error:
                unreadable[path] = Problem("values", path, "a file that can be compared", str(error))
        return content, unreadable

    def _files(self) -> Iterator[tuple[str, Callable[[_Content], None]]]:
        for part in self._parts:
            yield part.path, partial(self._add_part, part)
        if self._commit.quarantine is not None:
            yield self._commit.quarantine, partial(self._add_quarantine, self._commit.quarantine)

    def _add_part(self, part: Part, content: _Content) -> None:
        for rows in self._rows(part):
            content.add_rows(*rows)

    def _add_quarantine(self, path: str, content: _Content) -> None:
        for entry in quarantine_entries(self._read(path), path):
            content.quarantine(entry.start, entry.data)

    def _rows(self, part: Part) -> Iterator[Rows]:
        """Yield the source's rows in a part. Raises DatasetError if they cannot be read."""
        with local_part(self._store, part.path) as path:
            if path is None:
                raise _missing(part.path)
            with _readable(part.path), opened(path) as file:
                for batch in batches(file):
                    rows = rows_of_source(batch, self._name) if is_day_part_path(part.path) else batch
                    yield part.table, part.date, rows.to_pylist()

    def _read(self, path: str) -> bytes:
        data = self._store.read(path)
        if data is None:
            raise _missing(path)
        return data

    # --- Differences --------------------------------------------------------------------------------------------------

    def _describe(self, differing: list[Place], ours: _Content, theirs: _Content) -> Iterator[Problem]:
        shown = differing[:MOST_SHOWN]
        one = [place for place in shown if ours.count(place) == theirs.count(place) == 1]
        tables = {table for table, _ in one}
        expected = _picked((rows for piece, _ in self._pieces() for rows in self._by_day(piece)), one)
        parts = (part for part in self._parts if part.table in tables)
        found = _picked((rows for part in parts for rows in self._rows(part)), one)
        for place in shown:
            table, number = place
            where = f"{self._source.url}, {'no record' if number is None else f'record {number}'}, table {table}"
            if place in expected and place in found:
                yield Problem("values", where, *_difference(expected[place], found[place]))
            else:
                yield Problem("values", where, ("no row", "a row")[ours.count(place)], _found(theirs.count(place)))
        if len(differing) > len(shown):
            more = f"{len(differing) - len(shown)} more"
            yield Problem("values", self._source.url, "no other row that differs", more)


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """Translate errors of Arrow (damaged files) and of Python (values out of range) into DatasetError."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        found = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise DatasetError(f"{path}: expected rows that can be read, found {found}; {REMEDY}") from error


def _missing(path: str) -> DatasetError:
    return DatasetError(f"{path}: expected a file that a record names, found none; {REMEDY}")


def _place(table: str, row: Values) -> Place:
    number = row.get("record_number")
    return table, number if type(number) is int else None


def _order(place: Place) -> tuple[str, bool, int]:
    """Return a sort key: the table, then the record number. Rows without a number come last in their table."""
    table, number = place
    return table, number is None, number or 0


def _picked(found: Iterable[Rows], places: Collection[Place]) -> dict[Place, Row]:
    """Return the rows at ``places``. If ``places`` is empty, ``found`` is not read."""
    if not places:
        return {}
    return {place: (day, row) for table, day, rows in found for row in rows if (place := _place(table, row)) in places}


def _found(count: int) -> str:
    return {0: "none", 1: "one"}.get(count, f"{count} rows")


def _difference(expected: Row, found: Row) -> tuple[str, str]:
    """Describe the first column that differs. The text may contain personal data, but so does the source."""
    if expected[0] != found[0]:
        return f"date {expected[0]}", f"date {found[0]}"
    name = next((name for name in expected[1] if repr(expected[1][name]) != repr(found[1].get(name))), "?")
    return f"{name} {_shown(expected[1].get(name))}", _shown(found[1].get(name))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"

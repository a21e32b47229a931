"""Extends the own parts of one source, in one commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa

from wsparquet.commit import Attempt
from wsparquet.commit.days import Counting, DayRecord
from wsparquet.commit.record import Commit, Part
from wsparquet.dataset import Root
from wsparquet.dataset.day_parts import PartsGone, part_rows, rows_of_source
from wsparquet.errors import DatasetError
from wsparquet.extensions.rows import Counts, Promotion
from wsparquet.layout import Day
from wsparquet.parquet.partition import split_by_day
from wsparquet.schema import UNRECOGNIZED

__all__ = ["extend_source"]


def extend_source(root: Root, promotion: Promotion, commit: Commit, days: Mapping[Day, DayRecord]) -> Counts:
    """Write the own parts of a source anew, with the columns and the rows of the extension.

    Rows of ``unrecognized`` in day parts that get another table become own parts here. The day parts themselves are
    written later: until then, the root is closed, and both copies of these rows exist.

    Raises CommitConflict if another run has changed the source, DatasetError if the store fails or a part is gone.
    """
    work = _Source(root, promotion, commit, Counting([commit], days))
    with root.begin(fallback_day_ms=None) as attempt, root.scratch() as folder:
        kept = list(work.kept(attempt, folder / "input"))
        facts = work.counts.applied_to(commit.facts, tuple(promotion.after.tables))
        attempt.replace_parts(commit, facts, kept)
    return work.counts


class _Source:
    def __init__(self, root: Root, promotion: Promotion, commit: Commit, counting: Counting) -> None:
        self._store = root.store
        self._promotion = promotion
        self._commit = commit
        self._counting = counting
        self.counts = Counts()

    def kept(self, attempt: Attempt, copy: Path) -> Iterator[Part]:
        """Write the new parts, and yield the entries of the other parts, whose rows do not change."""
        own = {part.path for part in self._counting.own_parts(self._commit)}
        moved: Counter[date | None] = Counter()
        for part in self._counting.day_parts(self._commit):
            if self._promotion.concerns(part.table):
                moved[part.date] += self._read_day_part(attempt, part, copy)
        for part in self._commit.parts:
            if part.path not in own:
                yield from _reduced(part, moved)
            elif self._promotion.concerns(part.table):
                for batch in self._rows(part, copy):
                    self._write(attempt, part, batch)
            else:
                yield part

    def _read_day_part(self, attempt: Attempt, part: Part, copy: Path) -> int:
        """Count the source's promotions in a day part. Write its rows that leave the table, and return their number."""
        moved = 0
        for rows in self._rows(part, copy):
            batch = rows_of_source(rows, self._commit.facts.source_name)
            if not batch.num_rows:
                continue
            for promoted in self._promotion.batch(part.table, batch, self.counts):
                if promoted.table != part.table:
                    moved += promoted.rows.num_rows
                    self._write_rows(attempt, part, promoted.table, promoted.rows)
        return moved

    def _write(self, attempt: Attempt, part: Part, batch: pa.RecordBatch) -> None:
        for promoted in self._promotion.batch(part.table, batch, self.counts):
            if promoted.table == part.table:
                attempt.write_day(part.table, part.date, promoted.rows)
            else:
                self._write_rows(attempt, part, promoted.table, promoted.rows)

    def _write_rows(self, attempt: Attempt, part: Part, table: str, rows: pa.RecordBatch) -> None:
        """Write rows of a new table, each to the day that the table's rule gives it."""
        for day, some in split_by_day(self._promotion.after.tables[table], rows, None):
            # A row without a timestamp has the day of its container or source, which it already had.
            attempt.write_day(table, part.date if day is None else day, some)

    def _rows(self, part: Part, copy: Path) -> Iterator[pa.RecordBatch]:
        try:
            yield from part_rows(self._store, part, copy)
        except PartsGone as error:
            raise DatasetError(
                f"{self._store.place(part.path)}: expected this file, which a record names, found none; see what is "
                "wrong with `wsparquet verify`, and convert its source again"
            ) from error


def _reduced(part: Part, moved: Counter[date | None]) -> Iterator[Part]:
    """Yield the entry of a part whose rows are in day parts, without the rows that have left its table."""
    if part.table != UNRECOGNIZED.name or not moved[part.date]:
        yield part
        return
    gone = min(moved[part.date], part.rows)
    moved[part.date] -= gone
    if gone < part.rows:
        yield part._replace(rows=part.rows - gone)

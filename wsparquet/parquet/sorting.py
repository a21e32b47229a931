"""Sorts the rows of a table by visit and time, within a memory budget, and writes them to few files.

Rows are collected until they fill a share of the budget, sorted, and spilled to disk as a *run*. At the end, all runs
are merged. If the rows never fill that share, nothing is spilled.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from wsparquet.parquet.file import OpenPart, PartFacts, WriterKind, best_writer
from wsparquet.parquet.row_days import row_times
from wsparquet.parquet.settings import file_schema
from wsparquet.schema import AnyTable
from wsparquet.store.disk import sync_file
from wsparquet.store.disk_errors import translated

__all__ = ["ROW_GROUP_ROWS", "SortedFile", "Sorting", "write_sorted"]

ROW_GROUP_ROWS = 1 << 17
"""The maximum number of rows of a row group. Engines read row groups in parallel, and skip them by statistics and Bloom
filters."""

PAGE_BYTES = 1 << 20
"""How much of each run is in memory during a merge, in bytes of Arrow data."""

TIME = "time"
"""An additional column of runs: the time of the row, in microseconds since 1970."""

KEYS = ("visitId", TIME, "source_file", "record_number")

Key = tuple[bool, str, bool, int, str, int]


class Sorting(NamedTuple):
    """How rows are sorted and written.

    ``rows`` is the expected number of rows, from which the equal sizes of the row groups are computed. A file is closed
    once it has ``target_bytes`` bytes. ``memory`` is the budget in bytes; the rows of a single batch may exceed it.
    """

    rows: int
    target_bytes: int
    memory: int


class SortedFile(NamedTuple):
    """A finished file in a workspace, and its writer's facts about it."""

    file: Path
    facts: PartFacts


def write_sorted(
    table: AnyTable,
    batches: Iterable[pa.RecordBatch],
    folder: Path,
    order: Sorting,
    *,
    writer: WriterKind | None = None,
) -> list[SortedFile]:
    """Write all rows of a table to files in ``folder``, sorted by ``visitId`` and then by the time of the row.

    When the function returns, the files are durable. The files have Bloom filters for lookups.

    Raises:
        DatasetError: the disk fails, or Arrow cannot sort the rows.

    """
    with translated("merge files in", folder):
        runs = _Runs(table, folder, order.memory)
        for batch in batches:
            runs.add(batch)
        output = _Output(table, folder, order, writer or best_writer())
        try:
            for sorted_rows in runs.merged():
                output.write(sorted_rows)
            return output.close()
        except BaseException:
            output.discard()
            raise


class _Runs:
    """Collects rows, and spills sorted runs."""

    def __init__(self, table: AnyTable, folder: Path, memory: int) -> None:
        self._table = table
        self._folder = folder
        # Collect only a quarter of the budget, because sorting copies the rows.
        self._most_bytes = memory // 4
        self._fan_in = max(memory // 2 // PAGE_BYTES, 2)
        self._collected: list[pa.RecordBatch] = []
        self._bytes = 0
        self._runs: list[Path] = []
        self._count = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Add rows in any order."""
        if not batch.num_rows:
            return
        timed = batch.append_column(TIME, row_times(self._table, batch))
        self._collected.append(timed)
        self._bytes += timed.nbytes
        if self._bytes >= self._most_bytes:
            self._runs.append(self._spilled([self._taken()]))

    def _taken(self) -> pa.Table:
        collected, self._collected, self._bytes = self._collected, [], 0
        return _sorted(pa.Table.from_batches(collected))

    def merged(self) -> Iterator[pa.Table]:
        """Yield all rows in order, as tables of the file schema."""
        if not self._runs:
            if self._collected:
                yield self._taken().drop_columns([TIME])
            return
        if self._collected:
            self._runs.append(self._spilled([self._taken()]))
        while len(self._runs) > self._fan_in:
            some, self._runs = self._runs[: self._fan_in], self._runs[self._fan_in :]
            self._runs.append(self._spilled(_merge(some)))
            _delete(some)
        for rows in _merge(self._runs):
            yield rows.drop_columns([TIME])
        _delete(self._runs)

    def _spilled(self, tables: Iterable[pa.Table]) -> Path:
        """Write sorted rows to a new run and return its path."""
        self._count += 1
        path = self._folder / f"{self._count}.run"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        schema = file_schema(self._table).append(pa.field(TIME, pa.int64()))
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as run:
            for table in tables:
                run.write_table(table.cast(schema), max_chunksize=_rows_in(PAGE_BYTES, table))
        return path


def _delete(runs: Iterable[Path]) -> None:
    for run in runs:
        run.unlink()


def _rows_in(size: int, table: pa.Table) -> int:
    """Return how many rows of a table take about ``size`` bytes."""
    return max(size * table.num_rows // max(table.nbytes, 1), 1)


def _sorted(table: pa.Table) -> pa.Table:
    order = pc.sort_indices(table.select(list(KEYS)), sort_keys=[(name, "ascending") for name in KEYS])
    return table.take(order)


# --- Merging ----------------------------------------------------------------------------------------------------------


class _Run:
    """A sorted run on disk, of which one batch is in memory."""

    def __init__(self, path: Path) -> None:
        self._reader = pa.ipc.open_file(pa.memory_map(str(path)))
        self._next = 0
        self.rows = pa.Table.from_batches([], schema=self._reader.schema)
        self.load()

    @property
    def has_more(self) -> bool:
        """Whether more batches follow the batch in memory."""
        return self._next < self._reader.num_record_batches

    def load(self) -> None:
        """Read batches until there are rows in memory, or the run ends."""
        while not self.rows.num_rows and self.has_more:
            self.rows = pa.Table.from_batches([self._reader.get_batch(self._next)])
            self._next += 1

    def last(self) -> Key:
        """Return the key of the last row in memory."""
        return _key(self.rows, self.rows.num_rows - 1)

    def take(self, until: Key) -> pa.Table:
        """Remove the rows up to a key from memory, and return them."""
        count = bisect_right(range(self.rows.num_rows), until, key=functools.partial(_key, self.rows))
        taken, self.rows = self.rows.slice(0, count), self.rows.slice(count)
        self.load()
        return taken


def _key(rows: pa.Table, index: int) -> Key:
    visit, time, source, number = (rows.column(name)[index].as_py() for name in KEYS)
    return visit is None, visit or "", time is None, time or 0, source or "", number or 0


def _merge(paths: Sequence[Path]) -> Iterator[pa.Table]:
    """Yield the rows of sorted runs in order.

    Each step takes the rows up to the smallest of the last keys in memory, because all rows that are still on disk come
    after that key.
    """
    runs = [run for run in map(_Run, paths) if run.rows.num_rows]
    while runs:
        border = min((run.last() for run in runs if run.has_more), default=max(run.last() for run in runs))
        taken = [rows for run in runs if (rows := run.take(border)).num_rows]
        runs = [run for run in runs if run.rows.num_rows]
        yield _sorted(pa.concat_tables(taken)) if len(taken) > 1 else taken[0]


# --- Writing ----------------------------------------------------------------------------------------------------------


class _Output:
    """Writes sorted rows in row groups of equal size, and begins another file at the target size."""

    def __init__(self, table: AnyTable, folder: Path, order: Sorting, writer: WriterKind) -> None:
        self._table = table
        self._folder = folder
        self._writer = writer
        self._rows = order.rows
        self._group_rows: int | None = None
        self._group_bytes = max(order.memory // 4, 1)
        self._target_bytes = order.target_bytes
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._part: OpenPart | None = None
        self._path = folder
        self._files: list[SortedFile] = []

    def write(self, rows: pa.Table) -> None:
        """Add rows, and write the row groups that they complete."""
        if self._group_rows is None:
            self._group_rows = self._equal_rows(rows)
        while rows.num_rows:
            room = min(self._group_rows - self._waiting_rows, self._room_in_bytes(rows))
            head, rows = rows.slice(0, room), rows.slice(room)
            self._waiting.append(head)
            self._waiting_rows += head.num_rows
            self._waiting_bytes += head.nbytes
            if self._waiting_rows >= self._group_rows or self._waiting_bytes >= self._group_bytes:
                self._write_group()

    def _equal_rows(self, rows: pa.Table) -> int:
        """Return how many rows each row group gets, if all rows are as large as the rows in ``rows``."""
        # Some room is left, because other rows are larger.
        most = min(ROW_GROUP_ROWS, max(_rows_in(self._group_bytes, rows) * 7 // 8, 1))
        groups = -(-self._rows // most)
        return -(-self._rows // groups) if groups else most

    def _room_in_bytes(self, rows: pa.Table) -> int:
        return _rows_in(max(self._group_bytes - self._waiting_bytes, 1), rows)

    def _write_group(self) -> None:
        if self._part is None:
            self._path = self._folder / f"{len(self._files)}.part"
            self._part = self._writer(self._path, self._table, row_group_rows=ROW_GROUP_ROWS, lookups=True)
        schema = file_schema(self._table)
        waiting, self._waiting, self._waiting_rows, self._waiting_bytes = self._waiting, [], 0, 0
        for table in waiting:
            for batch in table.to_batches():
                self._part.write(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
        self._part.end_row_group()
        if self._path.stat().st_size >= self._target_bytes:
            self._end_file()

    def _end_file(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            facts = part.close()
            sync_file(self._path)
            self._files.append(SortedFile(self._path, facts))

    def close(self) -> list[SortedFile]:
        """Write the remaining rows and return all files."""
        if self._waiting_rows:
            self._write_group()
        self._end_file()
        return self._files

    def discard(self) -> None:
        """Discard the unfinished file, which is then invalid."""
        if self._part is not None:
            self._part.abandon()

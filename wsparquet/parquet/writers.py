"""Writes batches to Parquet files: one unfinished file per table and day, within limits for the whole process.

Unfinished files keep the rows of their last row group in memory. If all files of the process together exceed the limit,
a thread that detects this compresses the rows of the largest row group, even if the row group belongs to another
attempt. If most of these rows are compressed already, the thread ends the row group instead. Errors are stored for the
attempt that owns the file.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from wsparquet.errors import DatasetError
from wsparquet.parquet.file import OpenPart, PartFacts, Taken, WriterKind, best_writer
from wsparquet.parquet.partition import split_by_day
from wsparquet.parquet.settings import WriterLimits, file_schema, leaves
from wsparquet.schema import DOCUMENTED, Schema, Table
from wsparquet.store.disk import sync_file
from wsparquet.store.disk_errors import translate, translated

__all__ = ["WriterPool", "Writers", "WrittenPart", "shared_pool"]

GROUP_OVERHEAD = 1500
"""The memory in bytes of the description of a finished row group, for each of its columns."""

FREED_BYTES = 32 << 20
"""After how many freed bytes of rows the free memory of the process is returned to the system.

Rows are freed in pieces between other rows. The system's allocator keeps such pieces, and would need half as much
memory again for the rows that follow. Returning them takes a few milliseconds.
"""


class WrittenPart(NamedTuple):
    """A finished file in the attempt's workspace, named ``<number>.part``, and its writer's facts about it."""

    file: Path
    number: int
    table: str
    day: date | None
    facts: PartFacts


class Partition:
    """The rows of one table and day within an attempt: the unfinished file, and the files that are finished.

    ``opened`` is the number and the path of the unfinished file, and ``parts`` has the finished files. ``lock``
    protects them. The pool's lock protects ``pending``, ``packed`` and ``kept``: the memory in bytes of the unfinished
    row group, of the part of it that is compressed, and of the descriptions of the finished row groups.
    """

    def __init__(self, owner: Writers, table: Table, day: date | None) -> None:
        self.owner = owner
        self.table = table
        self.day = day
        self.lock = threading.Lock()
        self.pending = self.packed = self.kept = 0
        self.part: OpenPart | None = None
        self.opened = (0, Path())
        self.parts: list[WrittenPart] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Write rows to the unfinished file, or to a new file. The caller holds ``lock``."""
        pool = self.owner.pool
        if self.part is None:
            self.opened = self.owner.next_file()
            self.part = pool.writer(self.opened[1], self.table, row_group_rows=pool.limits.row_group_rows)
        taken = self.part.write(batch)
        self._note(taken)
        if taken.bytes + taken.packed >= pool.limits.file_bytes:
            self.close()

    @property
    def memory(self) -> int:
        """The memory in bytes that the unfinished file takes."""
        return self.pending + self.packed + self.kept

    def release(self) -> None:
        """Free memory by the step that frees most. The caller holds ``lock``.

        The possible steps are to compress rows, to end the row group, and to close the file.
        """
        if self.part is None or self.kept > self.pending + self.packed:
            self.close()
        elif self.pending > self.packed:
            self._note(self.part.pack())
        else:
            self._note(self.part.end_row_group())

    def _note(self, taken: Taken) -> None:
        kept = GROUP_OVERHEAD * len(leaves(self.table)) * (taken.row_groups + 1)
        self.owner.pool.note(self, taken.pending, taken.packed, kept)

    def close(self) -> None:
        """Complete and close the unfinished file, if there is one. The caller holds ``lock``."""
        part, self.part = self.part, None
        if part is not None:
            try:
                facts, (number, path) = part.close(), self.opened
            finally:
                self.owner.pool.note(self, 0, 0, 0)
            self.parts.append(WrittenPart(path, number, self.table.name, self.day, facts))

    def drop(self) -> None:
        """Discard the unfinished file and its rows. The caller holds ``lock``."""
        part, self.part = self.part, None
        if part is not None:
            part.abandon()
        self.owner.pool.note(self, 0, 0, 0)


class WriterPool:
    """Keeps all unfinished files of a process within ``limits``. ``writer`` makes the files."""

    def __init__(self, limits: WriterLimits | None = None, *, writer: WriterKind | None = None) -> None:
        self.limits = limits or WriterLimits()
        self.writer = writer or best_writer()
        self._lock = threading.Lock()
        self._taken = self._freed = 0
        self._unfinished: set[Partition] = set()

    @property
    def taken(self) -> int:
        """The memory in bytes that the unfinished files take."""
        return self._taken

    @property
    def unfinished(self) -> int:
        """The number of unfinished files."""
        return len(self._unfinished)

    def allow(self, memory: int) -> None:
        """Set the memory in bytes for the unfinished files of all runs of the process."""
        self.limits = replace(self.limits, memory=memory)

    def note(self, partition: Partition, pending: int, packed: int, kept: int) -> None:
        """Record how much memory the unfinished file of a partition takes; without an unfinished file, record zero."""
        with self._lock:
            before = partition.memory
            partition.pending, partition.packed, partition.kept = pending, packed, kept
            self._taken += partition.memory - before
            self._freed += max(before - partition.memory, 0)
            (self._unfinished.add if partition.memory else self._unfinished.discard)(partition)

    def keep_within_limit(self) -> None:
        """While the files take too much memory, free memory of the largest file.

        The caller holds no partition's lock.
        """
        while (largest := self._over_limit()) is not None:
            with largest.lock:
                # Another thread may have closed the file while this thread waited.
                if self._over_limit() is largest:
                    with largest.owner.keeping_failures(largest):
                        largest.release()
            self.return_memory()

    def return_memory(self) -> None:
        """Return free memory to the system if many rows have been freed since the last time."""
        with self._lock:
            if self._freed < FREED_BYTES:
                return
            self._freed = 0
        pa.default_memory_pool().release_unused()

    def _over_limit(self) -> Partition | None:
        with self._lock:
            if self._taken <= self.limits.memory:
                return None
            return max(self._unfinished, key=lambda each: (each.memory, id(each)), default=None)


@cache
def shared_pool() -> WriterPool:
    """Return the pool that all roots of this process share. The pool is created on first use."""
    return WriterPool()


class Writers:
    """All partitions of an attempt.

    Only one thread at a time may call its methods; other threads may end row groups of its files.
    """

    def __init__(
        self, folder: Path, *, fallback_day_ms: int | None, pool: WriterPool, schema: Schema = DOCUMENTED
    ) -> None:
        self.folder = folder
        self.schema = schema
        self.fallback_day_ms = fallback_day_ms
        self.pool = pool
        self.failure: BaseException | None = None
        self._numbers = itertools.count()
        self._partitions: dict[tuple[str, date | None], Partition] = {}
        self._used: dict[Partition, None] = {}

    def next_file(self) -> tuple[int, Path]:
        """Return the number and the path of the attempt's next file."""
        number = next(self._numbers)
        return number, self.folder / f"{number}.part"

    @contextmanager
    def keeping_failures(self, partition: Partition) -> Iterator[None]:
        """Store an error of the disk or of Arrow, to be raised by this attempt's own thread, and drop the file."""
        done = False
        try:
            yield
            done = True
        except (OSError, pa.ArrowException) as error:
            self.failure = self.failure or error
        finally:
            if not done:
                partition.drop()
                self.failure = self.failure or DatasetError("writing was interrupted; run again")

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Add a batch of any days. Raises like ``write_day``, and if Arrow cannot separate the days."""
        _check_schema(self.schema.tables[table], batch)
        with translated("partition rows for", self.folder):
            splits = list(split_by_day(self.schema.tables[table], batch, self.fallback_day_ms))
        for day, rows in splits:
            self.write_day(table, day, rows)

    def write_day(self, table: str, day: date | None, batch: pa.RecordBatch) -> None:
        """Add a batch of one day. Raises DatasetError if it has another schema, or if rows could not be written."""
        _check_schema(self.schema.tables[table], batch)
        partition = self._partition(table, day)
        self._make_room(partition)
        with partition.lock:
            if self.failure is None:
                with self.keeping_failures(partition):
                    partition.write(batch)
        self.pool.keep_within_limit()
        self._check()

    def _partition(self, table: str, day: date | None) -> Partition:
        key = (table, day)
        if key not in self._partitions:
            self._partitions[key] = Partition(self, self.schema.tables[table], day)
        return self._partitions[key]

    def _make_room(self, partition: Partition) -> None:
        """Mark a partition as the last one used.

        If there are too many, close the file of the least recently used partition.
        """
        self._used.pop(partition, None)
        self._used[partition] = None
        if len(self._used) > self.pool.limits.partitions:
            oldest = next(iter(self._used))
            del self._used[oldest]
            self._close(oldest)

    def _close(self, partition: Partition) -> None:
        with partition.lock, self.keeping_failures(partition):
            partition.close()

    def _check(self) -> None:
        if isinstance(self.failure, DatasetError):
            raise self.failure
        if self.failure is not None:
            raise translate(self.failure, "write", self.folder) from self.failure

    def close(self) -> tuple[WrittenPart, ...]:
        """Complete all files, flush them to disk, and return a description of each file, in order."""
        for partition in self._partitions.values():
            self._close(partition)
            self._check()
            self.pool.return_memory()
        with translated("finish", self.folder):
            parts = tuple(part for partition in self._partitions.values() for part in partition.parts)
            for part in parts:
                sync_file(part.file)
            return parts

    def discard(self) -> None:
        """Discard all rows and files. The files are invalid afterwards."""
        for partition in self._partitions.values():
            with partition.lock:
                partition.drop()


def _check_schema(table: Table, batch: pa.RecordBatch) -> None:
    if not batch.schema.equals(file_schema(table)):
        raise DatasetError(f"table {table.name}: expected batches of {file_schema(table)}, found {batch.schema}")

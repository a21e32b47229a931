"""Writes batches to Parquet files: one open file per table and day, within limits for the whole process.

An attempt has a buffer for each table and day. If all buffers of the process together exceed the limit, a thread that
detects this writes the largest buffer, even if the buffer belongs to another attempt. Errors are stored for the attempt
that owns the buffer.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from wsparquet.errors import DatasetError
from wsparquet.parquet.file import OpenPart, PartFacts, WriterKind, best_writer
from wsparquet.parquet.partition import split_by_day
from wsparquet.parquet.settings import WriterLimits, file_schema, leaves
from wsparquet.store.disk import sync_file
from wsparquet.store.disk_errors import translate, translated

__all__ = ["WriterPool", "Writers", "WrittenPart", "shared_pool"]

# The overhead of a batch in bytes per Parquet column, measured with batches of one row. If this overhead were not
# counted, many tiny batches could exceed the limit.
COLUMN_OVERHEAD = 800


class WrittenPart(NamedTuple):
    """A finished file in the attempt's workspace, named ``<number>.part``, and what its writer knows of it."""

    file: Path
    number: int
    table: str
    day: date | None
    facts: PartFacts


class Partition:
    """The rows of one table and day within an attempt: a buffer, and the files to which earlier rows were written.

    ``opened`` is the number and the path of the open file, and ``parts`` has the closed ones. ``lock`` protects the
    files, and the pool's lock protects the buffer.
    """

    def __init__(self, owner: Writers, table: str, day: date | None) -> None:
        self.owner = owner
        self.table = table
        self.day = day
        self.lock = threading.Lock()
        self.batches: list[pa.RecordBatch] = []
        self.size = 0
        self.part: OpenPart | None = None
        self.writes = 0
        self.opened = (0, Path())
        self.parts: list[WrittenPart] = []

    def write(self, batches: list[pa.RecordBatch]) -> None:
        """Write rows to the open file, or to a new file. The caller holds ``lock``."""
        pool = self.owner.pool
        if self.part is None:
            pool.make_room()
            self.opened = self.owner.next_file()
            self.part = pool.writer(self.opened[1], self.table, row_group_rows=pool.limits.row_group_rows)
            self.writes = 0
        pool.touch(self)
        self.part.write(batches)
        self.writes += 1
        if self.writes >= pool.limits.file_writes:
            self.close()
            # Arrow keeps freed memory in fragments that are too small for the next part. These fragments add up over a
            # large source. Releasing them after every part costs 8 % of the CPU time with 8 files of 50 MB.
            pa.default_memory_pool().release_unused()

    def close(self) -> None:
        """Complete and close the open file, if there is one. The caller holds ``lock``."""
        part, self.part = self.part, None
        if part is not None:
            self.owner.pool.forget(self)
            facts, (number, path) = part.close(), self.opened
            self.parts.append(WrittenPart(path, number, self.table, self.day, facts))


class WriterPool:
    """Keeps all buffers and open files of a process within ``limits``. ``writer`` opens the files."""

    def __init__(self, limits: WriterLimits | None = None, *, writer: WriterKind | None = None) -> None:
        self.limits = limits or WriterLimits()
        self.writer = writer or best_writer()
        self._lock = threading.Lock()
        self._buffered = 0
        self._filled: set[Partition] = set()
        self._open: dict[Partition, None] = {}

    @property
    def buffered(self) -> int:
        """The number of bytes in buffers, including buffers that are being written."""
        return self._buffered

    @property
    def open_files(self) -> int:
        """The number of open files."""
        return len(self._open)

    def add(self, partition: Partition, batch: pa.RecordBatch) -> None:
        """Add rows to a buffer. While the buffers exceed the limit, write the largest one."""
        size = batch.nbytes + COLUMN_OVERHEAD * len(leaves(partition.table))
        with self._lock:
            partition.batches.append(batch)
            partition.size += size
            self._filled.add(partition)
            self._buffered += size
        while (largest := self._over_limit()) is not None:
            with largest.lock:
                self.flush(largest)

    def _over_limit(self) -> Partition | None:
        with self._lock:
            if self._buffered <= self.limits.buffered:
                return None
            return max(self._filled, key=lambda partition: partition.size, default=None)

    def flush(self, partition: Partition) -> None:
        """Write a buffer's rows. The caller holds the partition's lock. Errors are stored in the partition's owner."""
        with self._taken(partition) as batches:
            if batches and partition.owner.failure is None:
                with partition.owner.keeping_failures():
                    partition.write(batches)

    def drop(self, partition: Partition) -> None:
        """Discard a buffer's rows. The caller holds the partition's lock."""
        with self._taken(partition):
            pass

    @contextmanager
    def _taken(self, partition: Partition) -> Iterator[list[pa.RecordBatch]]:
        """Empty a buffer.

        The rows count as buffered until the ``with`` block ends, because they stay in memory until then.
        """
        with self._lock:
            batches, partition.batches = partition.batches, []
            size, partition.size = partition.size, 0
            self._filled.discard(partition)
        try:
            yield batches
        finally:
            with self._lock:
                self._buffered -= size

    def touch(self, partition: Partition) -> None:
        """Mark a partition's file as open and as the most recently used one."""
        with self._lock:
            self._open.pop(partition, None)
            self._open[partition] = None

    def forget(self, partition: Partition) -> None:
        """Mark a partition's file as closed."""
        with self._lock:
            self._open.pop(partition, None)

    def make_room(self) -> None:
        """Close the least recently used files until another file may be opened. Files that are in use stay open."""
        with self._lock:
            excess = len(self._open) + 1 - self.limits.open_files
            candidates = list(self._open) if excess > 0 else []
        for partition in candidates:
            # Waiting for another thread's lock could cause a deadlock.
            if excess > 0 and partition.lock.acquire(blocking=False):
                try:
                    with partition.owner.keeping_failures():
                        partition.close()
                    excess -= 1
                finally:
                    partition.lock.release()


@cache
def shared_pool() -> WriterPool:
    """Return the pool that all roots of this process share. It is created on first use."""
    return WriterPool()


class Writers:
    """All partitions of an attempt.

    Only one thread at a time may call its methods; other threads may write its buffers.
    """

    def __init__(self, folder: Path, *, fallback_day_ms: int | None, pool: WriterPool) -> None:
        self.folder = folder
        self.fallback_day_ms = fallback_day_ms
        self.pool = pool
        self.failure: BaseException | None = None
        self._numbers = itertools.count()
        self._partitions: dict[tuple[str, date | None], Partition] = {}

    def next_file(self) -> tuple[int, Path]:
        """Return the number and the path of the attempt's next file."""
        number = next(self._numbers)
        return number, self.folder / f"{number}.part"

    @contextmanager
    def keeping_failures(self) -> Iterator[None]:
        """Store an error of the disk or of Arrow, to be raised by this attempt's own thread."""
        done = False
        try:
            yield
            done = True
        except (OSError, pa.ArrowException) as error:
            self.failure = self.failure or error
        finally:
            if not done and self.failure is None:
                self.failure = DatasetError("writing was interrupted; run again")

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Add a batch of any days. Raises like ``write_day``, and if Arrow cannot separate the days."""
        _check_schema(table, batch)
        with translated("partition rows for", self.folder):
            splits = list(split_by_day(table, batch, self.fallback_day_ms))
        for day, rows in splits:
            self.write_day(table, day, rows)

    def write_day(self, table: str, day: date | None, batch: pa.RecordBatch) -> None:
        """Add a batch of one day. Raises DatasetError if it has another schema, or if rows could not be written."""
        _check_schema(table, batch)
        self.pool.add(self._partition(table, day), batch)
        self._check()

    def _partition(self, table: str, day: date | None) -> Partition:
        key = (table, day)
        if key not in self._partitions:
            self._partitions[key] = Partition(self, table, day)
        return self._partitions[key]

    def _check(self) -> None:
        if isinstance(self.failure, DatasetError):
            raise self.failure
        if self.failure is not None:
            raise translate(self.failure, "write", self.folder) from self.failure

    def close(self) -> tuple[WrittenPart, ...]:
        """Complete all files, flush them to disk, and return a description of each file, in order."""
        for partition in self._partitions.values():
            with partition.lock:
                self.pool.flush(partition)
                with self.keeping_failures():
                    partition.close()
            self._check()
        with translated("finish", self.folder):
            parts = tuple(part for partition in self._partitions.values() for part in partition.parts)
            for part in parts:
                sync_file(part.file)
            return parts

    def discard(self) -> None:
        """Discard all rows and close all files. The files are invalid afterwards."""
        for partition in self._partitions.values():
            with partition.lock:
                self.pool.drop(partition)
                with self.keeping_failures():
                    partition.close()


def _check_schema(table: str, batch: pa.RecordBatch) -> None:
    if not batch.schema.equals(file_schema(table)):
        raise DatasetError(f"table {table}: expected batches of {file_schema(table)}, found {batch.schema}")

"""The two writers of a single Parquet file: the native writer, which is used if it is installed, and pyarrow's writer.

Both use the schema and the settings of ``wsparquet.parquet.settings``. Tests compare their files.
"""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, cast

import pyarrow as pa

from wsparquet.parquet.settings import (
    file_schema,
    file_settings,
    leaves,
    native_options,
    own_timestamps,
    writer_options,
)
from wsparquet.private.pyarrow import export_batch
from wsparquet.schema import AnyTable
from wsparquet.schema.fields import ceiling_ms, floor_ms

if TYPE_CHECKING:
    import io

    import pyarrow.parquet as pq

    from wsparquet._native import ParquetLayout

__all__ = ["NativePart", "OpenPart", "PartFacts", "PyarrowPart", "Taken", "WriterKind", "best_writer", "time_range"]

BATCH_OVERHEAD = 800
"""The memory in bytes that each column of a batch takes besides its values, measured with batches of one row."""


class PartFacts(NamedTuple):
    """The facts that a writer returns about a finished file. ``checksum`` is the hex SHA-256 of the file.

    All own timestamps lie between ``min_time`` and ``max_time``, which are in milliseconds since 1970: the earliest
    timestamp is rounded down, and the latest timestamp is rounded up. Both are None if the file has no own timestamps.
    """

    rows: int
    bytes: int
    min_time: int | None
    max_time: int | None
    checksum: str


class Taken(NamedTuple):
    """How much memory and disk space an unfinished file takes.

    ``pending``: the memory in bytes of the uncompressed rows of the unfinished row group. ``packed``: the memory in
    bytes of its compressed rows. ``row_groups``: the number of finished row groups; the metadata of each row group
    stays in memory until the file is closed. ``bytes``: the size of the finished row groups in the file.
    """

    pending: int = 0
    packed: int = 0
    row_groups: int = 0
    bytes: int = 0


class OpenPart(Protocol):
    """An unfinished file. The methods raise OSError if the disk fails, and pa.ArrowException if Arrow fails.

    The file is created when its first row group ends, and is open only while a row group or the footer is written, so
    any number of files can be unfinished.
    """

    def write(self, batch: pa.RecordBatch) -> Taken:
        """Add a batch with the file's schema to the unfinished row group.

        When the row group has the maximum number of rows, it ends, and a new row group begins.
        """

    def pack(self) -> Taken:
        """Compress the rows of the unfinished row group, which then take about a sixth of the memory."""

    def end_row_group(self) -> Taken:
        """Write the unfinished row group to the file, if it has rows."""

    def close(self) -> PartFacts:
        """Write the rest and the footer, and return the facts about the file.

        The file is invalid if an earlier call failed.

        A second call returns the same facts.
        """

    def abandon(self) -> None:
        """Write nothing more. The file is invalid, if it exists."""


class WriterKind(Protocol):
    """A function that prepares a new file for a table. Each row group has at most ``row_group_rows`` rows.

    With ``lookups``, the file has Bloom filters on the columns by which queries look up visits and visitors.
    """

    def __call__(self, path: Path, table: AnyTable, *, row_group_rows: int, lookups: bool = False) -> OpenPart:
        """Prepare the file. Raises the same errors as ``OpenPart``."""


@lru_cache(maxsize=1)
def best_writer() -> WriterKind:
    """Return the fastest writer that is part of this installation."""
    try:
        from wsparquet._native import ParquetFile  # noqa: F401
    except ImportError:
        return PyarrowPart
    return NativePart


class NativePart:
    """A file that the Rust crate in ``native/`` writes without the GIL.

    This writer takes two thirds of the CPU time of pyarrow's writer (see ``FileSettings``). Most of the difference
    comes from definition and repetition levels. The files have the same size.
    """

    def __init__(self, path: Path, table: AnyTable, *, row_group_rows: int, lookups: bool = False) -> None:
        from wsparquet._native import Imported, ParquetFile

        self._room = Imported
        self._file = ParquetFile(path, _layout(table, row_group_rows, lookups))
        self._facts: PartFacts | None = None

    def write(self, batch: pa.RecordBatch) -> Taken:
        """See ``OpenPart``."""
        room = self._room()
        export_batch(batch, room.address)
        return Taken(*self._file.write(room))

    def pack(self) -> Taken:
        """See ``OpenPart``."""
        return Taken(*self._file.pack())

    def end_row_group(self) -> Taken:
        """See ``OpenPart``."""
        return Taken(*self._file.end_row_group())

    def close(self) -> PartFacts:
        """See ``OpenPart``."""
        if (closed := self._file.close()) is not None:
            rows, size, times, digest = closed
            low, high = times or (None, None)
            self._facts = PartFacts(rows, size, *_milliseconds(low, high), digest.hex())
        if self._facts is None:
            raise OSError("the file could not be closed before")
        return self._facts

    def abandon(self) -> None:
        """See ``OpenPart``. A file that is not closed writes nothing when it is freed."""


@cache
def _layout(table: AnyTable, row_group_rows: int, lookups: bool) -> ParquetLayout:
    from wsparquet._native import ParquetLayout

    settings = file_settings(table, row_group_rows=row_group_rows, lookups=lookups)
    return ParquetLayout(file_schema(table).__arrow_c_schema__(), native_options(settings))


class PyarrowPart:
    """A file that pyarrow writes."""

    def __init__(self, path: Path, table: AnyTable, *, row_group_rows: int, lookups: bool = False) -> None:
        self._table = table
        self._row_group_rows = row_group_rows
        self._footers: list[pq.FileMetaData] = []
        self._bytes = _HashedFile(path)
        self._options = writer_options(file_settings(table, lookups=lookups))
        self._pending: list[pa.RecordBatch] = []
        self._packed: list[pa.Buffer] = []
        self._rows = 0
        self._sink: pa.PythonFile | None = None
        self._writer: pq.ParquetWriter | None = None
        self._row_groups = 0

    def write(self, batch: pa.RecordBatch) -> Taken:
        """See ``OpenPart``."""
        if self._footers:
            raise OSError("the file is closed")
        self._pending.append(batch)
        self._rows += batch.num_rows
        most = self._row_group_rows
        if self._rows >= most:
            rows = self._take()
            whole = rows.num_rows // most * most
            self._pending = [each for each in rows.slice(whole).to_batches() if each.num_rows]
            self._rows = rows.num_rows - whole
            self._write(rows.slice(0, whole))
        return self._taken()

    def pack(self) -> Taken:
        """See ``OpenPart``."""
        if self._pending:
            packed = pa.BufferOutputStream()
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            with pa.ipc.new_stream(packed, self._pending[0].schema, options=options) as stream:
                for batch in self._pending:
                    stream.write_batch(batch)
            self._packed.append(packed.getvalue())
            self._pending.clear()
        return self._taken()

    def end_row_group(self) -> Taken:
        """See ``OpenPart``."""
        rows = self._take()
        if rows.num_rows:
            self._write(rows)
        return self._taken()

    def _take(self) -> pa.Table:
        """Remove all rows of the unfinished row group, and return them."""
        unpacked = [batch for packed in self._packed for batch in pa.ipc.open_stream(packed)]
        rows = pa.Table.from_batches(unpacked + self._pending, schema=file_schema(self._table))
        self._pending, self._packed, self._rows = [], [], 0
        return rows

    def _taken(self) -> Taken:
        overhead = BATCH_OVERHEAD * len(leaves(self._table))
        pending = sum(each.nbytes + overhead for each in self._pending)
        packed = sum(each.size for each in self._packed)
        return Taken(pending, packed, self._row_groups, self._bytes.size)

    def _opened(self) -> pq.ParquetWriter:
        if self._writer is None:
            # Imported only here: the native writer does not need this module, whose import takes 14 ms.
            import pyarrow.parquet as pq

            self._sink = pa.PythonFile(cast("io.IOBase", self._bytes), mode="w")
            schema, footers = file_schema(self._table), self._footers
            self._writer = pq.ParquetWriter(self._sink, schema, metadata_collector=footers, **self._options)
        return self._writer

    def _write(self, rows: pa.Table) -> None:
        self._opened().write_table(rows, row_group_size=self._row_group_rows)
        self._row_groups += -(-rows.num_rows // self._row_group_rows)
        self._bytes.rest()

    def close(self) -> PartFacts:
        """See ``OpenPart``."""
        try:
            self.end_row_group()
            self._opened().close()
        finally:
            self.abandon()
        if not self._footers:
            raise OSError("the file could not be closed before")
        (footer,) = self._footers
        return PartFacts(footer.num_rows, self._bytes.size, *time_range(footer, self._table), self._bytes.checksum)

    def abandon(self) -> None:
        """See ``OpenPart``."""
        if self._writer is not None:
            # Otherwise, garbage collection would close a writer that is not closed, and emit a warning.
            self._writer.is_open = False
        if self._sink is not None:
            self._sink.close()
        self._pending.clear()
        self._packed.clear()


class _HashedFile:
    """A new file that counts and hashes the bytes that are written to it. The class has the methods that pyarrow calls.

    The file is created by the first write, and is open only between a write and the next call of ``rest``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self.size = 0
        self.closed = False

    @property
    def checksum(self) -> str:
        """The hex SHA-256 of the bytes so far."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        """Write all bytes."""
        if self._file is None:
            self._file = self._path.open("ab" if self.size else "xb")
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        """Return the number of bytes written so far."""
        return self.size

    def flush(self) -> None:
        """Pass all bytes to the operating system."""
        if self._file is not None:
            self._file.flush()

    def rest(self) -> None:
        """Close the file until the next write."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def close(self) -> None:
        """Close the file."""
        self.closed = True
        self.rest()


def time_range(footer: pq.FileMetaData, table: AnyTable) -> tuple[int | None, int | None]:
    """Return the range of a file's own timestamps according to its footer, as in ``PartFacts``."""
    ranges: list[tuple[int, int]] = [
        (statistics.min_raw, statistics.max_raw)  # type: ignore[misc]
        for group in range(footer.num_row_groups)
        for column in own_timestamps(table)
        if (statistics := footer.row_group(group).column(column).statistics) and statistics.has_min_max
    ]
    lows, highs = [low for low, _ in ranges], [high for _, high in ranges]
    return _milliseconds(min(lows, default=None), max(highs, default=None))


def _milliseconds(low: int | None, high: int | None) -> tuple[int | None, int | None]:
    """Convert a range from microseconds to the milliseconds around it."""
    return None if low is None else floor_ms(low), None if high is None else ceiling_ms(high)

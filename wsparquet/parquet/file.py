"""The two writers of a single Parquet file: the native writer, which is used if it is installed, and pyarrow's writer.

Both use the schema and the settings of ``wsparquet.parquet.settings``. Tests compare their files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import pyarrow as pa

from wsparquet.parquet.settings import file_schema, file_settings, native_options, own_timestamps, writer_options
from wsparquet.private.pyarrow import export_batch
from wsparquet.schema.fields import ceiling_ms, floor_ms

if TYPE_CHECKING:
    import io

    import pyarrow.parquet as pq

__all__ = ["NativePart", "OpenPart", "PartFacts", "PyarrowPart", "WriterKind", "best_writer", "time_range"]


class PartFacts(NamedTuple):
    """What a writer knows of the file that it has written. ``checksum`` is the hex SHA-256 of the file.

    All own timestamps lie between ``min_time`` and ``max_time``, which are in milliseconds since 1970: the earliest
    timestamp is rounded down, and the latest one is rounded up. Both are None if the file has no own timestamps.
    """

    rows: int
    bytes: int
    min_time: int | None
    max_time: int | None
    checksum: str


class OpenPart(Protocol):
    """An open file. Its methods raise OSError if the disk fails, and pa.ArrowException if Arrow fails."""

    def write(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Write batches with the file's schema as one row group, or as several if one would have too many rows."""

    def close(self) -> PartFacts:
        """Write the footer, close the file, and return what it has. The file is invalid if an earlier call failed.

        A second call returns the same facts.
        """


class WriterKind(Protocol):
    """A function that opens a new file for a table. Each row group has at most ``row_group_rows`` rows.

    With ``lookups``, the file has Bloom filters on the columns by which queries look up single rows.
    """

    def __call__(self, path: Path, table: str, *, row_group_rows: int, lookups: bool = False) -> OpenPart:
        """Open the file. Raises the same errors as ``OpenPart``."""


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

    def __init__(self, path: Path, table: str, *, row_group_rows: int, lookups: bool = False) -> None:
        from wsparquet._native import Imported, ParquetFile

        self._room = Imported
        settings = file_settings(table, row_group_rows=row_group_rows, lookups=lookups)
        self._file = ParquetFile(path, file_schema(table).__arrow_c_schema__(), native_options(settings))
        self._facts: PartFacts | None = None

    def write(self, batches: Sequence[pa.RecordBatch]) -> None:
        """See ``OpenPart``."""
        arrays = [self._room() for _ in batches]
        for batch, array in zip(batches, arrays, strict=True):
            export_batch(batch, array.address)
        self._file.write(arrays)

    def close(self) -> PartFacts:
        """See ``OpenPart``."""
        if (closed := self._file.close()) is not None:
            rows, size, times, digest = closed
            low, high = times or (None, None)
            self._facts = PartFacts(rows, size, *_milliseconds(low, high), digest.hex())
        if self._facts is None:
            raise OSError("the file could not be closed before")
        return self._facts


class PyarrowPart:
    """A file that pyarrow writes."""

    def __init__(self, path: Path, table: str, *, row_group_rows: int, lookups: bool = False) -> None:
        # Imported only here: the native writer does not need this module, whose import takes 14 ms.
        import pyarrow.parquet as pq

        self._table = table
        self._row_group_rows = row_group_rows
        self._footers: list[pq.FileMetaData] = []
        self._bytes = _HashedFile(path)
        self._sink = pa.PythonFile(cast("io.IOBase", self._bytes), mode="w")
        options = writer_options(file_settings(table, lookups=lookups))
        self._writer = pq.ParquetWriter(self._sink, file_schema(table), metadata_collector=self._footers, **options)

    def write(self, batches: Sequence[pa.RecordBatch]) -> None:
        """See ``OpenPart``."""
        self._writer.write_table(pa.Table.from_batches(batches), row_group_size=self._row_group_rows)

    def close(self) -> PartFacts:
        """See ``OpenPart``."""
        try:
            self._writer.close()
        finally:
            # Without this, a writer that failed to close would try again during garbage collection, and emit a warning.
            self._writer.is_open = False
            self._sink.close()
        if not self._footers:
            raise OSError("the file could not be closed before")
        (footer,) = self._footers
        return PartFacts(footer.num_rows, self._bytes.size, *time_range(footer, self._table), self._bytes.checksum)


class _HashedFile:
    """A new file that counts and hashes what is written to it. It has the methods that pyarrow calls."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def checksum(self) -> str:
        """The hex SHA-256 of the bytes so far."""
        return self._digest.hexdigest()

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._file.closed

    def write(self, data: bytes) -> int:
        """Write all bytes."""
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        """Return the number of bytes written so far."""
        return self.size

    def flush(self) -> None:
        """Pass all bytes to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def time_range(footer: pq.FileMetaData, table: str) -> tuple[int | None, int | None]:
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

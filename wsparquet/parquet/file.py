"""The two writers of a single Parquet file: the native writer, which is used if it is installed, and pyarrow's writer.

Both use the schema and the settings of ``wsparquet.parquet.settings``. Tests compare their files.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from wsparquet.parquet.settings import file_schema, file_settings, native_options, writer_options
from wsparquet.private.pyarrow import export_batch

__all__ = ["NativePart", "OpenPart", "PyarrowPart", "WriterKind", "best_writer"]


class OpenPart(Protocol):
    """An open file. Its methods raise OSError if the disk fails, and pa.ArrowException if Arrow fails."""

    def write(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Write batches with the file's schema as one row group, or as several if one would have too many rows."""

    def close(self) -> None:
        """Write the footer and close the file. The file is invalid if an earlier call failed."""


class WriterKind(Protocol):
    """A function that opens a new file for a table. Each row group has at most ``row_group_rows`` rows."""

    def __call__(self, path: Path, table: str, *, row_group_rows: int) -> OpenPart:
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

    def __init__(self, path: Path, table: str, *, row_group_rows: int) -> None:
        from wsparquet._native import Imported, ParquetFile

        self._room = Imported
        settings = file_settings(table, row_group_rows=row_group_rows)
        self._file = ParquetFile(path, file_schema(table).__arrow_c_schema__(), native_options(settings))

    def write(self, batches: Sequence[pa.RecordBatch]) -> None:
        """See ``OpenPart``."""
        arrays = [self._room() for _ in batches]
        for batch, array in zip(batches, arrays, strict=True):
            export_batch(batch, array.address)
        self._file.write(arrays)

    def close(self) -> None:
        """See ``OpenPart``."""
        self._file.close()


class PyarrowPart:
    """A file that pyarrow writes."""

    def __init__(self, path: Path, table: str, *, row_group_rows: int) -> None:
        self._row_group_rows = row_group_rows
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pq.ParquetWriter(self._sink, file_schema(table), **writer_options(table))

    def write(self, batches: Sequence[pa.RecordBatch]) -> None:
        """See ``OpenPart``."""
        self._writer.write_table(pa.Table.from_batches(batches), row_group_size=self._row_group_rows)

    def close(self) -> None:
        """See ``OpenPart``."""
        try:
            self._writer.close()
        finally:
            # Without this, a writer that failed to close would try again during garbage collection, and emit a warning.
            self._writer.is_open = False
            self._sink.close()

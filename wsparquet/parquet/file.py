"""One Parquet file that is being written: by the native writer where it is built, else by pyarrow's.

Both keep the same contract, ``file_schema`` and the settings beside it, and a test holds them to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from wsparquet.parquet.settings import file_schema, file_settings, native_options, writer_options

__all__ = ["NativePart", "OpenPart", "PyarrowPart", "WriterKind", "best_writer"]


class OpenPart(Protocol):
    """A file that is open until it is closed. Raises OSError or pa.ArrowException where the disk or Arrow fails."""

    def write(self, batches: Sequence[pa.RecordBatch]) -> None:
        """Write batches of the file's schema as one row group, or several where they have too many rows for one."""

    def close(self) -> None:
        """Write the footer and close the file; worthless if anything has failed before."""


class WriterKind(Protocol):
    """Opens a new file of a table, whose row groups have ``row_group_rows`` rows at most."""

    def __call__(self, path: Path, table: str, *, row_group_rows: int) -> OpenPart:
        """Open it. Raises as ``OpenPart`` does."""


@lru_cache(maxsize=1)
def best_writer() -> WriterKind:
    """The fastest writer that this installation has."""
    try:
        from wsparquet._native import ParquetFile  # noqa: F401
    except ImportError:
        return PyarrowPart
    return NativePart


class NativePart:
    """Written by the crate of ``native/``, without the GIL.

    Takes two thirds of the CPU time of pyarrow's writer (``writer_options`` has the figures), most of it saved on
    definition and repetition levels; files are as large.
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
            # Not by capsules: each would have the whole schema written and read again.
            batch._export_to_c(array.address)  # noqa: SLF001
        self._file.write(arrays)

    def close(self) -> None:
        """See ``OpenPart``."""
        self._file.close()


class PyarrowPart:
    """Written by pyarrow."""

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
            # A writer whose closing failed would try again, and complain, when it is collected.
            self._writer.is_open = False
            self._sink.close()

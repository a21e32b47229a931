"""Reads the parts of a root piece by piece: a part may be larger than the memory.

A part in a bucket is first copied to a temporary file.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from wsparquet.store.store import Store

__all__ = ["batches", "local_part", "opened", "sha256_of"]

BATCH_ROWS = 1 << 12
"""How many rows are read at once: with 10 KB a row, which is much, these are 40 MB."""

BUFFER_BYTES = 1 << 20
"""How many bytes of a column are read at once. Without this buffer, Arrow reads all bytes of a row group's column."""


@contextmanager
def local_part(store: Store, path: str) -> Iterator[Path | None]:
    """Provide a local file with the bytes of a part inside the context, or None if the part does not exist.

    Raises DatasetError if the store fails.
    """
    with tempfile.TemporaryDirectory(prefix="wsparquet-") as folder:
        yield store.local_copy(path, Path(folder) / "part")


def sha256_of(path: Path) -> str:
    """Return the hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def opened(path: Path) -> pq.ParquetFile:
    """Open a Parquet file. Raises pyarrow's ArrowException or an OSError if that is not possible."""
    return pq.ParquetFile(path, buffer_size=BUFFER_BYTES)


def batches(file: pq.ParquetFile, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file in small batches."""
    yield from file.iter_batches(BATCH_ROWS, columns=None if columns is None else list(columns), use_threads=False)

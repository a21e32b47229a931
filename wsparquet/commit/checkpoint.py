"""The checkpoint: a cache of commit records in one file, which makes opening a root with many records fast.

With each record, the checkpoint stores the version of the record's file (entity tag, or time and inode). An entry is
used only while the record's file still has that version. All other records are read from their own files. An unreadable
checkpoint is ignored, and a checkpoint may be deleted at any time. No decision to delete a file relies on the
checkpoint.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from wsparquet.commit.parsing import decode_commit, decode_header
from wsparquet.commit.record import Commit, CommitHeader
from wsparquet.errors import DatasetError
from wsparquet.layout import CHECKPOINT
from wsparquet.store.store import Store

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["Checkpoint"]

WORTH_WRITING = 1000
"""If at least this many records are missing from the checkpoint, it is rewritten."""

ROWS_AT_ONCE = 1000

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        pa.field("header", pa.string(), nullable=False),
        pa.field("parts", pa.string(), nullable=False),
    ]
)
"""``header`` is the record as JSON, without its parts and its report; ``parts`` is the record's parts as JSON.

A checkpoint with any other schema is ignored.
"""

Decoded = TypeVar("Decoded")


class Checkpoint:
    """The checkpoint of one root; its methods use only entries that are current.

    ``versions``: the path and the current version of every commit record, sorted by path.
    """

    def __init__(self, store: Store, versions: Mapping[str, str | None]) -> None:
        self.versions = versions
        self._store = store
        self._data = b""
        with suppress(DatasetError):
            self._data = store.read(CHECKPOINT) or b""

    def headers(self) -> dict[str, CommitHeader | None]:
        """Return the headers of all current entries by path; the header of a removed source is None."""
        return self._decoded(["path", "version", "header"], lambda path, header: decode_header(header.encode(), path))

    def commits(self) -> dict[str, Commit]:
        """Return the commits of all current entries by path, with empty reports."""
        return self._decoded(SCHEMA.names, lambda path, header, parts: decode_commit(_joined(header, parts), path))

    def update(self) -> CheckpointUpdate:
        """Begin a new checkpoint that keeps the current entries of this one."""
        return CheckpointUpdate(self)

    def _decoded(self, columns: list[str], decode: Callable[..., Decoded]) -> dict[str, Decoded]:
        """Return all current entries, decoded; return no entries if any of them cannot be decoded."""
        found: dict[str, Decoded] = {}
        try:
            for batch in self.batches(columns):
                values = [batch.column(name).to_pylist() for name in columns if name != "version"]
                found.update((path, decode(path, *rest)) for path, *rest in zip(*values, strict=True))
        except (pa.ArrowException, DatasetError, KeyError, TypeError, ValueError, OSError):
            # Discard the data: an update would copy the unreadable rows.
            self._data = b""
            return {}
        return found

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Yield the current entries as rows. Raises ValueError if the checkpoint has another schema."""
        if not self._data:
            return
        # Imported only here and in `_writer`: most roots have no checkpoint, and the import takes 14 ms.
        import pyarrow.parquet as pq

        with pq.ParquetFile(io.BytesIO(self._data)) as file:
            if not file.schema_arrow.equals(SCHEMA):
                raise ValueError(f"expected a checkpoint with the columns {SCHEMA}, found {file.schema_arrow}")
            for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=columns):
                pairs = zip(batch.column("path").to_pylist(), batch.column("version").to_pylist(), strict=True)
                yield batch.filter(pa.array([self.versions.get(str(path)) == version for path, version in pairs]))

    def replace(self, data: bytes) -> None:
        """Replace this checkpoint with a new one."""
        self._store.put(CHECKPOINT, data)


class CheckpointUpdate:
    """A new checkpoint, kept compressed in memory until it is written."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._added = 0
        self._rows: list[dict[str, str]] = []
        self._sink = io.BytesIO()

    @cached_property
    def _writer(self) -> pq.ParquetWriter:
        import pyarrow.parquet as pq

        return pq.ParquetWriter(self._sink, SCHEMA, compression="zstd")

    def add(self, path: str, data: bytes) -> None:
        """Add a record that is not in the current checkpoint.

        The checkpoint omits a record if the store's listing has nothing that shows a change of its file, such as an
        entity tag. Every run then reads that file.
        """
        version = self._checkpoint.versions[path]
        if version is None:
            return
        values = json.loads(data)
        parts = values.pop("parts")
        header = {**values, "report": {}}
        self._rows.append({"path": path, "version": version, "header": _encoded(header), "parts": _encoded(parts)})
        self._added += 1
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()

    def write_if_worthwhile(self) -> None:
        """Replace the checkpoint if enough records were added.

        Failures are ignored, because a root works without a checkpoint.
        """
        if self._added < WORTH_WRITING:
            return
        with suppress(DatasetError, pa.ArrowException):
            self._checkpoint.replace(self._closed())

    def _closed(self) -> bytes:
        self._flush()
        for batch in self._checkpoint.batches(SCHEMA.names):
            self._writer.write_batch(batch)
        self._writer.close()
        return self._sink.getvalue()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
            self._rows.clear()


def _encoded(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _joined(header: str, parts: str) -> bytes:
    """Build a record, without its report, from the values of its two columns."""
    return f'{header[:-1]},"parts":{parts}}}'.encode()

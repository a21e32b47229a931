"""A copy of many commit records in one file, so that a root with tens of thousands of them opens quickly.

It is a cache and never the truth: it holds the version (entity tag, or time and inode) that each record's file had, and
what it says counts only while the file still has that. What is missing, or other by now, is read from its own file, and
a copy that cannot be read is none. What decides on deletion does not look here.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from wsparquet.commit.record import Commit, Head, decode_commit, decode_head
from wsparquet.errors import DatasetError
from wsparquet.layout import COMMITS, SNAPSHOT
from wsparquet.store.store import Store

__all__ = ["Records"]

WORTH_WRITING = 1000
"""So many records that are not in the copy yet are worth another one."""

ROWS_AT_ONCE = 1000

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        pa.field("head", pa.string(), nullable=False),
        pa.field("parts", pa.string(), nullable=False),
    ]
)
"""``head`` is the record without parts and report, ``parts`` its parts, both JSON.

A copy of any other schema is none.
"""

Found = TypeVar("Found")


class Records:
    """The records of a root as they are now, from the copy where that knows them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._versions = {entry.path: entry.version for entry in store.entries(COMMITS)}

    def heads(self, *, keep: bool = False) -> Iterator[Head]:
        """What each record that counts says of its source, sorted by path; ``keep`` a new copy if it is worth it.

        Raises DatasetError if a record is unreadable, or names files that are not its own.
        """
        copy = self._copy()
        heads = self._known(copy, ["path", "version", "head"], lambda path, head: decode_head(head.encode(), path))
        copied = len(heads)
        writer = _CopyWriter(self._versions) if keep else None
        for path, data in self._unknown(heads):
            heads[path] = decode_head(data, path)
            if writer is not None:
                writer.add(path, data)
        if writer is not None and writer.added >= WORTH_WRITING:
            # The next run can do without it, too.
            with suppress(DatasetError, pa.ArrowException):
                self._store.put(SNAPSHOT, writer.closed(self._batches(copy if copied else b"", SCHEMA.names)))
        return (head for path in self._versions if (head := heads.get(path)) is not None)

    def commits(self) -> Iterator[Commit]:
        """Every record that counts, sorted by path, without its report where the copy has it.

        Raises DatasetError as ``heads``.
        """
        records = self._known(
            self._copy(), SCHEMA.names, lambda path, head, parts: decode_commit(_joined(head, parts), path)
        )
        records.update((path, decode_commit(data, path)) for path, data in self._unknown(records))
        found = (records.get(path) for path in self._versions)
        return (commit for commit in found if commit is not None and not commit.removed)

    # --- The copy ----------------------------------------------------------------------------------------------------

    def _copy(self) -> bytes:
        """The bytes of the copy; none if there is none, or something in its place that is no file."""
        with suppress(DatasetError):
            return self._store.read(SNAPSHOT) or b""
        return b""

    def _known(self, copy: bytes, columns: list[str], decode: Callable[..., Found]) -> dict[str, Found]:
        """What the copy says of records that are as they were, decoded; nothing if any of it cannot be."""
        found: dict[str, Found] = {}
        try:
            for batch in self._batches(copy, columns):
                values = [batch.column(name).to_pylist() for name in columns if name != "version"]
                found.update((path, decode(path, *rest)) for path, *rest in zip(*values, strict=True))
        except (pa.ArrowException, DatasetError, KeyError, TypeError, ValueError, OSError):
            return {}
        return found

    def _batches(self, copy: bytes, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The rows of the copy whose records are as they were. Raises ValueError if it has another schema."""
        if not copy:
            return
        with pq.ParquetFile(io.BytesIO(copy)) as file:
            if not file.schema_arrow.equals(SCHEMA):
                raise ValueError(f"expected a copy with the columns {SCHEMA}, found {file.schema_arrow}")
            for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=columns):
                pairs = zip(batch.column("path").to_pylist(), batch.column("version").to_pylist(), strict=True)
                yield batch.filter(pa.array([self._versions.get(str(path)) == version for path, version in pairs]))

    def _unknown(self, known: Mapping[str, object]) -> Iterator[tuple[str, bytes]]:
        """The paths and bytes of all records that are not known, each from its own file."""
        return self._store.read_all([path for path in self._versions if path not in known])


class _CopyWriter:
    """A new copy on its way, in memory and compressed."""

    def __init__(self, versions: Mapping[str, str | None]) -> None:
        self.added = 0
        self._versions = versions
        self._rows: list[dict[str, str]] = []
        self._sink = io.BytesIO()
        self._writer = pq.ParquetWriter(self._sink, SCHEMA, compression="zstd")

    def add(self, path: str, data: bytes) -> None:
        """Take a record, unless the store's listings do not tell when it changes: then it has to be read every time."""
        version = self._versions[path]
        if version is None:
            return
        values = json.loads(data)
        parts = values.pop("parts")
        head = {**values, "report": {}}
        self._rows.append({"path": path, "version": version, "head": _encoded(head), "parts": _encoded(parts)})
        self.added += 1
        if len(self._rows) >= ROWS_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(pa.Table.from_pylist(self._rows, schema=SCHEMA))
            self._rows.clear()

    def closed(self, known: Iterator[pa.RecordBatch]) -> bytes:
        """The whole copy, with what the last one knew."""
        self._flush()
        for batch in known:
            self._writer.write_batch(batch)
        self._writer.close()
        return self._sink.getvalue()


def _encoded(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _joined(head: str, parts: str) -> bytes:
    """A record of both of its pieces."""
    return f'{head[:-1]},"parts":{parts}}}'.encode()

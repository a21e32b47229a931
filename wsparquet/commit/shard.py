"""One file of the checkpoint: commit records as rows, sorted by path, with keys by which a run finds a few of them.

The file's name is a checksum of its bytes. Opening a root reads the paths, versions and keys of all rows, and decodes
only the records that a run asks for.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import threading
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from wsparquet.commit.listing import Listing
from wsparquet.commit.lookup import facts_of, text_fact
from wsparquet.commit.parsing import decode_header
from wsparquet.layout import checkpoint_path
from wsparquet.store.store import Store

__all__ = ["GROUP_ROWS", "SCHEMA", "Shard", "Unusable", "named", "row_of"]

GROUP_ROWS = 1000
"""How many rows are decompressed if one of them is needed."""

COLUMNS_KEPT = 12
"""How many columns of such groups stay in memory, for all shards together."""

_COLUMNS: dict[tuple[pq.ParquetFile, int, str], Any] = {}
_READING = threading.Lock()

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        pa.field("keys", pa.list_(pa.field("item", pa.uint64(), nullable=False)), nullable=False),
        pa.field("text", pa.uint64()),
        pa.field("header", pa.string(), nullable=False),
        pa.field("parts", pa.string(), nullable=False),
    ]
)
"""``keys`` are those of the record's facts (see ``lookup``), or none if the source is removed. ``text`` is the key of
the text of a record with rows. ``header`` is the record as JSON, without its parts and its report; ``parts`` is the
record's parts as JSON. A file with any other schema is ignored.
"""


pc: Any = pyarrow.compute
"""pyarrow's functions, which take more kinds of arguments than its stubs say."""


class Unusable(Exception):
    """A file of the checkpoint is damaged, or is not from this version of wsparquet."""


def row_of(path: str, version: str, data: bytes) -> dict[str, Any]:
    """Return the row of a record that could be decoded."""
    values = json.loads(data)
    parts = values.pop("parts")
    header = decode_header(data, path)
    has_text = header is not None and header.row_count > 0 and header.facts.text is not None
    return {
        "path": path,
        "version": version,
        "keys": sorted({fact.key for fact in facts_of(header)}) if header is not None else [],
        "text": text_fact(header.facts.text).key if has_text else None,  # type: ignore[union-attr, arg-type]
        "header": _encoded({**values, "report": {}}),
        "parts": _encoded(parts),
    }


def named(rows: pa.Table) -> tuple[str, bytes]:
    """Return the path and the bytes of a file with these rows."""
    sink = io.BytesIO()
    # Only merged rows are not sorted yet. A copy of all rows takes as much memory again.
    ordered = rows if _is_sorted(rows["path"]) else rows.sort_by("path")
    with pq.ParquetWriter(sink, SCHEMA, compression="zstd") as writer:
        writer.write_table(ordered, row_group_size=GROUP_ROWS)
    data = sink.getvalue()
    return checkpoint_path(_name_of(hashlib.sha256(data).hexdigest())), data


def _is_sorted(paths: pa.ChunkedArray[Any]) -> bool:
    return len(paths) < 2 or bool(pc.all(pc.less(paths.slice(0, len(paths) - 1), paths.slice(1))).as_py())


def _name_of(sha256: str) -> str:
    return sha256[:16]


class Shard:
    """An open file of the checkpoint, and which of its rows are current.

    Rows are named by their numbers. Any number of threads may use one shard.
    """

    def __init__(self, path: str, file: pq.ParquetFile) -> None:
        self.path = path
        self._file = file
        self._starts = [0]
        for number in range(file.num_row_groups):
            self._starts.append(self._starts[-1] + file.metadata.row_group(number).num_rows)
        self.rows: Any = pa.array([], pa.int32())
        self.texts: Any = pa.array([], pa.uint64())
        self._keys: memoryview | list[int] = []
        self._rows_of_keys: memoryview | list[int] = []
        self.sources = 0

    @classmethod
    def open(cls, store: Store, path: str) -> Self:
        """Open a file. Raises Unusable if it cannot be used, DatasetError if the store fails."""
        with tempfile.TemporaryDirectory(prefix="wsparquet-") as folder:
            local = store.local_copy(path, Path(folder) / "shard")
            if local is None:
                raise Unusable(path)
            try:
                with local.open("rb") as file:
                    if _name_of(hashlib.file_digest(file, "sha256").hexdigest()) != path.rpartition("/")[2]:
                        raise Unusable(path)
                # The open file outlives its name.
                opened = pq.ParquetFile(pa.OSFile(str(local), "r"))
            except (pa.ArrowException, OSError) as error:
                raise Unusable(path) from error
        if not opened.schema_arrow.equals(SCHEMA):
            raise Unusable(path)
        return cls(path, opened)

    def take_current(self, listing: Listing) -> None:
        """Find the rows that are as listed, and take them from the listing.

        Raises Unusable if the file cannot be read.
        """
        try:
            mine: Any = self._file.read(columns=["path", "version"]).combine_chunks()
            paths, versions = (_array(mine[name]).cast(pa.large_string()) for name in ("path", "version"))
            self._index(self._file.read(columns=["keys", "text"]).combine_chunks(), listing.take(paths, versions))
        except (pa.ArrowException, OSError) as error:
            raise Unusable(self.path) from error

    def _index(self, table: pa.Table, rows: Any) -> None:
        """Index the current rows by their keys."""
        lists = _array(table["keys"]).take(rows)
        keys, rows_of_keys = pc.list_flatten(lists), rows.take(pc.list_parent_indices(lists))
        order = pc.sort_indices(keys)
        self._keys = _view(keys.take(order), "Q")
        self._rows_of_keys = _view(rows_of_keys.take(order), "i")
        self.rows = rows
        self.texts = _array(table["text"]).take(rows)
        self.sources = pc.sum(pc.greater(pc.list_value_length(lists), 0)).as_py() or 0

    def numbers(self) -> list[int]:
        """Return the numbers of all current rows, in the order of their paths."""
        found: list[int] = self.rows.to_pylist()
        return found

    def find(self, key: int) -> Iterator[int]:
        """Yield the current rows with a key."""
        number = bisect_left(self._keys, key)
        while number < len(self._keys) and self._keys[number] == key:
            yield self._rows_of_keys[number]
            number += 1

    def row(self, number: int, *columns: str) -> tuple[str, ...]:
        """Return the values of a row. Raises Unusable if the file cannot be read."""
        group = bisect_left(self._starts, number + 1) - 1
        found = (self._column(group, name)[number - self._starts[group]].as_py() for name in columns)
        return tuple(found)

    def _column(self, group: int, name: str) -> Any:
        with _READING:
            key = (self._file, group, name)
            found = _COLUMNS.pop(key, None)
            if found is None:
                try:
                    found = _array(self._file.read_row_group(group, columns=[name])[name])
                except (pa.ArrowException, OSError) as error:
                    raise Unusable(self.path) from error
            _COLUMNS[key] = found
            if len(_COLUMNS) > COLUMNS_KEPT:
                del _COLUMNS[next(iter(_COLUMNS))]
            return found

    def table(self) -> pa.Table:
        """Return all current rows. Raises Unusable if the file cannot be read."""
        try:
            return self._file.read().take(self.rows)
        except (pa.ArrowException, OSError) as error:
            raise Unusable(self.path) from error


def _array(column: Any) -> Any:
    """Return a column as one array."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _view(array: Any, form: Literal["Q", "i"]) -> memoryview | list[int]:
    """Return the values of an array of numbers, without nulls, as a sequence that shares its memory."""
    data = array.buffers()[1]
    return memoryview(data).cast("B").cast(form)[array.offset : array.offset + len(array)] if data is not None else []


def _encoded(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))

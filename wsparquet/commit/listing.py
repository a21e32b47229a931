"""The listing of all commit records of a root, as Arrow arrays: a million of them as objects would take 1 GB."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa

from wsparquet.layout import COMMITS
from wsparquet.store.store import Store

__all__ = ["Listing"]

TEXT = pa.large_string()
"""Offsets of 32 bits would be too small for some 20 million paths."""


class Listing:
    """The paths, in order, and the versions of all commit records, and which of them a checkpoint has."""

    def __init__(self, store: Store) -> None:
        table = pa.Table.from_batches(_batches(store), schema=_SCHEMA).combine_chunks()
        self._paths: Any = _whole(table["path"])
        self._versions: Any = _whole(table["version"])
        self._taken = bytearray(table.num_rows)

    def take(self, paths: Any, versions: Any) -> Any:
        """Take the records with these paths that have these versions, if they were not taken before.

        Return their positions in ``paths``, in the order of the listing. ``paths`` is a large string array.
        """
        # Imported only here, because most roots have no checkpoint, and the import takes much time.
        import pyarrow.compute

        pc: Any = pyarrow.compute
        bounds = pc.min_max(paths).as_py()
        if bounds["min"] is None:
            return pa.array([], pa.int32())
        order = range(len(self._paths))
        start = bisect_left(order, bounds["min"], key=self._path)
        stop = bisect_right(order, bounds["max"], key=self._path)
        index = pc.index_in(self._paths.slice(start, stop - start), value_set=paths)
        same = pc.equal(self._versions.slice(start, stop - start), versions.take(index))
        free = pc.equal(self._flags(start, stop), 0)
        new = pc.and_(pc.fill_null(same, False), free)
        taken = pc.or_(new, pc.invert(free)).cast(pa.uint8())
        self._taken[start:stop] = memoryview(taken.buffers()[1]).cast("B")[: stop - start] if stop > start else b""
        return index.filter(new)

    def _flags(self, start: int, stop: int) -> Any:
        flags = pa.py_buffer(bytes(self._taken[start:stop]))
        return pa.Array.from_buffers(pa.uint8(), stop - start, [None, flags])

    def _path(self, number: int) -> str:
        path: str = self._paths[number].as_py()
        return path

    def left(self) -> dict[str, str | None]:
        """Return the versions of the records that were not taken, by path."""
        numbers = [number for number, taken in enumerate(self._taken) if not taken]
        return {self._path(number): self._versions[number].as_py() for number in numbers}


_SCHEMA = pa.schema([pa.field("path", TEXT), pa.field("version", TEXT)])


def _batches(store: Store) -> Iterator[pa.RecordBatch]:
    last, batches = "", []
    for some in store.versions(COMMITS):
        if any(left >= right for left, right in pairwise([last, *(path for path, _ in some)])):
            # The store does not list names in order, or lists some of them twice.
            every = dict(pair for each in store.versions(COMMITS) for pair in each)
            return iter([_batch(sorted(every.items()))])
        if some:
            last = some[-1][0]
            batches.append(_batch(some))
    return iter(batches)


def _batch(versions: Sequence[tuple[str, str | None]]) -> pa.RecordBatch:
    paths, tags = [path for path, _ in versions], [tag for _, tag in versions]
    return pa.RecordBatch.from_arrays([pa.array(paths, TEXT), pa.array(tags, TEXT)], schema=_SCHEMA)


def _whole(column: pa.ChunkedArray[Any]) -> Any:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)

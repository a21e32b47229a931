"""The commits in a checkpoint: found by their facts, and decoded when they are needed."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from wsparquet.commit.lookup import Fact
from wsparquet.commit.parsing import decode_commit, decode_header
from wsparquet.commit.record import Commit, CommitHeader
from wsparquet.errors import DatasetError
from wsparquet.store.store import Store

if TYPE_CHECKING:
    from wsparquet.commit.shard import Shard

__all__ = ["Position", "StoredCommits"]


class Position(NamedTuple):
    """Where a commit is: the number of the shard, and that of the row in it."""

    shard: int
    row: int


class StoredCommits:
    """The commits of the current rows of shards, as they were when these were opened.

    A row that cannot be decoded is replaced by the record's own file. Any number of threads may use one object.
    """

    def __init__(self, store: Store, shards: Sequence[Shard] = ()) -> None:
        self._store = store
        self._shards = shards

    def __len__(self) -> int:
        return sum(shard.sources for shard in self._shards)

    def find(self, fact: Fact) -> Iterator[Position]:
        """Yield the positions of all commits with a fact, and, very rarely, of others."""
        if self._shards:
            key = fact.key
            for number, shard in enumerate(self._shards):
                yield from (Position(number, row) for row in shard.find(key))

    def with_equal_texts(self) -> Iterator[Position]:
        """Yield the positions of commits with rows if another such commit has the same text."""
        if not self._shards:
            return
        from wsparquet.commit.shard import pc

        texts = pa.chunked_array([shard.texts for shard in self._shards], pa.uint64())
        counts = pc.value_counts(texts)
        several = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).drop_null()
        for key in several.to_pylist():
            for number, shard in enumerate(self._shards):
                yield from (Position(number, row) for row in shard.find(key))

    def header(self, position: Position) -> CommitHeader | None:
        """Return the header of a commit, or None if its source was removed. Raises DatasetError if the store fails."""
        path, header = self._shards[position.shard].row(position.row, "path", "header")
        try:
            return decode_header(header.encode(), path)
        except (DatasetError, TypeError, ValueError, AttributeError):
            data = self._store.read(path)
            return None if data is None else decode_header(data, path)

    def headers(self) -> Iterator[tuple[Position, CommitHeader]]:
        """Yield the headers of all commits, sorted by path."""
        for _, position in self._in_order():
            if (header := self.header(position)) is not None:
                yield position, header

    def commits(self) -> Iterator[Commit]:
        """Yield all commits with empty reports, sorted by path; skip removed sources."""
        for path, position in self._in_order():
            commit = self._commit(path, position)
            if commit is not None and not commit.removed:
                yield commit

    def _commit(self, path: str, position: Position) -> Commit | None:
        header, parts = self._shards[position.shard].row(position.row, "header", "parts")
        try:
            return decode_commit(f'{header[:-1]},"parts":{parts}}}'.encode(), path)
        except (DatasetError, TypeError, ValueError, AttributeError):
            data = self._store.read(path)
            return None if data is None else decode_commit(data, path)

    def _in_order(self) -> Iterator[tuple[str, Position]]:
        """Yield the paths and the positions of all current rows, sorted by path."""
        return heapq.merge(*(self._with_paths(number) for number in range(len(self._shards))))

    def _with_paths(self, number: int) -> Iterator[tuple[str, Position]]:
        shard = self._shards[number]
        for row in shard.numbers():
            (path,) = shard.row(row, "path")
            yield path, Position(number, row)

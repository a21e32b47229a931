"""The checkpoint: a cache of commit records in a few files, which makes opening a root with many records fast.

With each record, the checkpoint stores the version of the record's file (entity tag, or time and inode). An entry is
used only while the record's file still has that version. All other records are read from their own files. An unreadable
file of the checkpoint is ignored, and any of them may be deleted at any time. No decision to delete a part relies on
the checkpoint.

The files are never changed. A run with many new records adds a file, into which it merges small ones, and deletes files
that have no current entry any more.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wsparquet.commit.listing import Listing
from wsparquet.commit.stored import StoredCommits
from wsparquet.errors import DatasetError
from wsparquet.layout import CHECKPOINTS, is_checkpoint_path
from wsparquet.store.store import Store

if TYPE_CHECKING:
    from wsparquet.commit.shard import Shard

__all__ = ["Checkpoint"]

WORTH_WRITING = 1000
"""If at least this many records are missing from the checkpoint, they are added."""

SHARD_ROWS = 25_000
"""The most records in a file: with 5 kB each, these are 125 MB of memory when the file is written."""

ROWS_AT_ONCE = 1000


class Checkpoint:
    """The checkpoint of one root, compared with a listing of the root's commit records.

    ``stored`` has the commits of all current entries. ``others`` has the versions of all other records, sorted by path.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        listing = Listing(store)
        self._shards: list[Shard] = []
        self._unusable: list[str] = []
        with suppress(DatasetError):
            for path in [entry.path for entry in store.entries(CHECKPOINTS) if is_checkpoint_path(entry.path)]:
                self._open(path, listing)
        self.stored = StoredCommits(store, self._shards)
        self.others = listing.left()

    def _open(self, path: str, listing: Listing) -> None:
        """Add a file, unless it cannot be used."""
        # Imported only here, because most roots have no checkpoint, and the module imports much of pyarrow.
        from wsparquet.commit.shard import Shard, Unusable

        try:
            shard = Shard.open(self._store, path)
            shard.take_current(listing)
        except Unusable:
            self._unusable.append(path)
        else:
            self._shards.append(shard)

    def update(self) -> CheckpointUpdate:
        """Begin to add records."""
        return CheckpointUpdate(self)

    def add(self, table: pa.Table) -> None:
        """Add a file with these rows, and with those of small files, and delete files that are not needed any more."""
        from wsparquet.commit.shard import Unusable, named

        merged = []
        for shard in sorted(self._shards, key=lambda each: len(each.rows)):
            if len(shard.rows) > 2 * table.num_rows or len(shard.rows) + table.num_rows > SHARD_ROWS:
                break
            with suppress(Unusable):
                table = pa.concat_tables([table, shard.table()])
            merged.append(shard)
        path, data = named(table)
        self._store.put(path, data)
        self._shards = [shard for shard in self._shards if shard not in merged]
        self._store.delete(sorted({*self._unusable, *(shard.path for shard in merged)} - {path}))
        self._unusable = []


class CheckpointUpdate:
    """Records that are added to a checkpoint."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._rows: list[dict[str, Any]] = []
        self._batches: list[pa.RecordBatch] = []
        self._added = 0

    def add(self, path: str, data: bytes) -> None:
        """Add a record that is not in the current checkpoint, and that could be decoded.

        The checkpoint omits a record if the store's listing has nothing that shows a change of its file, such as an
        entity tag. Every run then reads that file.
        """
        version = self._checkpoint.others[path]
        if version is None:
            return
        from wsparquet.commit.shard import row_of

        self._rows.append(row_of(path, version, data))
        self._added += 1
        if self._added >= SHARD_ROWS:
            self._write()
        elif len(self._rows) >= ROWS_AT_ONCE:
            self._pack()

    def write_if_worthwhile(self) -> None:
        """Add the records to the checkpoint if they are many.

        Failures are ignored, because a root works without a checkpoint.
        """
        if self._added >= WORTH_WRITING:
            self._write()

    def _pack(self) -> None:
        """Keep the rows as Arrow does, which takes a fraction of the memory."""
        from wsparquet.commit.shard import SCHEMA

        self._batches.append(pa.RecordBatch.from_pylist(self._rows, schema=SCHEMA))
        self._rows = []

    def _write(self) -> None:
        self._pack()
        with suppress(DatasetError, pa.ArrowException):
            self._checkpoint.add(pa.Table.from_batches(self._batches))
        self._batches, self._added = [], 0

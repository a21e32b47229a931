"""Gives readers the committed rows: each table is a pyarrow dataset of exactly the parts that commit records name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wsparquet.commit.index import CommitIndex
from wsparquet.commit.record import Commit, CommitHeader
from wsparquet.dataset.access import Access
from wsparquet.dataset.root import Root
from wsparquet.errors import DatasetError
from wsparquet.options import did_you_mean
from wsparquet.schema import TABLES
from wsparquet.schema.tables import PARTITION
from wsparquet.store.disk_errors import translated

if TYPE_CHECKING:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

__all__ = ["LakeDataset", "open_dataset"]


class LakeDataset:
    """The tables of a root, with the rows that were committed when it was opened.

    >>> lake = wsparquet.open_dataset("lake")
    >>> sum(lake.table(name).count_rows() for name in lake.tables)
    40
    """

    def __init__(self, root: Root) -> None:
        self._store = root.store
        self._files: dict[str, tuple[list[str], list[date | None]]] = {table: ([], []) for table in TABLES}
        self.commits = CommitIndex(root.log.read, self._collect(root.log.counting_commits()))

    def _collect(self, commits: Iterable[Commit]) -> Iterator[CommitHeader]:
        for commit in commits:
            for part in commit.parts:
                # Omit tables that this version does not know.
                if part.table in self._files:
                    paths, days = self._files[part.table]
                    paths.append(part.path)
                    days.append(part.date)
            yield commit.header

    @property
    def location(self) -> str:
        """The absolute path of the root, or its URL without a slash at its end."""
        return self._store.place()

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables, including those without rows."""
        return tuple(self._files)

    @property
    def empty_tables(self) -> tuple[str, ...]:
        """The names of the tables without rows, which have no files."""
        return tuple(name for name, (paths, _) in self._files.items() if not paths)

    def files(self, name: str) -> list[str]:
        """Return the paths of the parts of a table, relative to the root, with ``/`` between components.

        Only these files have rows that count. Raises the same errors as ``table``.
        """
        self._check_table(name)
        paths, _ = self._files[name]
        if missing := self._store.missing(paths):
            raise DatasetError(
                f"{self._store.place()}: expected {len(paths)} parts of {name}, found that {len(missing)} are gone, "
                f"such as {min(missing)}; a later commit replaced them, so open the dataset again"
            )
        return list(paths)

    def table(self, name: str) -> ds.Dataset:
        """Return the rows of a table, with all columns of its schema and the partition column ``date`` (date32).

        Raises DatasetError if the table does not exist, or if a part was deleted since the dataset was opened.
        """
        paths = self.files(name)
        _, days = self._files[name]
        import pyarrow.dataset as ds

        filesystem, base = self._store.arrow()
        with translated("open", self._store.place()):
            return ds.FileSystemDataset.from_paths(
                [f"{base}/{path}" for path in paths],
                schema=TABLES[name].schema.append(PARTITION),
                format=ds.ParquetFileFormat(),
                filesystem=filesystem,
                partitions=[_partition(day) for day in days],
            )

    def _check_table(self, name: str) -> None:
        if name not in self._files:
            meant = did_you_mean(name, self.tables)
            raise DatasetError(f"expected a table, one of {', '.join(self.tables)}; found {name!r}{meant}")


def _partition(day: date | None) -> pc.Expression:
    import pyarrow.compute as pc

    column = pc.field("date")
    return column.is_null() if day is None else column == pa.scalar(day, pa.date32())


def open_dataset(path: str | os.PathLike[str], *, storage_options: Mapping[str, Any] | None = None) -> LakeDataset:
    """Open the root at ``path``, a folder or ``s3://bucket/…``, to read the committed rows of its tables.

    ``storage_options`` are options of s3fs.

    >>> wsparquet.open_dataset("lake").table("geo").schema.names[-1]
    'date'

    Raises:
        DatasetError: there is no root, or a commit record is unreadable.
        SchemaError: the root has another schema version.

    """
    return LakeDataset(Root.open(path, create=False, access=Access(storage_options or {})))

"""How committed rows are read back: each table as a pyarrow dataset of exactly the parts that records name."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wsparquet.commit.checkpoint import Records
from wsparquet.commit.index import Commits
from wsparquet.commit.record import Commit, Head
from wsparquet.dataset.access import Access
from wsparquet.dataset.root import Root
from wsparquet.errors import DatasetError
from wsparquet.schema import TABLES
from wsparquet.store.disk_errors import translated

if TYPE_CHECKING:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

__all__ = ["DATE", "LakeDataset", "open_dataset"]

DATE = pa.field("date", pa.date32(), metadata={"doc": "The partition: UTC day of the record's earliest own timestamp."})


class LakeDataset:
    """The tables of a root as its records were when it was opened; parts that no record names are never read."""

    def __init__(self, root: Root) -> None:
        self._store = root.store
        self._files: dict[str, tuple[list[str], list[date | None]]] = {table: ([], []) for table in TABLES}
        self.commits = Commits(self._store, self._collect(Records(self._store).commits()))

    def _collect(self, commits: Iterator[Commit]) -> Iterator[Head]:
        for commit in commits:
            for part in commit.parts:
                # A table that this version does not know is not offered, so its parts are not needed either.
                if part.table in self._files:
                    paths, days = self._files[part.table]
                    paths.append(part.path)
                    days.append(part.date)
            yield commit.head

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables, also of those without rows."""
        return tuple(self._files)

    def table(self, name: str) -> ds.Dataset:
        """A table's rows: its full schema and the partition column ``date`` (date32), no file for one without rows.

        Raises DatasetError if there is no such table, or if a part is gone that a record named.
        """
        if name not in self._files:
            near = difflib.get_close_matches(name, self.tables, n=1) or self.tables
            raise DatasetError(f"expected a table's name, found {name!r}; there is {', '.join(near)}")
        paths, days = self._files[name]
        if missing := self._store.missing(paths):
            raise DatasetError(
                f"{self._store.place()}: expected {len(paths)} parts of {name}, found {len(missing)} of them gone, "
                f"such as {min(missing)}; a commit replaced them since, so open the dataset again"
            )
        import pyarrow.dataset as ds

        filesystem, base = self._store.arrow()
        with translated("open", self._store.place()):
            return ds.FileSystemDataset.from_paths(
                [f"{base}/{path}" for path in paths],
                schema=TABLES[name].schema.append(DATE),
                format=ds.ParquetFileFormat(),
                filesystem=filesystem,
                partitions=[_partition(day) for day in days],
            )


def _partition(day: date | None) -> pc.Expression:
    import pyarrow.compute as pc

    column = pc.field("date")
    return column.is_null() if day is None else column == pa.scalar(day, pa.date32())


def open_dataset(path: str | os.PathLike[str], *, storage_options: Mapping[str, Any] | None = None) -> LakeDataset:
    """The datasets of the root at ``path``, a folder or ``s3://bucket/…``, committed parts only.

    ``storage_options`` are s3fs's own.

    Raises DatasetError if there is no root or a record is unreadable, SchemaError if the root has another version.
    """
    return LakeDataset(Root.open(path, create=False, access=Access(storage_options or {})))

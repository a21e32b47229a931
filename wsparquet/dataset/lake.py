"""Gives readers the committed rows: each table is a pyarrow dataset of exactly the parts that commit records name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wsparquet.commit.days import CountingPart
from wsparquet.commit.index import CommitIndex
from wsparquet.commit.record import Part
from wsparquet.dataset.access import Access
from wsparquet.dataset.root import Root
from wsparquet.errors import DatasetError
from wsparquet.options import did_you_mean
from wsparquet.schema.tables import PARTITION
from wsparquet.store.disk_errors import translated

if TYPE_CHECKING:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

__all__ = ["LakeDataset", "open_dataset"]


class LakeDataset:
    """The tables of a root, with the rows that were committed when it was opened.

    ``extension`` is the TOML file with what the root adds to the documented schema, or None.

    >>> lake = wsparquet.open_dataset("lake")
    >>> sum(lake.table(name).count_rows() for name in lake.tables)
    40
    """

    def __init__(self, root: Root) -> None:
        self._store = root.store
        self.schema = root.schema
        self.extension = root.schema.text
        counting = root.log.counting()
        self._parts: dict[str, list[CountingPart]] = {table: [] for table in self.schema.tables}
        for each in counting.parts():
            # Omit tables that this version does not know.
            if each.part.table in self._parts:
                self._parts[each.part.table].append(each)
        self.commits = CommitIndex(root.log.read, (commit.header for commit in counting.commits))

    @property
    def location(self) -> str:
        """The absolute path of the root, or its URL without a slash at its end."""
        return self._store.place()

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables, including those without rows."""
        return tuple(self._parts)

    @property
    def empty_tables(self) -> tuple[str, ...]:
        """The names of the tables without rows, which have no files."""
        return tuple(name for name, parts in self._parts.items() if not parts)

    def parts(self, name: str) -> tuple[CountingPart, ...]:
        """Return the parts of a table, without a check that they exist. Raises the same errors as ``table``."""
        self._check_table(name)
        return tuple(self._parts[name])

    def files(self, name: str) -> list[str]:
        """Return the paths of the parts of a table, relative to the root, with ``/`` between components.

        Only these files have rows that count. ``void`` names the rows in these files that do not count. Raises the same
        errors as ``table``.
        """
        self._check_table(name)
        paths = [each.part.path for each in self._parts[name]]
        if missing := self._store.missing(paths):
            raise DatasetError(
                f"{self._store.place()}: expected {len(paths)} parts of {name}, found that {len(missing)} are gone, "
                f"such as {min(missing)}; a later commit replaced them, so open the dataset again"
            )
        return paths

    def void(self, name: str) -> dict[str, frozenset[str]]:
        """Return the values of ``source_file`` in the rows that do not count, by the path of the part that has them.

        There are such rows only after a source in a compacted day was replaced or removed, until that run ends. Raises
        DatasetError if the table does not exist.
        """
        self._check_table(name)
        return {each.part.path: each.void for each in self._parts[name] if each.void}

    def table(self, name: str) -> ds.Dataset:
        """Return the rows of a table, with all columns of its schema and the partition column ``date`` (date32).

        Parts with void rows (see ``void``) are read into memory. Raises DatasetError if the table does not exist, or if
        a part was deleted since the dataset was opened.
        """
        self.files(name)
        import pyarrow.dataset as ds

        whole = self._dataset(name, [each.part for each in self._parts[name] if not each.void])
        partial = [each for each in self._parts[name] if each.void]
        if not partial:
            return whole
        with translated("read", self._store.place()):
            rows = pa.concat_tables(
                self._dataset(name, [part]).to_table(filter=_outside(void)) for part, void in partial
            )
        return ds.dataset([whole, ds.dataset(rows)])

    def _dataset(self, name: str, parts: Sequence[Part]) -> ds.FileSystemDataset:
        import pyarrow.dataset as ds

        filesystem, base = self._store.arrow({part.path: part.bytes for part in parts})
        with translated("open", self._store.place()):
            return ds.FileSystemDataset.from_paths(
                [f"{base}/{part.path}" for part in parts],
                schema=self.schema.tables[name].schema.append(PARTITION),
                format=ds.ParquetFileFormat(),
                filesystem=filesystem,
                partitions=[_partition(part.date) for part in parts],
            )

    def _check_table(self, name: str) -> None:
        if name not in self._parts:
            meant = did_you_mean(name, self.tables)
            raise DatasetError(f"expected a table, one of {', '.join(self.tables)}; found {name!r}{meant}")


def _outside(source_files: Iterable[str]) -> pc.Expression:
    import pyarrow.compute as pc

    return ~pc.field("source_file").isin(sorted(source_files))


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

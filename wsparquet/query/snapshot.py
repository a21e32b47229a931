"""The files of tables at one moment, for engines that read lists of files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from wsparquet.dataset import open_dataset
from wsparquet.errors import DatasetError, OptionError
from wsparquet.layout import column_folder
from wsparquet.query.opening import checked_options, opened_root
from wsparquet.schema import DOCUMENTED, Schema, Table

if TYPE_CHECKING:
    from wsparquet.query.changes import Changes

__all__ = ["Filter", "Snapshot", "snapshot_of_changes", "take_snapshot"]

READINGS = 5
"""How many times the commit records are read again if files disappear between the reading and the check."""


class Filter(NamedTuple):
    """Which rows of a file count: only the rows of the sources ``names``, or with ``excluded`` all other rows.

    ``names`` are values of the column ``source_file``.
    """

    names: tuple[str, ...]
    excluded: bool


@dataclass(frozen=True)
class Snapshot:
    """The parts of some tables that counted at one moment.

    ``location`` is the absolute path or the URL of the root. ``files`` has the sorted absolute paths or URLs of the
    parts of each table. ``odd_keys`` are the keys of folders above the root that look like partitions, such as ``env``
    in ``/data/env=prod/lake``: engines make a column of each. ``filters`` has the files with other rows besides those
    that count, by their paths. ``schema`` is that of the root.
    """

    location: str
    files: Mapping[str, list[str]]
    odd_keys: tuple[str, ...]
    filters: Mapping[str, Filter]
    schema: Schema = DOCUMENTED

    def whole(self, table: str) -> list[str]:
        """Return the files of a table in which all rows count."""
        return [path for path in self.files[table] if path not in self.filters]

    def partial(self, table: str) -> list[tuple[str, Filter]]:
        """Return the other files of a table, each with its filter."""
        return [(path, self.filters[path]) for path in self.files[table] if path in self.filters]


def take_snapshot(
    root: str | os.PathLike[str],
    tables: Iterable[str] | None = None,
    *,
    storage_options: Mapping[str, Any] | None = None,
) -> Snapshot:
    """Return the files of some tables of a root, or of all tables.

    Raises:
        OptionError: ``storage_options`` is not a dictionary.
        PlaceError: engines cannot read a root at this location.
        DatasetError: there is no root, a commit record is unreadable, or files disappear during each reading.
        SchemaError: the root has another schema version.

    """
    wanted = None if tables is None else tuple(tables)
    return _snapshot(*_read(root, wanted, checked_options(root, storage_options)))


def snapshot_of_changes(
    root: str | os.PathLike[str],
    changes: Changes,
    tables: Iterable[str],
    *,
    storage_options: Mapping[str, Any] | None = None,
) -> Snapshot:
    """Return the files of some tables that have the rows of added and replaced sources.

    Raises the errors of ``take_snapshot``, OptionError if the changes are those of another root, and DatasetError if
    some of the files no longer exist.
    """
    opened = opened_root(root, storage_options)
    if changes.root != opened.place:
        raise OptionError("changes", f"expected changes of {opened.place}, found changes of {changes.root}")
    found = {table: changes.files(table) for table in tables}
    paths = [path for files in found.values() for path in files]
    if missing := opened.store.missing(paths):
        raise DatasetError(
            f"{opened.place}: expected {len(paths)} parts of added and replaced sources, found that {len(missing)} are "
            f"gone, such as {min(missing)}; a later commit replaced them, so call changes again with the same token"
        )
    files = {table: [f"{opened.place}/{path}" for path in found[table]] for table in found}
    filters = {
        f"{opened.place}/{path}": Filter(names, excluded=False)
        for table in found
        for path, names in changes.source_files(table).items()
    }
    return _snapshot(opened.place, files, filters, opened.schema)


def _snapshot(location: str, files: Mapping[str, list[str]], filters: Mapping[str, Filter], schema: Schema) -> Snapshot:
    odd_keys = tuple(dict.fromkeys(_keys_above(location)))
    for table in files:
        _check_folders(location, schema.tables[table])
    return Snapshot(location, files, odd_keys, filters, schema)


def _read(
    root: str | os.PathLike[str], wanted: tuple[str, ...] | None, storage_options: Mapping[str, Any] | None
) -> tuple[str, dict[str, list[str]], dict[str, Filter], Schema]:
    for reading in range(READINGS):
        lake = open_dataset(root, storage_options=storage_options)
        tables = lake.tables if wanted is None else wanted
        try:
            files = {table: sorted(f"{lake.location}/{path}" for path in lake.files(table)) for table in tables}
        except DatasetError:
            # A commit that replaces another deletes the files of the other, so the records name new files then.
            if reading + 1 == READINGS:
                raise
        else:
            filters = {
                f"{lake.location}/{path}": Filter(tuple(sorted(names)), excluded=True)
                for table in tables
                for path, names in lake.void(table).items()
            }
            return lake.location, files, filters, lake.schema
    raise AssertionError("unreachable")


def _keys_above(location: str) -> Iterator[str]:
    for name in location.rpartition("://")[2].split("/"):
        if name.count("=") == 1:
            yield name.partition("=")[0]


def _check_folders(location: str, table: Table) -> None:
    """Refuse a root below a folder whose value engines would take for a column of the table."""
    if found := column_folder(location, table.schema.names):
        folder, column = found
        raise DatasetError(
            f"{location}: expected a root outside of partitions, found one below the folder {folder}, from which "
            f"query engines would take the column {column} of all rows of {table.name}; move the root, or read it with "
            "open_dataset"
        )

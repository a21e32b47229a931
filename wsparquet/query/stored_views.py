"""Stores views of a root in a DuckDB database file, for tools that open such files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wsparquet.dataset import open_dataset
from wsparquet.errors import DatasetError, OptionError
from wsparquet.layout import root_around
from wsparquet.query.connection import imported_duckdb
from wsparquet.query.opening import checked_options
from wsparquet.render.duckdb import stored_view
from wsparquet.render.location import Location
from wsparquet.render.views import VIEWS, view_statement
from wsparquet.results import Result
from wsparquet.schema import TABLES

__all__ = ["StoredViews", "write_views"]


@dataclass(frozen=True, repr=False)
class StoredViews(Result):
    """The result of ``write_views``. ``empty`` has the tables that had no files: their views stay empty.

    >>> wsparquet.write_views("lake", "lake.duckdb").views[:2]
    ('geo', 'navigation')
    """

    root: str
    into: str
    views: tuple[str, ...]
    empty: tuple[str, ...]

    def facts(self) -> Mapping[str, object]:
        """Return the file and the number of views."""
        return {"into": self.into, "views": len(self.views), "empty": list(self.empty)}


def write_views(
    root: str | os.PathLike[str],
    into: str | os.PathLike[str],
    *,
    storage_options: Mapping[str, Any] | None = None,
) -> StoredViews:
    """Create or replace the views of all tables, and the flat views, in a DuckDB database file.

    A view of a table reads all files below the table's folder each time it is queried, so it shows later commits. It
    also sees the files of a run that is under way, while ``connect`` shows exactly the rows that count. The view of a
    table without files is empty until ``write_views`` is called again. Other tables and views in the file stay as they
    are. The views contain the absolute path of the root.

    ``root`` is a folder or ``s3://bucket/…``. For a bucket, DuckDB needs its extension `httpfs` and a secret, here and
    in each tool that opens the file; ``storage_options`` are options of s3fs, with which the tables are looked up.

    >>> import duckdb
    >>> stored = wsparquet.write_views("lake", "lake.duckdb")
    >>> duckdb.connect(stored.into).execute("SELECT count(*) FROM session_info").fetchall() != [(0,)]
    True

    Raises:
        WsparquetError: DuckDB is not installed.
        OptionError: the file is in a root, or a parameter has an invalid value.
        DatasetError: there is no root, a commit record is unreadable, or DuckDB cannot create the views.
        SchemaError: the root has another schema version, or DuckDB cannot read files at its path.

    """
    duckdb = imported_duckdb()
    options = checked_options(root, storage_options)
    target = os.path.realpath(into)
    if root_around(target) is not None:
        raise OptionError("into", f"expected a file outside of all roots, found {target}; choose another one")
    lake = open_dataset(root, storage_options=options)
    location = Location.of(lake.location, empty=lake.empty_tables)
    statements = list(_statements(location))
    try:
        with duckdb.connect(target) as connection:
            connection.execute("BEGIN")
            for statement in statements:
                connection.execute(statement)
            connection.execute("COMMIT")
    except duckdb.Error as error:
        reason = " ".join(str(error).partition("\n\nLINE ")[0].split())
        raise DatasetError(f"{target}: cannot create the views: {reason}") from error
    return StoredViews(lake.location, target, (*TABLES, *VIEWS), lake.empty_tables)


def _statements(location: Location) -> Iterator[str]:
    for table in TABLES.values():
        yield stored_view(table, location)
    for view in VIEWS:
        yield view_statement(view, "duckdb")

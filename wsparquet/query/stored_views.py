"""Stores views of a root in a DuckDB database file, for tools that open such files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wsparquet.dataset import LakeDataset
from wsparquet.errors import DatasetError, OptionError
from wsparquet.json_values import in_json
from wsparquet.layout import root_around
from wsparquet.query.connection import imported_duckdb
from wsparquet.query.opening import checked_options, opened_root
from wsparquet.render.duckdb import iceberg_view, stored_view
from wsparquet.render.location import Location
from wsparquet.render.views import VIEWS, view_statement
from wsparquet.results import Result
from wsparquet.schema import Schema

__all__ = ["StoredViews", "write_views"]


@dataclass(frozen=True, repr=False)
class StoredViews(Result):
    """The result of ``write_views``. ``empty`` has the tables that had no files: their views stay empty.

    ``over``: what the views read, ``files`` or ``iceberg`` tables. ``reason`` says why the views of a published root
    read files.

    >>> wsparquet.write_views("lake", "lake.duckdb").views[:2]
    ('geo', 'navigation')
    """

    root: str
    into: str
    views: tuple[str, ...]
    empty: tuple[str, ...]
    over: Literal["files", "iceberg"] = "files"
    reason: str | None = field(default=None, metadata=in_json(message=True))

    def facts(self) -> Mapping[str, object]:
        """Return the file, the number of views, and what they read."""
        return {"into": self.into, "views": len(self.views), "over": self.over, "empty": list(self.empty)}


def write_views(
    root: str | os.PathLike[str],
    into: str | os.PathLike[str],
    *,
    storage_options: Mapping[str, Any] | None = None,
) -> StoredViews:
    """Create or replace the views of all tables, and the flat views, in a DuckDB database file.

    If the root is published in itself (see ``publish``), and DuckDB has its extension `iceberg`, the views read the
    published tables: exactly the rows of the last publication, also while a run is under way. Each tool that opens the
    file then needs the extension, too. After the end of the publication, call ``write_views`` again.

    Otherwise, a view of a table reads all files below the table's folder each time it is queried. So it shows later
    commits, but also the files of a run that is under way; ``connect`` shows exactly the rows that count. The view of a
    table without files is empty until ``write_views`` is called again. ``StoredViews.over`` says what the views read.
    This function installs no extension.

    Other tables and views in the file stay as they are. The views contain the absolute path of the root.

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
    opened = opened_root(root, options)
    lake = LakeDataset(opened)
    location = Location.of(lake.location, empty=lake.empty_tables)
    try:
        with duckdb.connect(target) as connection:
            iceberg = opened.version.is_published_in(opened.location)
            reason = _why_not_iceberg(connection, duckdb) if iceberg else None
            iceberg = iceberg and reason is None
            statements = list(_statements(location, lake.schema, iceberg=iceberg))
            connection.execute("BEGIN")
            for statement in statements:
                connection.execute(statement)
            connection.execute("COMMIT")
    except duckdb.Error as error:
        said = " ".join(str(error).partition("\n\nLINE ")[0].split())
        raise DatasetError(f"{target}: cannot create the views: {said}") from error
    empty = () if iceberg else lake.empty_tables
    return StoredViews(lake.location, target, (*lake.tables, *VIEWS), empty, "iceberg" if iceberg else "files", reason)


def _why_not_iceberg(connection: Any, duckdb: Any) -> str | None:
    """Load DuckDB's extension for Iceberg. Return why that is not possible, or None if the extension is loaded."""
    try:
        connection.execute("LOAD iceberg")
    except duckdb.Error:
        return (
            f"the root is published, but DuckDB {duckdb.__version__} has no extension `iceberg` here; install it with "
            "`INSTALL iceberg` in DuckDB, and run this command again"
        )
    return None


def _statements(location: Location, schema: Schema, *, iceberg: bool) -> Iterator[str]:
    for table in schema.tables.values():
        yield iceberg_view(table, location) if iceberg else stored_view(table, location)
    for view in VIEWS:
        yield view_statement(view, "duckdb")

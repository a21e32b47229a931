"""Opens a table or a view of a root as a lazy frame of Polars."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wsparquet.layout import PARTITIONS
from wsparquet.options import check_choice, check_kind
from wsparquet.query.changes import Changes
from wsparquet.query.opening import opened_root
from wsparquet.query.polars_options import polars_access
from wsparquet.query.snapshot import Snapshot, snapshot_of_changes, take_snapshot
from wsparquet.render.views import VIEWS, tables_below, view_query, views_below
from wsparquet.schema import TABLES, Table
from wsparquet.schema.tables import PARTITION
from wsparquet.urls import is_url

if TYPE_CHECKING:
    import polars as pl

__all__ = ["scan"]


def scan(
    root: str | os.PathLike[str],
    table: str,
    *,
    changes: Changes | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> pl.LazyFrame:
    """Return the rows of a table or view as a lazy frame of Polars: exactly the rows that count now.

    The frame of a table has all columns of the table's schema, and the partition column ``date`` (Date), also if the
    table has no rows. ``table`` can also be a flat view, such as ``page_views``, or ``visits``: see the page "Flat
    views". A query reads only the columns that it needs, and a filter on ``date`` skips the files of other days. The
    frame shows the root as it was at the call, so scan the table again to see later commits.

    The argument ``changes`` is a result of ``wsparquet.changes``. With this argument, the frame has only the rows of
    sources that were added or replaced.

    ``root`` is a folder or ``s3://bucket/…``. ``storage_options`` are options of s3fs; wsparquet translates them for
    Polars. Options that only tune s3fs are ignored.

    >>> import polars as pl
    >>> geo = wsparquet.scan("lake", "geo")
    >>> geo.select("country", "date").collect_schema().names()
    ['country', 'date']
    >>> geo.filter(pl.col("date") == pl.date(1999, 12, 31)).collect().height
    0
    >>> wsparquet.scan("lake", "visits").select("visitId", "landing_page", "pages").collect_schema().names()
    ['visitId', 'landing_page', 'pages']

    Raises:
        OptionError: there is no such table or view, ``changes`` are of another root, or Polars has no equivalent of an
            option of s3fs.
        DatasetError: there is no root, or a commit record is unreadable.
        SchemaError: the root has another schema version.

    """
    if table not in TABLES and table not in VIEWS:
        # Only a root with an extension has other tables.
        check_choice("table", table, (*opened_root(root, storage_options).schema.tables, *VIEWS))
    tables = tables_below(table) if table in VIEWS else (table,)
    check_kind("changes", changes, Changes, "the result of changes", optional=True)
    if changes is None:
        snapshot = take_snapshot(root, tables, storage_options=storage_options)
    else:
        snapshot = snapshot_of_changes(root, changes, tables, storage_options=storage_options)
    frames = {each: _frame(snapshot, each, storage_options or {}) for each in tables}
    return _view(table, frames) if table in VIEWS else frames[table]


def _view(view: str, frames: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    import polars as pl

    context = pl.SQLContext(frames)
    for each in views_below(view):
        context.register(each, context.execute(view_query(each, "polars")))
    return context.execute(view_query(view, "polars"))


def _frame(snapshot: Snapshot, table: str, storage_options: Mapping[str, Any]) -> pl.LazyFrame:
    if snapshot.files[table]:
        return _scanned(snapshot, table, storage_options)
    import polars as pl

    return pl.LazyFrame(schema=_columns(snapshot.schema.tables[table]))


def _scanned(snapshot: Snapshot, table: str, storage_options: Mapping[str, Any]) -> pl.LazyFrame:
    import polars as pl

    whole = snapshot.whole(table)
    frames = [_scanned_files(snapshot, table, whole, storage_options)] if whole else []
    for path, (names, excluded) in snapshot.partial(table):
        is_named = pl.col("source_file").is_in(list(names))
        rows = _scanned_files(snapshot, table, [path], storage_options)
        frames.append(rows.filter(~is_named if excluded else is_named))
    return frames[0] if len(frames) == 1 else pl.concat(frames)


def _scanned_files(
    snapshot: Snapshot, table: str, files: list[str], storage_options: Mapping[str, Any]
) -> pl.LazyFrame:
    import polars as pl

    # Polars makes a column from each folder with a `=` in the path, even from folders above the root.
    folders: dict[str, Any] = dict.fromkeys((*snapshot.odd_keys, *PARTITIONS), pl.String)
    folders[PARTITION.name] = pl.Date
    columns = _columns(snapshot.schema.tables[table])
    if is_url(snapshot.location):
        access = polars_access(storage_options)
        arguments: dict[str, Any] = {
            "storage_options": access.storage_options,
            "credential_provider": access.credential_provider,
        }
    else:
        arguments = {"credential_provider": None}
    # Without `glob=False`, brackets in a path would be a pattern.
    frame = pl.scan_parquet(
        files,
        schema={**columns, **folders},
        hive_partitioning=True,
        hive_schema=folders,
        glob=False,
        **arguments,
    )
    return frame.select(list(columns))


def _columns(table: Table) -> dict[str, Any]:
    """Return the columns of a table with their types in Polars."""
    import polars as pl

    return dict(pl.DataFrame(pa.schema([*table.schema, PARTITION]).empty_table()).schema)

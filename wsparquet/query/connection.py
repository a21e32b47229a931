"""Gives a connection of DuckDB a view for each table of a root, and the flat views."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from wsparquet.errors import OptionError, WsparquetError
from wsparquet.options import check_kind
from wsparquet.query.drift_view import DriftFile, drift_view
from wsparquet.query.snapshot import Snapshot, take_snapshot
from wsparquet.render.duckdb import literal_glob, quoted_name, source_condition, view_of_files
from wsparquet.render.views import VIEWS, view_statement
from wsparquet.schema import DOCUMENTED, Schema
from wsparquet.urls import is_url

if TYPE_CHECKING:
    import duckdb

    from wsparquet.query.lake_files import LakeFiles

__all__ = ["attach", "connect", "folders_of", "imported_duckdb", "refresh", "schema_of"]

OLDEST_DUCKDB = (1, 5)
"""Older versions cannot cast the name of the folder ``date=__HIVE_DEFAULT_PARTITION__`` to a date, and fail."""


@dataclass
class Attachment:
    """A root whose tables are views in the catalog ``name`` of a connection."""

    root: str | os.PathLike[str]
    name: str
    storage_options: Mapping[str, Any] = field(repr=False)
    files: LakeFiles | None = None
    drift: DriftFile | None = None
    folder: str = ""
    """The root as DuckDB names it."""
    schema: Schema = DOCUMENTED


_attachments: WeakKeyDictionary[Any, dict[str, Attachment]] = WeakKeyDictionary()
"""What ``refresh`` reads again, by connection. The entry of a connection disappears with the connection."""


def connect(
    root: str | os.PathLike[str], *, storage_options: Mapping[str, Any] | None = None
) -> duckdb.DuckDBPyConnection:
    """Return a new connection of DuckDB, in memory, with a view for each table of a root, and the flat views.

    The view of a table has exactly the rows that count now, all columns of the table's schema, and the partition column
    ``date`` (DATE), also if the table has no rows. The flat views, such as ``page_views`` and ``visits``, have one row
    for each element of a list, or for each visit: see the page "Flat views". All views show the root as it was at the
    call; ``refresh`` makes them show later commits. The views are read-only; statements such as COPY can write files,
    as in any connection. The view ``drift`` has what ``drift`` finds, by day. The view reads the commit records only
    when a query first uses the view, because reading them takes long in a large root.

    ``root`` is a folder or ``s3://bucket/…``. ``storage_options`` are options of s3fs, through which DuckDB reads the
    bucket. This function needs DuckDB: ``pip install 'wsparquet[duckdb]'``.

    >>> connection = wsparquet.connect("lake")
    >>> connection.sql("SELECT count(*) FROM geo WHERE date = DATE '1999-12-31'").fetchall()
    [(0,)]

    Raises:
        WsparquetError: DuckDB is not installed.
        OptionError: ``storage_options`` is not a dictionary.
        DatasetError: there is no root, or a commit record is unreadable.
        SchemaError: the root has another schema version, or DuckDB cannot read files at its path.

    """
    connection: duckdb.DuckDBPyConnection = imported_duckdb().connect(":memory:")
    try:
        _attach(connection, Attachment(root, "memory", _checked(storage_options)))
    except BaseException:
        connection.close()
        raise
    return connection


def attach(
    connection: duckdb.DuckDBPyConnection,
    root: str | os.PathLike[str],
    *,
    name: str = "lake",
    storage_options: Mapping[str, Any] | None = None,
) -> None:
    """Add the views of ``connect`` to an existing connection, in a catalog ``name``.

    The table ``geo`` is then called ``lake.geo``, or simply ``geo`` after ``USE lake``. The catalog is in memory, so
    nothing is stored in the connection's database file. All cursors of the connection see it. Another ``name`` attaches
    a further root.

    >>> import duckdb
    >>> connection = duckdb.connect()
    >>> wsparquet.attach(connection, "lake")
    >>> connection.sql("SELECT count(*) FROM lake.geo WHERE date = DATE '1999-12-31'").fetchall()
    [(0,)]

    Raises:
        OptionError: the connection has a catalog with this name already, or another parameter has an invalid value.
        DatasetError: there is no root, or a commit record is unreadable.
        SchemaError: the root has another schema version, or DuckDB cannot read files at its path.

    """
    check_kind("connection", connection, imported_duckdb().DuckDBPyConnection, "a connection of DuckDB")
    check_kind("name", name, str, "the name of a catalog")
    known = connection.execute("SELECT database_name FROM duckdb_databases()").fetchall()
    if name.casefold() in {str(each).casefold() for (each,) in known} or not name:
        raise OptionError(
            "name",
            f"expected a name that is new in this connection, found {name!r}; choose another one, or call refresh "
            "to see later commits",
        )
    connection.execute(f"ATTACH ':memory:' AS {quoted_name(name)} (READ_WRITE)")
    try:
        _attach(connection, Attachment(root, name, _checked(storage_options)))
    except BaseException:
        connection.execute(f"DETACH {quoted_name(name)}")
        raise


def refresh(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the views of ``connect`` and ``attach`` show the rows that count now.

    Pass the connection itself, not one of its cursors. All views of a root change at once. An open transaction sees the
    old views until it ends.

    >>> connection = wsparquet.connect("lake")
    >>> wsparquet.refresh(connection)

    Raises:
        OptionError: the connection has no views of a root.
        DatasetError: a commit record is unreadable, or the root is gone.

    """
    try:
        attached = _attachments.get(connection)
    except TypeError:
        attached = None
    if not attached:
        raise OptionError(
            "connection", "expected a connection that connect returned or attach got, found another one; attach a root"
        )
    for attachment in attached.values():
        _define(connection, attachment)


def folders_of(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the folders with the files of a connection that ``connect`` made, in DuckDB's spelling.

    These folders contain neither commit records nor quarantined text.
    """
    attachment = _attachments[connection]["memory"]
    drift = () if attachment.drift is None else (attachment.drift.folder,)
    # DuckDB also checks the patterns of the views, whose special characters are in brackets.
    roots = (attachment.folder, literal_glob(attachment.folder))
    return [*(f"{root}/record_type={table}/" for root in roots for table in attachment.schema.tables), *drift]


def schema_of(connection: duckdb.DuckDBPyConnection) -> Schema:
    """Return the schema of the root of a connection that ``connect`` made."""
    return _attachments[connection]["memory"].schema


def imported_duckdb() -> Any:
    """Return the module ``duckdb``. Raises WsparquetError if DuckDB is not installed, or is older than 1.5."""
    try:
        import duckdb
    except ImportError as error:
        raise WsparquetError(
            "expected the package duckdb, found none; install it with: pip install 'wsparquet[duckdb]'"
        ) from error
    if tuple(map(int, duckdb.__version__.split(".")[:2])) < OLDEST_DUCKDB:
        raise WsparquetError(
            f"expected duckdb {'.'.join(map(str, OLDEST_DUCKDB))} or newer, found {duckdb.__version__}; upgrade it "
            "with: pip install --upgrade 'wsparquet[duckdb]'"
        )
    return duckdb


def _checked(storage_options: Mapping[str, Any] | None) -> Mapping[str, Any]:
    check_kind("storage_options", storage_options, Mapping, "a dictionary", optional=True)
    return storage_options or {}


def _attach(connection: duckdb.DuckDBPyConnection, attachment: Attachment) -> None:
    _define(connection, attachment)
    _attachments.setdefault(connection, {})[attachment.name] = attachment


def _define(connection: duckdb.DuckDBPyConnection, attachment: Attachment) -> None:
    """Create or replace the views of a root."""
    snapshot = take_snapshot(attachment.root, storage_options=attachment.storage_options)
    attachment.schema = snapshot.schema
    statements = list(_views(connection, attachment, snapshot))
    # A cursor has its own transactions, so an open transaction of the user does not matter.
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        for statement in statements:
            cursor.execute(statement)
        cursor.execute("COMMIT")


def _views(connection: duckdb.DuckDBPyConnection, attachment: Attachment, snapshot: Snapshot) -> Iterator[str]:
    remote = is_url(snapshot.location)
    if remote and attachment.files is None:
        from wsparquet.query.lake_files import LakeFiles

        attachment.files = LakeFiles(attachment.storage_options)
        connection.register_filesystem(attachment.files)
    attachment.folder = attachment.files.url(snapshot.location) if attachment.files else snapshot.location
    named = attachment.files.url if attachment.files else literal_glob
    for name in snapshot.files:
        partial = [
            (named(path), source_condition(names, excluded=excluded))
            for path, (names, excluded) in snapshot.partial(name)
        ]
        files = [named(path) for path in snapshot.whole(name)]
        yield view_of_files(snapshot.schema.tables[name], files, catalog=attachment.name, partial=partial)
    schema = (attachment.name, "main")
    for view in VIEWS:
        yield view_statement(view, "duckdb", schema=schema)
    if attachment.drift is None:
        # The working directory may change before a query reads the file.
        attachment.drift = DriftFile(snapshot.location, attachment.storage_options)
        connection.register_filesystem(attachment.drift)
    attachment.drift.forget()
    yield drift_view(attachment.drift, catalog=attachment.name)

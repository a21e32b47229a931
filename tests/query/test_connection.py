"""A connection of DuckDB has a view of exactly the rows that count for each table, on a disk and in a bucket."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest

from tests.cli.program import tree
from tests.dataset.helpers import IDENTITY, data_files, put
from tests.query import roots
from tests.store.s3.lake import Lake
from tools.s3.proxy import Proxy
from tools.s3.server import SECRET
from wsparquet import DatasetError, OptionError, SchemaError, WsparquetError, attach, connect, open_dataset, refresh
from wsparquet.dataset import Root
from wsparquet.query import connection as module
from wsparquet.schema import TABLES

HOSTILE = ['it\'s "mine"', "[a]*?{b}", "env=prod/lake 100%", "a=b=c", "k=", "=v", "q=%41", "ä\u2028 #?"]


def found(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, int]]:
    """Source and number of each row of a view, sorted."""
    return sorted(connection.sql(f"SELECT source_file, record_number FROM {table}").fetchall())


@pytest.mark.parametrize("make", roots.STATES, ids=lambda make: make.__name__)
def test_exactly_the_rows_that_count(make: Callable[[Path], Root], tmp_path: Path) -> None:
    """Twins count once before and after one yields; replaced, removed and uncommitted rows do not count."""
    make(tmp_path)
    with connect(tmp_path) as connection:
        assert len(found(connection, "geo")) == roots.ROWS[make.__name__]
        for table in roots.TABLES:
            assert found(connection, table) == roots.counted(tmp_path, table)


def test_values_and_types_are_those_of_the_dataset(tmp_path: Path) -> None:
    """Each view has the columns of its table in order, equal values and days, and the same types without rows."""
    roots.two_sources(tmp_path / "lake")
    Root.open(tmp_path / "empty")
    lake = open_dataset(tmp_path / "lake")
    with connect(tmp_path / "lake") as full, connect(tmp_path / "empty") as empty:
        full.execute("SET TimeZone = 'UTC'")
        for table in TABLES:
            described = full.execute(f"DESCRIBE {table}").fetchall()
            assert described == empty.execute(f"DESCRIBE {table}").fetchall()
            assert [row[0] for row in described] == [*TABLES[table].schema.names, "date"]
            assert empty.execute(f"FROM {table}").fetchall() == []
            ours = full.execute(f"FROM {table} ORDER BY source_file, record_number").fetchall()
            rows = lake.table(table).to_table().sort_by([("source_file", "ascending"), ("record_number", "ascending")])
            days = rows.column("date").to_pylist()
            assert [row[-1] for row in ours] == days
            cities = [row.get("rescued") for row in rows.to_pylist()]
            assert [row[-2] for row in ours] == cities


def test_a_day_reads_only_its_files(tmp_path: Path) -> None:
    """Files of other days may be broken: a query of one day does not open them."""
    roots.two_sources(tmp_path)
    with connect(tmp_path) as connection:
        query = "SELECT date, count(*) FROM geo WHERE date IS NOT NULL GROUP BY ALL ORDER BY ALL LIMIT 1"
        (expected,) = connection.execute(query).fetchall()
        plan = connection.execute(f"EXPLAIN SELECT city FROM geo WHERE date = DATE '{expected[0]}'").fetchall()[0][1]
        assert "File Filters" in plan
        # DuckDB keeps what it has read of a file.
        connection.execute("SET enable_external_file_cache = false; SET parquet_metadata_cache = false")
        kept = [part for part in data_files(tmp_path) if f"date={expected[0]}" in part]
        for part in {*data_files(tmp_path)} - {*kept}:
            (tmp_path / part).write_bytes(b"not Parquet")
        assert connection.execute(f"SELECT count(*) FROM geo WHERE date = DATE '{expected[0]}'").fetchall() == [
            (expected[1],)
        ]


def test_views_change_with_refresh_only(tmp_path: Path) -> None:
    """A later commit is not seen until a refresh, through which cursors see it, too; a transaction may be open."""
    root = roots.two_sources(tmp_path)
    with connect(tmp_path) as connection:
        put(root, roots.COPY, seed=5, count=3)
        assert len(found(connection, "geo")) == 24
        refresh(connection)
        assert len(found(connection, "geo")) == len(found(connection.cursor(), "geo")) == 27
        put(root, roots.COPY, seed=6, count=1)
        connection.execute("BEGIN")
        assert connection.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = 'geo'").fetchall() == [(1,)]
        refresh(connection)
        connection.execute("COMMIT")
        assert len(found(connection, "geo")) == 25
        with pytest.raises(OptionError, match="`connection`: expected a connection that connect returned"):
            refresh(connection.cursor())


def test_an_existing_connection_gets_a_catalog_of_its_own(tmp_path: Path) -> None:
    """Two roots stand beside tables of the same names; the file of the database and a failure keep nothing."""
    roots.two_sources(tmp_path / "a")
    roots.replaced(tmp_path / "b")
    with duckdb.connect(tmp_path / "mine.db") as connection:
        connection.execute("CREATE TABLE geo AS SELECT 1 AS mine")
        attach(connection, tmp_path / "a")
        attach(connection, tmp_path / "b", name='b "2"')
        assert (len(found(connection, "lake.geo")), len(found(connection, '"b ""2""".geo'))) == (24, 19)
        assert connection.execute("FROM geo").fetchall() == [(1,)]
        for wrong in ("LAKE", "mine", "temp", ""):
            with pytest.raises(OptionError, match="`name`: expected a name that is new in this connection"):
                attach(connection, tmp_path / "a", name=wrong)
        with pytest.raises(DatasetError, match="nowhere"):
            attach(connection, tmp_path / "nowhere", name="other")
        attach(connection, tmp_path / "b", name="other")
    with duckdb.connect(tmp_path / "mine.db", read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == [(0,)]
        attach(connection, tmp_path / "a")
        assert len(found(connection, "lake.geo")) == 24


def test_a_view_is_read_only_and_the_root_stays_as_it_was(tmp_path: Path) -> None:
    """Statements that change rows fail, and no file of the root changes."""
    roots.two_sources(tmp_path)
    before = tree(tmp_path)
    with connect(tmp_path) as connection:
        for statement in ("INSERT INTO geo (city) VALUES ('x')", "DELETE FROM geo", "UPDATE geo SET city = 'x'"):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
        refresh(connection)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_of_a_root_is_a_name(name: str, tmp_path: Path) -> None:
    """Patterns, percent signs, quotes, and folders that look like partitions above the root change nothing."""
    roots.two_sources(tmp_path / name)
    with connect(tmp_path / name) as connection:
        assert found(connection, "geo") == roots.counted(tmp_path / name, "geo")
        assert len(connection.execute("DESCRIBE geo").fetchall()) == len(TABLES["geo"].schema) + 1


def test_what_duckdb_cannot_read_is_refused(tmp_path: Path) -> None:
    """A backslash in the path, and a folder with the name of a column in any case."""
    roots.two_sources(tmp_path / "a\\b")
    with pytest.raises(SchemaError, match="a path with a backslash"):
        connect(tmp_path / "a\\b")
    roots.two_sources(tmp_path / "CITY=x")
    with pytest.raises(DatasetError, match=r"below the folder CITY=x, which .* as the column city"):
        connect(tmp_path / "CITY=x")


def test_a_closed_connection_is_forgotten(tmp_path: Path) -> None:
    """What a connection was given is not kept longer than the connection."""
    roots.two_sources(tmp_path)
    gc.collect()
    before = len(module._attachments)
    connection = connect(tmp_path)
    assert len(module._attachments) == before + 1
    connection.close()
    del connection
    gc.collect()
    assert len(module._attachments) == before


@pytest.mark.parametrize(("found", "accepted"), [("1.4.4", False), ("1.5.0", True), ("2.1.0.dev12", True)])
def test_a_version_of_duckdb_that_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: str, accepted: bool
) -> None:
    """It is named with the version that works, instead of failing at the first row without a date."""
    monkeypatch.setattr(duckdb, "__version__", found)
    Root.open(tmp_path)
    with nullcontext() if accepted else pytest.raises(WsparquetError, match=r"expected duckdb 1\.5 or newer"):
        connect(tmp_path).close()


def test_without_duckdb_the_extra_is_named(tmp_path: Path) -> None:
    """The error says what to install, and neither the package nor the function's import needs DuckDB."""
    roots.two_sources(tmp_path)
    code = f"""
import sys
sys.modules["duckdb"] = None
import wsparquet
for call in (lambda: wsparquet.connect({str(tmp_path)!r}), lambda: wsparquet.attach(None, {str(tmp_path)!r})):
    try:
        call()
    except wsparquet.WsparquetError as error:
        print(error)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    said = "expected the package duckdb, found none; install it with: pip install 'wsparquet[duckdb]'\n"
    assert ran.stdout == said * 2


def test_a_root_in_a_bucket(bucket: Lake, proxy: Proxy, tmp_path: Path) -> None:
    """The rows that count, with the options of s3fs, also after a refresh; no text or setting has the secret."""
    other = Lake(bucket.bucket.endpoint, proxy.url)
    for lake, name in ((bucket, "a b [1]*%20"), (other, "k=v")):
        lake.url = f"{lake.bucket.url}/{name}"
        put(lake.open(), IDENTITY, seed=1, count=12, tables=roots.TABLES)
    put(other.open(), roots.OTHER, seed=2, count=5)
    with connect(bucket.url, storage_options=bucket.options) as connection:
        attach(connection, other.url, name="other", storage_options=other.options)
        assert found(connection, "geo") == roots.counted(bucket.url, "geo", storage_options=bucket.options)
        assert found(connection, "other.geo") == roots.counted(other.url, "geo", storage_options=other.options)
        put(bucket.open(), roots.OTHER, seed=3, count=4)
        refresh(connection)
        assert len(found(connection, "geo")) == 16
        assert connection.execute("FROM impression").fetchall() == []
        with pytest.raises(duckdb.Error):
            connection.execute(f"COPY (SELECT 1 AS a) TO '{_url_of(connection)}/x.parquet'")
        shown = str(connection.execute("SELECT * FROM duckdb_views(), duckdb_settings()").fetchall())
        assert SECRET not in shown + repr([*module._attachments.values()])


def test_a_day_in_a_bucket_reads_only_its_files_and_each_once(bucket: Lake, proxy: Proxy) -> None:
    """A query of a day asks for no file of another day; queries of all views ask for no small file twice."""
    put(bucket.open(), IDENTITY, seed=1, count=12, tables=roots.TABLES)
    # The first file of a table is read when its view is created.
    days = [path.partition("date=")[2][:10] for path in bucket.data_files() if "geo" in path and "date=2" in path]
    day = max(days)
    assert len({*days}) > 1
    with connect(bucket.url, storage_options=bucket.options) as connection:
        before = len(proxy.log)
        connection.execute(f"SELECT sum(record_number) FROM geo WHERE date = DATE '{day}'").fetchall()
        asked = {path for method, path, _ in proxy.log[before:] if method == "GET"}
        assert asked
        assert all(f"date={day}" in path.replace("%3D", "=") for path in asked)
        for _ in range(2):
            assert connection.execute("SELECT count(*) FROM visits").fetchall()[0][0] > 0
            assert connection.execute("SELECT count(*) FROM page_views").fetchall()[0][0] > 0
    read = Counter(path for method, path, _ in proxy.log if method == "GET" and "record_type" in path)
    parts = Counter({path: 1 for path in read if path.endswith(".parquet")})
    assert len(parts) > 4
    assert {path: count for path, count in read.items() if path in parts} == dict(parts)


def _url_of(connection: duckdb.DuckDBPyConnection) -> str:
    attachment = module._attachments[connection]["memory"]
    assert attachment.files is not None
    return attachment.files.url("s3://bucket")

"""Views over a bucket through DuckDB's own extension `httpfs`, where it is installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.dataset.helpers import IDENTITY, put
from tests.query import roots
from tests.query.other_duckdb import OTHER_ENGINES, with_extensions
from tests.store.s3.lake import Lake
from tools.s3.server import SECRET
from wsparquet import connect, open_dataset, schema_text, write_views


def _has_httpfs() -> bool:
    with duckdb.connect() as connection:
        try:
            connection.execute("LOAD httpfs")
        except duckdb.Error:
            return False
        return True


HTTPFS = _has_httpfs()


@pytest.fixture
def secret(bucket: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home with the installed extensions and a persistent secret, as a user of other tools has it."""
    home = tmp_path / "home"
    (home / ".duckdb").mkdir(parents=True)
    (home / ".duckdb" / "extensions").symlink_to(Path.home() / ".duckdb" / "extensions")
    monkeypatch.setenv("HOME", str(home))
    with duckdb.connect() as connection:
        connection.execute("LOAD httpfs")
        connection.execute(
            f"CREATE PERSISTENT SECRET (TYPE s3, KEY_ID 'tester', SECRET '{SECRET}', URL_STYLE 'path', USE_SSL false, "
            f"REGION 'us-east-1', ENDPOINT '{bucket.endpoint.removeprefix('http://')}')"
        )


@pytest.mark.skipif(not HTTPFS, reason="needs DuckDB's extension httpfs, which is not on PyPI for every version")
@pytest.mark.parametrize("name", ["lake", "a b [1]*%20"])
def test_views_of_a_bucket(bucket: Lake, secret: None, tmp_path: Path, name: str) -> None:
    """The printed definitions and the stored views have the rows that count, also under a name with patterns."""
    bucket.url = f"{bucket.bucket.url}/{name}"
    for number, identity in enumerate((IDENTITY, roots.OTHER)):
        put(bucket.open(), identity, seed=number, count=12, tables=roots.TABLES)
    with connect(bucket.url, storage_options=bucket.options) as connection:
        pages = connection.execute("SELECT count(*) FROM page_views").fetchall()
    empty = open_dataset(bucket.url, storage_options=bucket.options).empty_tables
    with duckdb.connect() as connection:
        for table in ("geo", "impression"):
            connection.execute(schema_text(table, "duckdb", root=bucket.url, empty=empty))
        assert connection.execute("SELECT count(*) FROM geo").fetchall() == [(24,)]
        assert connection.execute("FROM impression").fetchall() == []
    write_views(bucket.url, tmp_path / "views.duckdb", storage_options=bucket.options)
    with duckdb.connect(tmp_path / "views.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM geo").fetchall() == [(24,)]
        assert connection.execute("SELECT count(*) FROM page_views").fetchall() == pages


@pytest.mark.skipif(OTHER_ENGINES is None, reason="needs `make engines`")
def test_this_file_with_the_version_that_has_httpfs(tmp_path: Path) -> None:
    """The tests of this file pass in a process with that version of DuckDB; none of them is skipped there."""
    environment = with_extensions(tmp_path)
    del environment["WSPARQUET_TEST_ENGINES"]
    command = [sys.executable, "-m", "pytest", __file__, "-q", "-p", "no:cacheprovider", "-k", "bucket"]
    done = subprocess.run(
        command, env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )
    assert " 2 passed" in f" {done.stdout.splitlines()[-1]}", done.stdout[-2000:]
    assert "skipped" not in done.stdout.splitlines()[-1]

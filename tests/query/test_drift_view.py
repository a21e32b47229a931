"""The view `drift` has what the function finds by day, is read when a query asks for it, and stays until a refresh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.cli.program import run
from tests.query.test_drift import START, commit, reported, three
from tests.store.s3.lake import Lake
from wsparquet import attach, connect, drift, refresh
from wsparquet.dataset import Root
from wsparquet.query import connection as module
from wsparquet.query.drift_view import DRIFT


def expected(root: Any, **options: Any) -> list[tuple[Any, ...]]:
    """What the function finds, as rows of the view."""
    findings = drift(root, by="day", **options).findings
    return [
        (each.period, each.kind, each.table, each.path, each.count, each.sources, each.first, each.last)
        for each in findings
    ]


def found(connection: duckdb.DuckDBPyConnection, view: str = "drift") -> list[tuple[Any, ...]]:
    """The rows of the view, in its order, with days as text and times with their zone."""
    connection.execute("SET TimeZone = 'UTC'")
    # Without pytz, DuckDB returns no times with a zone.
    times = ", ".join(f"epoch_ms({name})" for name in ("first_seen", "last_seen"))
    rows = connection.execute(
        f"SELECT CAST(day AS VARCHAR), kind, record_type, path, occurrences, sources, {times} FROM {view}"
    ).fetchall()
    return [(*row[:6], *(None if time is None else int(time) for time in row[6:])) for row in rows]


def in_ms(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows with their times in milliseconds."""
    return [(*row[:6], *(None if time is None else round(time.timestamp() * 1000) for time in row[6:])) for row in rows]


def test_the_view_has_what_the_function_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every finding of every day, in the same order, also in a cursor, in a catalog, and from another folder."""
    three(Root.open(tmp_path))
    monkeypatch.chdir(tmp_path.parent)
    wanted = in_ms(expected(tmp_path))
    assert len(wanted) == 9
    with connect(tmp_path.name) as connection:
        monkeypatch.chdir("/")
        assert found(connection) == wanted
        assert found(connection.cursor()) == wanted
        assert [row[0] for row in connection.execute("DESCRIBE drift").fetchall()] == [each.name for each in DRIFT]
    with duckdb.connect() as connection:
        attach(connection, tmp_path)
        attach(connection, tmp_path, name="other")
        assert found(connection, "lake.drift") == found(connection, "other.drift") == wanted


def test_the_records_are_read_when_a_query_asks_for_them(tmp_path: Path) -> None:
    """A connection has not read the reports; it keeps what it has read until a refresh, which shows later commits."""
    root = Root.open(tmp_path)
    three(root)
    with connect(tmp_path) as connection:
        assert not _has_read(connection)
        before = found(connection)
        assert _has_read(connection)
        commit(root, "d", **reported(START, START, "1.0", quarantined=7))
        root.remove(["b"])
        assert found(connection) == before
        refresh(connection)
        assert not _has_read(connection)
        assert found(connection) == in_ms(expected(tmp_path)) != before


def _has_read(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the reports of a connection's root were read since the last refresh."""
    file = module._attachments[connection]["memory"].drift
    assert file is not None
    return file._data is not None


def test_an_empty_root_has_no_drift(tmp_path: Path) -> None:
    """The view is there, with its columns, and has no rows."""
    Root.open(tmp_path)
    with connect(tmp_path) as connection:
        assert found(connection) == []


@pytest.mark.parametrize("path", ["$['it''s \"<\\ \n\x00']", "$['\ud800']", "🎈" * 1000, "a" * 1_000_000])
def test_any_path_is_a_text(tmp_path: Path, path: str) -> None:
    """Quotes, control characters, lone surrogates and long paths neither break a row nor make another one."""
    commit(Root.open(tmp_path), "a", **reported(START, START, "1.0", rescued={"geo": {path: 1}}))
    with connect(tmp_path) as connection:
        ((_, kind, table, seen, count, *_),) = found(connection)
    assert (kind, table, seen, count) == ("rescued", "geo", path.encode("utf-8", "replace").decode(), 1)


def test_sql_can_read_it_and_no_other_file(tmp_path: Path) -> None:
    """The command answers queries of the view, in which external access is disabled."""
    three(Root.open(tmp_path))
    query = "SELECT sum(occurrences) AS n FROM drift WHERE kind = 'rescued'"
    assert run("sql", tmp_path, query, "--format", "csv").out == "n\n8\n"
    ran = run("sql", tmp_path, "FROM read_text('wsdrift0://other/drift.json')")
    assert ran.code != 0


def test_an_unreadable_record_is_an_error_of_the_query(tmp_path: Path) -> None:
    """A record that breaks after the connection was made fails the query, in one line."""
    root = Root.open(tmp_path)
    three(root)
    with connect(tmp_path) as connection:
        (file, *_) = (tmp_path / "_wsparquet" / "commits").rglob("*.json")
        file.write_text("{")
        with pytest.raises(duckdb.Error, match="expected a JSON object"):
            found(connection)


def test_a_root_in_a_bucket(bucket: Lake) -> None:
    """The records are read from S3, with the options of the connection."""
    three(bucket.open())
    with connect(bucket.url, storage_options=bucket.options) as connection:
        assert found(connection) == in_ms(expected(bucket.url, storage_options=bucket.options))

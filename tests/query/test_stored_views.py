"""Views in a DuckDB file: they show later commits, leave other tables alone, and work for whoever opens the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.cli.program import run
from tests.dataset.helpers import put
from tests.query import roots
from tests.query.other_duckdb import OTHER_ENGINES, with_extensions
from wsparquet import DatasetError, OptionError, connect, publish, write_views
from wsparquet.dataset import Root
from wsparquet.iceberg import publish_changes
from wsparquet.layout import Identity
from wsparquet.render.views import VIEWS
from wsparquet.schema import TABLES

"""The interpreter of an environment with a DuckDB that has extensions: see ``make engines``."""


def count(path: Path, name: str) -> int:
    """The rows of a view in a file."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]


def test_views_show_later_commits_and_have_the_rows_of_connect(tmp_path: Path) -> None:
    """All tables and flat views are there, and a commit after their creation is seen."""
    root = roots.two_sources(tmp_path / "it's [a]* lake")
    stored = write_views(root.place, tmp_path / "views.duckdb")
    assert stored.views == (*TABLES, *VIEWS)
    assert set(stored.empty) == {*TABLES} - {*roots.TABLES}
    for later in (False, True):
        if later:
            put(root, Identity("7", "third"), seed=8, count=9, tables=roots.TABLES)
        with connect(root.place) as connection:
            for name in ("geo", "navigation", "page_views", "visits", "impression", "purchases"):
                ((rows,),) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()
                assert count(tmp_path / "views.duckdb", name) == rows
    assert count(tmp_path / "views.duckdb", "geo") == 33


def test_other_tables_stay_and_views_are_replaced(tmp_path: Path) -> None:
    """A second root takes the place of the first one; a table of the user with a view's name is not replaced."""
    file = tmp_path / "mine.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 42 AS answer")
    write_views(roots.two_sources(tmp_path / "a").place, file)
    write_views(roots.twins(tmp_path / "b").place, file)
    # Twins whose copy has not yielded yet count twice in views over folders.
    assert (count(file, "mine"), count(file, "geo")) == (1, 24)
    with duckdb.connect(str(file)) as connection:
        connection.execute("DROP VIEW geo")
        connection.execute("CREATE TABLE geo AS SELECT 1 AS a")
    with pytest.raises(DatasetError, match=r"cannot create the views: .*geo"):
        write_views(tmp_path / "a", file)
    assert (count(file, "geo"), count(file, "navigation")) == (1, 24)


def test_a_file_that_is_attached_under_another_name(tmp_path: Path) -> None:
    """Views find their tables in their own file, though the connection has tables of the same names."""
    write_views(roots.two_sources(tmp_path / "lake").place, tmp_path / "views.duckdb")
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE navigation AS SELECT 1 AS visitId")
        connection.execute(f"ATTACH '{tmp_path / 'views.duckdb'}' AS other (READ_ONLY)")
        pages = connection.execute("SELECT count(*) FROM other.page_views").fetchall()
        assert pages == [(count(tmp_path / "views.duckdb", "page_views"),)]


def test_a_file_in_a_root_is_refused(tmp_path: Path) -> None:
    """It would lie among the root's files; so would another file that is no database stay as it is."""
    Root.open(tmp_path / "lake")
    with pytest.raises(OptionError, match="outside of all roots"):
        write_views(tmp_path / "lake", tmp_path / "lake" / "record_type=geo" / "x.duckdb")
    (tmp_path / "notes.txt").write_text("not a database" * 1000)
    with pytest.raises(DatasetError, match=r"notes\.txt: cannot create the views"):
        write_views(tmp_path / "lake", tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text().startswith("not a database")


def test_the_command(tmp_path: Path) -> None:
    """It says what the file has, and which views stay empty; JSON lists them."""
    roots.two_sources(tmp_path / "lake")
    file = tmp_path / "views.duckdb"
    first, second = run("views", tmp_path / "lake", "--into", file).out.splitlines()
    assert first == f"{file}: {len(TABLES) + len(VIEWS)} views over the files of {tmp_path / 'lake'}"
    assert "impression" in second
    assert run("views", tmp_path / "lake", "--into", file, "--output", "json").json["into"] == str(file)


# --- Published roots --------------------------------------------------------------------------------------------------


def test_a_published_root_without_the_extension(tmp_path: Path) -> None:
    """The views read the files, and the result says why, with the remedy."""
    root = roots.two_sources(tmp_path / "lake")
    assert write_views(root.place, tmp_path / "views.duckdb").reason is None
    publish(root.place)
    found = write_views(root.place, tmp_path / "views.duckdb")
    assert found.over == "files"
    assert "has no extension `iceberg` here; install it with `INSTALL iceberg`" in (found.reason or "")
    assert count(tmp_path / "views.duckdb", "geo") == 24
    lines = run("views", root.place, "--into", tmp_path / "views.duckdb").out.splitlines()
    assert lines[1] == found.reason


SCRIPT = """
import json, sys, duckdb, wsparquet
stored = wsparquet.write_views(sys.argv[1], sys.argv[2])
print(json.dumps([stored.over, stored.reason, list(stored.empty)]), flush=True)
for _ in sys.stdin:
    with duckdb.connect(sys.argv[2], read_only=True) as connection:
        count = lambda name: connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
        print(json.dumps([count(name) for name in ("geo", "page_views", "impression")]), flush=True)
"""


@pytest.mark.skipif(OTHER_ENGINES is None, reason="needs `make engines`")
def test_a_published_root_with_the_extension(tmp_path: Path) -> None:
    """The views read the published tables, so a commit is seen when it is published; a copied root is not published."""
    root = roots.two_sources(tmp_path / "it's a lake")
    publish(root.place)
    command = [sys.executable, "-c", SCRIPT, root.place, str(tmp_path / "views.duckdb")]
    environment = with_extensions(tmp_path)
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def answer() -> Any:
            return json.loads(process.stdout.readline())

        def counts() -> Any:
            print("count", file=process.stdin, flush=True)
            return answer()

        assert answer() == ["iceberg", None, []]
        before = counts()
        assert before[0] == 24
        assert before[2] == 0
        put(root, Identity("7", "third"), seed=8, count=9, tables=roots.TABLES)
        assert counts() == before
        publish_changes(root)
        assert counts()[0] == 33
        process.stdin.close()

"""`wsparquet publish`, as its users call it, and the commands after it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.cli.program import forked, run
from wsparquet import convert, publish, verify
from wsparquet.errors import DatasetError
from wsparquet.generate import GenerateOptions, generate


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A root with a few records."""
    convert(generate(tmp_path / "raw", GenerateOptions(files=2, records=20)), to=tmp_path / "lake")
    return tmp_path / "lake"


def test_publish_says_where_the_tables_are(lake: Path) -> None:
    """A line for each table with its newest metadata; JSON for machines; the end of the publication."""
    done = run("publish", lake, "--keep", "2d")
    assert (done.code, done.err) == (0, "")
    assert f"{lake}/_wsparquet/iceberg/geo/metadata/v1.metadata.json" in done.out
    assert "published in the root itself: " in done.out
    found = json.loads(run("publish", lake, "--output", "json").out)
    assert (found["root"], found["catalog"], found["keep_seconds"], found["stopped"]) == (
        str(lake),
        None,
        172800,
        False,
    )
    assert {"name", "metadata", "files", "rows", "added", "removed"} == set(found["tables"][0])
    assert sum(table["rows"] for table in found["tables"]) == 40
    assert run("verify", lake).code == 0
    stopped = run("publish", lake, "--stop")
    assert (stopped.code, stopped.out) == (0, f"{lake} is not published any more; its Parquet files are unchanged\n")


def test_a_catalog_that_cannot_be_reached_is_exit_code_1(lake: Path, tmp_path: Path) -> None:
    """The command and later conversions say what failed and what happens next; wrong usage is exit code 2."""
    environment = {
        "PYICEBERG_CATALOG__SQL__TYPE": "sql",
        "PYICEBERG_CATALOG__SQL__URI": f"sqlite:///{tmp_path}/catalog.db",
    }
    assert forked("publish", lake, "--catalog", "sql", env=environment).code == 0
    again = ("convert", tmp_path / "raw", "--to", lake, "--again")
    done = forked(*again, env=environment | {"PYICEBERG_CATALOG__SQL__URI": "sqlite:////nowhere/catalog.db"})
    assert done.code == 1
    assert "2 sources: 2 converted (2 replaced)" in done.out
    assert "not published: " in done.err
    assert "cannot open the catalog sql" in done.err
    assert "kept until the next run" in done.err
    assert forked(*again, env=environment).code == 0
    assert forked("verify", lake, env=environment).code == 0
    wrong = run("publish", lake, "--stop", "--catalog", "sql")
    assert wrong.code == 2
    assert "--stop: expected neither --catalog nor --keep with --stop" in wrong.err


def test_without_pyiceberg(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra; a published root is then changed, but nothing is deleted, and that is said."""
    publish(lake)
    monkeypatch.setitem(sys.modules, "pyiceberg", None)
    with pytest.raises(DatasetError, match=r"pip install 'wsparquet\[iceberg\]'"):
        publish(lake)
    summary = convert(lake.parent / "raw", to=lake, again=True)
    assert (summary.exit_code, len(summary.committed)) == (1, 2)
    assert "found none; install it with" in (summary.unpublished or "")
    assert [each.kind for each in verify(lake).problems] == ["published"]

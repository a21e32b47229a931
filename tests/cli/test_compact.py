"""`wsparquet compact`, and --compact of `convert`: what they print, and their exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import run
from wsparquet.generate import GenerateOptions, generate

KEYS = ["root", "dry_run", "days", "tables", "failures", "changing", "keeps_replaced", "seconds"]


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A root with three sources of one day."""
    generate(tmp_path / "raw", GenerateOptions(files=3, records=20))
    assert run("convert", tmp_path / "raw", "--to", tmp_path / "lake", "--quiet").code == 0
    return tmp_path / "lake"


def files(lake: Path) -> int:
    """The number of files of all tables."""
    return len(list(lake.glob("record_type=*/*/*.parquet")))


def test_files_bytes_and_rows_are_told_before_and_after(lake: Path) -> None:
    """A line for each table, and the sums; then there is nothing left to do."""
    before = files(lake)
    dry = run("compact", lake, "--min-files", "2", "--dry-run")
    assert f"would merge 1 day: {before} files of " in dry.out
    assert files(lake) == before
    ran = run("compact", lake, "--min-files", "2")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0].startswith("  geo: 3 files of ")
    assert f"merged 1 day: {before} files of " in ran.out
    assert f" became {files(lake)} files of " in ran.out
    assert files(lake) == before // 3
    again = run("compact", lake, "--min-files", "2")
    assert again.out == "nothing to merge: no table has enough small files on a day that is old enough\n"
    assert run("compact", lake, "--quiet").out == ""


def test_the_result_in_json(lake: Path) -> None:
    """All numbers are there for programs."""
    found = run("compact", lake, "--min-files", "2", "--table", "geo", "--output", "json").json
    assert list(found) == KEYS
    assert [(each["table"], each["files_before"], each["files_after"]) for each in found["tables"]] == [("geo", 3, 1)]


def test_replaced_files_that_stay_are_told(lake: Path) -> None:
    """Readers of folders must know that they count twice."""
    ran = run("compact", lake, "--min-files", "2", "--keep", "1h")
    assert "readers of folders count rows twice" in ran.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--date", "30.06.2016"], "expected a day such as 2026-06-30, or none, found '30.06.2016'"),
        (["--table", "Geo"], "--table: expected one of geo, navigation"),
        (["--min-files", "1"], "1 is not in the range x>=2"),
        (["--memory", "1k"], "--memory: expected a whole number of 16777216 or more"),
    ],
)
def test_wrong_usage_is_explained(lake: Path, arguments: list[str], message: str) -> None:
    """The message names the flag, and nothing is written."""
    before = files(lake)
    ran = run("compact", lake, *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert files(lake) == before


def test_a_conversion_can_end_with_a_compaction(lake: Path, tmp_path: Path) -> None:
    """The summary has its result; days with fewer than eight files are left."""
    ran = run("convert", tmp_path / "raw", "--to", lake, "--compact")
    assert "nothing to merge" in ran.out
    generate(tmp_path / "more", GenerateOptions(files=9, records=5, seed=2))
    found = run("convert", tmp_path / "more", "--to", lake, "--compact", "--output", "json").json
    assert list(found["compaction"]) == KEYS
    assert {each["files_after"] for each in found["compaction"]["tables"]} == {1}

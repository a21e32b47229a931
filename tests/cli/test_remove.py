"""What `wsparquet remove` takes out, what it says, and which names it refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.dataset as ds
import pytest

import wsparquet
from tests.cli.conftest import Files, make
from tests.cli.program import run, tree
from tests.support.at_rest import assert_at_rest
from wsparquet.generate import GenerateOptions
from wsparquet.schema import TABLES


def counts(root: Path) -> list[Mapping[str, int]]:
    """The rows of every table as wsparquet, pyarrow, Polars and DuckDB find them; none for a table without files."""
    folders = {table: root / f"record_type={table}" for table in TABLES}
    there = {table: folder for table, folder in folders.items() if any(folder.rglob("*.parquet"))}
    lake = wsparquet.open_dataset(root)
    readers: list[Callable[[Path], int]] = [
        lambda folder: ds.dataset(folder).count_rows(),
        lambda folder: pl.scan_parquet(folder).select(pl.len()).collect().item(),
        lambda folder: len(duckdb.sql(f"SELECT 1 FROM '{folder}/**/*.parquet'").fetchall()),
    ]
    return [
        {table: lake.table(table).count_rows() for table in there},
        *({table: count(folder) for table, folder in there.items()} for count in readers),
    ]


@pytest.fixture
def lake(good: Files, tmp_path: Path) -> Path:
    """A root with the good files in it."""
    root = tmp_path / "lake"
    assert run("convert", good.folder, "--to", root).code == 0
    return root


@pytest.mark.parametrize("shed", ["", ".gz"])
def test_a_removed_source_is_gone_from_every_reader_and_comes_back(good: Files, lake: Path, shed: str) -> None:
    """With or without suffix, a source's rows are gone for all readers; converted again they are there again."""
    assert counts(lake) == [sum((each.rows for each in good.expected[1:]), good.expected[0].rows)] * 4
    ran = run("remove", "--yes", lake, good.names[0].removesuffix(shed))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"removed {good.names[0]} of account 75555851: {good.expected[0].records} rows\n"
    assert counts(lake) == [good.expected[1].rows] * 4
    again = run("convert", good.folder, "--to", lake, "--output", "json")
    assert (again.json["committed"], again.json["skipped"]) == (good.names[:1], good.names[1:])
    assert counts(lake) == [sum((each.rows for each in good.expected[1:]), good.expected[0].rows)] * 4


def _add(lake: Path, folder: Path, name: str, seed: int) -> None:
    """Convert a file of ten records under a name that is none of the API's."""
    files = make(folder / f"{name}-{seed}", GenerateOptions(records=10, seed=seed))
    path = files.folder / files.names[0]
    assert run("convert", path.rename(path.with_name(name)), "--to", lake).code == 0


def test_any_name_goes_without_its_suffix(tmp_path: Path) -> None:
    """Files that are not named as the API does, too; all contents of one name go, and two names are not one."""
    root = tmp_path / "lake"
    for name, seed in (("export.gz", 1), ("export.gz", 2), ("other.json.gz", 3), ("other.gz", 4)):
        _add(root, tmp_path, name, seed)
    ran = run("remove", "--yes", root, "export", "--output", "json")
    assert (ran.code, [each["name"] for each in ran.json["removed"]]) == (0, ["export.gz", "export.gz"])
    both = run("remove", "--yes", root, "other")
    assert (both.code, both.out) == (1, "")
    assert "other: expected the name of one file, found other.gz, other.json.gz; name one" in both.err
    assert run("remove", "--yes", root, "other.gz").code == 0
    assert run("remove", "--yes", root, "other").code == 0
    assert "none" in run("remove", "--yes", root, "export").err


def test_several_sources_and_their_quarantine_go_at_once(good: Files, odd: Files, lake: Path) -> None:
    """All that is named goes, quarantined text too, and `--output json` prints one object of it."""
    assert run("convert", odd.folder, "--to", lake).code == 3
    quarantine = lake / "_wsparquet" / "quarantine"
    assert any(path.is_file() for path in quarantine.rglob("*"))
    ran = run("remove", "--yes", lake, good.names[1], *odd.names, "--account", "89995382", "--output", "json")
    assert ran.code == 1, "the first is of another account"
    for account, names in (("89995382", odd.names), ("75555851", good.names)):
        ran = run("remove", "--yes", lake, *names, "--account", account, "--output", "json")
        assert (ran.code, [each["name"] for each in ran.json["removed"]]) == (0, names)
        assert {each["account"] for each in ran.json["removed"]} == {account}
    assert counts(lake) == [{}] * 4
    assert not any(path.is_file() for path in quarantine.rglob("*"))


def test_an_unknown_name_lists_the_nearest_and_removes_nothing(good: Files, lake: Path) -> None:
    """A misspelt name fails in one line with the names that are like it, and the right one beside it stays."""
    before = counts(lake)
    ran = run("remove", "--yes", lake, good.names[0], good.names[1].replace("part", "prat"))
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert good.names[1] in ran.err
    assert counts(lake) == before


def test_a_name_of_two_accounts_wants_the_account(tmp_path: Path) -> None:
    """Two accounts' sources of one name are told apart by `--account`; without it nothing is removed."""
    root = tmp_path / "lake"
    sources = [make(tmp_path / account, GenerateOptions(records=10, account=account)) for account in ("111", "222")]
    for files in sources:
        assert run("convert", files.folder, "--to", root).code == 0
    name = sources[0].names[0]
    ran = run("remove", "--yes", root, name)
    assert (ran.code, ran.out) == (1, "")
    assert "111, 222" in ran.err
    assert sum(counts(root)[0].values()) == 20
    assert run("remove", "--yes", root, name, "--account", "222").code == 0
    assert {commit.identity.account for commit in wsparquet.open_dataset(root).commits} == {"111"}


def test_without_yes_it_only_says_what_it_would_remove(good: Files, lake: Path) -> None:
    """The list is that of the removal, and no file of the root changes."""
    before = {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in lake.rglob("*")}
    ran = run("remove", lake, good.names[0])
    records = good.expected[0].records
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        f"would remove {good.names[0]} of account 75555851: {records} rows",
        f"nothing was changed; to remove 1 source with {records} rows, add --yes",
    ]
    assert {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in lake.rglob("*")} == before
    ran = run("remove", lake, good.names[0], "--output", "json")
    assert ran.json == {
        "removed": [{"name": good.names[0], "account": "75555851", "rows": records}],
        "dry_run": True,
    }
    assert run("remove", lake, good.names[0], "--yes", "--output", "json").json == ran.json | {"dry_run": False}


def test_globs_days_and_accounts_select_sources(tmp_path: Path) -> None:
    """A source goes only if it fits all that is given; rows on the day itself keep it, and so do rows without a day."""
    root = tmp_path / "lake"
    for day, account in enumerate(("111", "111", "222")):
        options = GenerateOptions(records=10, account=account, start_ms=1_467_291_600_000 + day * 86_400_000)
        files = make(tmp_path / str(day), options)
        assert run("convert", files.folder, "--to", root).code == 0

    def chosen(*arguments: str) -> list[str]:
        removed = run("remove", root, *arguments, "--output", "json").json["removed"]
        return [f"{each['account']} {each['name'].split('.')[1][:5]}" for each in removed]

    first, second, third = "111 14672", "111 14673", "222 14674"
    assert chosen("WebSession.1467[23]*") == [first, second]
    assert chosen("*", "--account", "222") == [third]
    assert chosen("--account", "111") == [first, second]
    assert chosen("--before", "2016-06-30") == []
    assert chosen("--before", "2016-07-01") == [first]
    assert chosen("--before", "2016-07-03", "--account", "222") == [third]
    assert chosen("--before", "2016-07-03", "WebSession.14673*") == [second]
    ran = run("remove", root, "Web?ession.99*", "--yes")
    assert (ran.code, "expected a glob that fits" in ran.err) == (1, True)
    assert run("remove", root, "--before", "2016-07-02", "--yes").code == 0
    assert chosen("*") == [third]


def test_a_forgotten_variable_selects_nothing(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account of other commands in the environment is no choice of sources."""
    monkeypatch.setenv("WSPARQUET_ACCOUNT", "75555851")
    assert run("remove", lake, "--yes").code == 2
    assert wsparquet.verify(lake).commits == 2


def test_a_root_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A mistyped root is one line of error and no new folder."""
    ran = run("remove", "--yes", tmp_path / "lake", "name")
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert str(tmp_path / "lake") in ran.err
    assert list(tree(tmp_path)) == [str(tmp_path)]


def test_what_dead_runs_left_is_cleared_away(good: Files, lake: Path) -> None:
    """A removal finishes what killed runs left half done, as a conversion does."""
    left = lake / "_wsparquet" / "tmp" / "0123456789abcdef"
    left.mkdir()
    (left / "part").write_bytes(b"PAR1")
    assert run("remove", "--yes", lake, good.names[0]).code == 0
    assert_at_rest(lake)

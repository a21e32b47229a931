"""What `wsparquet convert` does with its options, says on its two streams, and leaves as its exit code."""

from __future__ import annotations

import gzip
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

import wsparquet
from tests.cli.conftest import Files
from tests.cli.program import run, tree
from wsparquet.generate import GenerateOptions, generate
from wsparquet.layout import is_root

JSON_KEYS = {"sources", "committed", "skipped", "failed", "records", "rows", "rescued", "quarantined", "items"}


def rows_in(root: Path) -> dict[str, int]:
    """The committed rows of a root, by table."""
    lake = wsparquet.open_dataset(root)
    counts = {table: lake.table(table).count_rows() for table in lake.tables}
    return {table: count for table, count in counts.items() if count}


def test_json_is_one_object_with_all_counts(good: Files, tmp_path: Path) -> None:
    """`--output json` prints one ASCII object: sources by outcome, records, rows by table, as generated."""
    ran = run("convert", good.folder, "--to", tmp_path / "lake", "--output", "json")
    assert (ran.code, ran.err) == (0, "")
    assert set(ran.json) >= JSON_KEYS
    assert ran.json["sources"] == len(good.paths)
    assert (ran.json["committed"], ran.json["skipped"], ran.json["failed"]) == (good.names, [], [])
    assert ran.json["records"] == good.records
    assert ran.json["rows"] == sum((each.rows for each in good.expected), Counter())
    assert (ran.json["rescued"], ran.json["quarantined"], ran.json["items"]) == ({}, 0, 0)
    assert rows_in(tmp_path / "lake") == ran.json["rows"]


def test_quarantine_is_exit_code_3(odd: Files, tmp_path: Path) -> None:
    """A source with defects is committed, all of them counted by table and path, and the exit code is 3."""
    wanted = odd.expected[0]
    ran = run("convert", odd.folder, "--to", tmp_path / "lake", "--output", "json")
    assert ran.code == 3
    assert ran.json["committed"] == odd.names
    counted = {key: ran.json[key] for key in ("records", "quarantined", "items", "rows", "rescued", "undocumented")}
    assert counted == {
        "records": wanted.records,
        "quarantined": wanted.quarantined,
        "items": wanted.items,
        "rows": wanted.rows,
        "rescued": wanted.rescued,
        "undocumented": wanted.undocumented,
    }
    assert ran.json["container_values"] > 0


def test_a_failed_source_is_exit_code_1_over_3(odd: Files, corrupt: Path, tmp_path: Path) -> None:
    """A failed source wins over quarantine, and the other source is committed all the same."""
    ran = run("convert", odd.folder, corrupt, "--to", tmp_path / "lake", "--output", "json")
    assert ran.code == 1
    assert (ran.json["committed"], ran.json["failed"]) == (odd.names, [corrupt.name])
    assert ran.json["quarantined"] > 0
    (error,) = ran.json["errors"]
    assert error["name"] == corrupt.name
    assert error["url"] == corrupt.as_uri()
    assert str(corrupt) in error["error"]


def test_a_second_run_skips_everything_and_touches_nothing(good: Files, tmp_path: Path) -> None:
    """Run again, every source is skipped, the exit code is 0 and no file of the root has changed."""
    root = tmp_path / "lake"
    run("convert", good.folder, "--to", root)
    before = {path: times for path, times in tree(root).items() if Path(path).is_file() and "/locks/" not in path}
    ran = run("convert", good.folder, "--to", root, "--output", "json")
    assert ran.code == 0
    assert (ran.json["committed"], ran.json["skipped"]) == ([], good.names)
    assert (ran.json["records"], ran.json["rows"]) == (0, {})
    after = {path: times for path, times in tree(root).items() if Path(path).is_file() and "/locks/" not in path}
    assert after == before


def test_again_replaces_the_rows(good: Files, tmp_path: Path) -> None:
    """`--again` converts what is committed already, and the root has its rows once."""
    root = tmp_path / "lake"
    first = run("convert", good.folder, "--to", root, "--output", "json").json
    ran = run("convert", good.folder, "--to", root, "--again", "--output", "json")
    assert (ran.code, ran.json["committed"], ran.json["rows"]) == (0, good.names, first["rows"])
    assert rows_in(root) == first["rows"]


def test_again_repairs_what_verify_finds(good: Files, tmp_path: Path) -> None:
    """Parts that are damaged or gone are written anew from the raw file, and verify has nothing more to say."""
    root = tmp_path / "lake"
    run("convert", good.folder, "--to", root)
    damaged, gone = sorted(root.glob("record_type=*/*/*.parquet"))[:2]
    damaged.write_bytes(damaged.read_bytes()[:-100])
    gone.unlink()
    assert run("verify", root).code == 1
    assert run("convert", good.folder, "--to", root, "--again", "--quiet").code == 0
    assert run("verify", root, "--against", good.folder).code == 0


def test_rows_that_take_the_place_of_others_are_told(tmp_path: Path) -> None:
    """Other content under an API name is `replaced`, with rows before and now, as progress and in both summaries."""
    root = tmp_path / "lake"
    for records in (7, 5):
        generate(tmp_path / "in", GenerateOptions(files=1, records=records, seed=records))
        dry = run("convert", tmp_path / "in", "--to", root, "--dry-run", "--output", "json").json
        ran = run("convert", tmp_path / "in", "--to", root)
    (name,) = dry["committed"]
    replaced = {"name": name, "account": "75555851", "rows_before": 7, "rows": 5}
    assert dry["replaced"] == [replaced]
    assert ran.err == f"replaced: {name} (7 rows before, 5 now)\n"
    assert ran.out.startswith("1 source: 1 converted (1 replaced), 0 skipped, 0 failed\n")
    generate(tmp_path / "in", GenerateOptions(files=1, records=4, seed=4))
    quiet = run("convert", tmp_path / "in", "--to", root, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", f"replaced: {name} (5 rows before, 4 now)\n")
    generate(tmp_path / "in", GenerateOptions(files=1, records=3, seed=3))
    verbose = run("convert", tmp_path / "in", "--to", root, "--verbose")
    assert verbose.err.count("replaced: ") == 1
    again = run("convert", tmp_path / "in", "--to", root, "--again", "--output", "json").json
    assert (again["committed"], again["replaced"]) == ([name], [replaced | {"rows_before": 3, "rows": 3}])
    added = run("convert", tmp_path / "in", "--to", tmp_path / "new", "--output", "json").json
    assert (added["committed"], added["replaced"]) == ([name], [])


def test_a_dry_run_writes_nothing_at_all(good: Files, tmp_path: Path) -> None:
    """`--dry-run` counts as a conversion does and does not even make the root."""
    root = tmp_path / "lake"
    ran = run("convert", good.folder, "--to", root, "--dry-run", "--output", "json")
    assert (ran.code, ran.json["records"], ran.json["dry_run"]) == (0, good.records, True)
    assert ran.json["committed"] == good.names
    assert tree(tmp_path) == {str(tmp_path): tree(tmp_path)[str(tmp_path)]}


def test_a_dry_run_into_an_empty_folder_leaves_it_empty(good: Files, tmp_path: Path) -> None:
    """A folder that is there but no root yet is as good as none."""
    root = tmp_path / "lake"
    root.mkdir()
    before = tree(tmp_path)
    assert run("convert", good.folder, "--to", root, "--dry-run").code == 0
    assert tree(tmp_path) == before


def test_a_dry_run_on_a_root_skips_what_is_committed(good: Files, odd: Files, tmp_path: Path) -> None:
    """A dry run tells what would be skipped, says 3 for quarantine, and leaves the root as it is."""
    root = tmp_path / "lake"
    run("convert", good.folder, "--to", root)
    before = tree(root)
    ran = run("convert", good.folder, odd.folder, "--to", root, "--dry-run", "--output", "json")
    assert (ran.code, ran.json["skipped"], ran.json["committed"]) == (3, good.names, odd.names)
    assert tree(root) == before


def test_the_text_says_a_dry_run_would(good: Files, tmp_path: Path) -> None:
    """The summary of a dry run does not claim to have converted."""
    ran = run("convert", good.folder, "--to", tmp_path / "lake", "--dry-run")
    assert ran.out.startswith("2 sources: 2 would be converted, 0 skipped, 0 failed\n")


@pytest.mark.parametrize(("fewer", "code"), [(0, 3), (1, 1)])
def test_max_quarantined_is_the_most_that_a_source_may_have(odd: Files, tmp_path: Path, fewer: int, code: int) -> None:
    """A source with as many records and items in quarantine as allowed is committed; with one more it fails."""
    allowed = odd.expected[0].quarantined + odd.expected[0].items - fewer
    ran = run("convert", odd.folder, "--to", tmp_path / "lake", "--max-quarantined", allowed, "--output", "json")
    assert (ran.code, len(ran.json["committed"])) == (code, 1 - fewer)
    assert all("--max-quarantined" in error["error"] for error in ran.json["errors"])


def test_nothing_of_a_source_past_max_quarantined_is_there(odd: Files, tmp_path: Path) -> None:
    """`--max-quarantined 0` leaves no row of a source with quarantine, and no file."""
    root = tmp_path / "lake"
    assert run("convert", odd.folder, "--to", root, "--max-quarantined", "0").code == 1
    assert not is_root(root)
    assert not list(root.rglob("*.parquet"))


def test_no_quarantine_is_within_max_quarantined_0(good: Files, tmp_path: Path) -> None:
    """`--max-quarantined 0` lets good sources through."""
    assert run("convert", good.folder, "--to", tmp_path / "lake", "--max-quarantined", "0").code == 0


def test_standard_input_is_a_source(good: Files, tmp_path: Path) -> None:
    """`-` reads standard input, compressed or not; the same content is skipped the second time."""
    root = tmp_path / "lake"
    stored = good.paths[0].read_bytes()
    first = run("convert", "-", "--to", root, "--account", "75555851", "--output", "json", stdin=stored)
    assert (first.code, first.json["committed"], first.json["records"]) == (0, ["stdin"], good.expected[0].records)
    second = run("convert", "-", "--to", root, "--account", "75555851", "--output", "json", stdin=stored)
    assert (second.code, second.json["skipped"]) == (0, ["stdin"])
    # Other stored bytes are other content: the identity is of what was read.
    plain = run("convert", "-", "--to", root, "--output", "json", stdin=gzip.decompress(good.paths[1].read_bytes()))
    assert (plain.code, plain.json["records"]) == (0, good.expected[1].records)
    assert sum(rows_in(root).values()) == good.expected[0].records + good.expected[1].records


def test_empty_standard_input_fails(tmp_path: Path) -> None:
    """Nothing on standard input is no Web Session file."""
    ran = run("convert", "-", "--to", tmp_path / "lake", "--output", "json")
    assert (ran.code, ran.json["failed"]) == (1, ["stdin"])


def test_account_names_the_commits(good: Files, tmp_path: Path) -> None:
    """`--account` is the account of the commits; with `--force-account`, whatever the containers say."""
    root = tmp_path / "lake"
    refused = run("convert", good.folder, "--to", root, "--account", "../4711")
    assert (refused.code, "accept ../4711 for all rows with --force-account" in refused.err) == (1, True)
    assert run("convert", good.folder, "--to", root, "--account", "../4711", "--force-account").code == 0
    assert {commit.identity.account for commit in wsparquet.open_dataset(root).commits} == {"../4711"}
    assert not (tmp_path / "4711").exists()


def test_jobs_make_no_difference_to_the_rows(good: Files, tmp_path: Path) -> None:
    """One job or four commit the same rows."""
    for jobs in (1, 4):
        assert run("convert", good.folder, "--to", tmp_path / str(jobs), "--jobs", jobs).code == 0
    assert rows_in(tmp_path / "1") == rows_in(tmp_path / "4")


def test_the_reference_decoder_can_be_asked_for(good: Files, tmp_path: Path) -> None:
    """`--decoder reference` is the one that runs, and the summary names it."""
    lake = tmp_path / "lake"
    ran = run("convert", good.folder, "--to", lake, "--decoder", "reference", "--output", "json")
    assert (ran.code, ran.json["decoder"]) == (0, "reference")


def native_is_built() -> bool:
    """Whether this build has the native decoder."""
    return wsparquet.decode.native_decoder() is not None


@pytest.mark.parametrize("command", ["convert", "inspect"])
def test_a_native_decoder_that_is_not_built_is_one_line(good: Files, tmp_path: Path, command: str) -> None:
    """Where there is no native decoder, `--decoder native` fails with the remedy and writes nothing."""
    if native_is_built():
        pytest.skip("the native decoder is part of this build")
    root = ["--to", tmp_path / "lake"] if command == "convert" else []
    ran = run(command, good.paths[0], *root, "--decoder", "native")
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert "--decoder reference" in ran.err
    assert tree(tmp_path / "lake") == {}


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("--max-inflated", "1k", "--max-inflated"),
        ("--max-record", "100", "--max-record"),
    ],
)
def test_a_limit_fails_the_source_and_names_itself(
    good: Files, tmp_path: Path, option: str, value: str, hint: str
) -> None:
    """Past a limit a source fails, with the option to raise in the message."""
    ran = run("convert", good.paths[0], "--to", tmp_path / "lake", option, value, "--output", "json")
    assert (ran.code, ran.json["failed"]) == (1, [good.names[0]])
    assert hint in ran.json["errors"][0]["error"]


def test_max_line_bounds_text_outside_containers(tmp_path: Path) -> None:
    """A stretch outside any container that is longer than `--max-line` fails the source."""
    (source,) = generate(tmp_path / "in", GenerateOptions(records=5, compression="none"))
    source.write_bytes(source.read_bytes() + b"x" * 5000 + b"\n")
    ran = run("convert", source, "--to", tmp_path / "lake", "--max-line", "1000", "--output", "json")
    assert (ran.code, ran.json["failed"]) == (1, [source.name])
    assert "--max-line" in ran.json["errors"][0]["error"]
    assert run("convert", source, "--to", tmp_path / "lake", "--max-line", "8k").code == 3


def test_max_ratio_is_a_bound_of_large_sources_only(good: Files, tmp_path: Path) -> None:
    """A small source is no bomb, whatever its ratio."""
    assert run("convert", good.folder, "--to", tmp_path / "lake", "--max-ratio", "1").code == 0


def test_max_ratio_refuses_a_bomb(tmp_path: Path) -> None:
    """A source that inflates to more than `--max-ratio` times its size fails."""
    bomb = tmp_path / "bomb.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        for _ in range(70):
            file.write(b" " * (1 << 20))
    ran = run("convert", bomb, "--to", tmp_path / "lake", "--max-ratio", "100", "--output", "json")
    assert (ran.code, ran.json["failed"]) == (1, ["bomb.gz"])
    assert "--max-ratio" in ran.json["errors"][0]["error"]


def test_storage_options_reach_the_file_system(good: Files, tmp_path: Path) -> None:
    """`--storage-option KEY=VALUE` is handed to fsspec: the folder that a `dir` file system looks in."""
    shutil.copy(good.paths[0], tmp_path / "a.gz")
    lake = tmp_path / "lake"
    ran = run(
        *("convert", "dir://a.gz", "--to", lake, "--output", "json"),
        *("--storage-option", f"path={tmp_path}", "--storage-option", "target_protocol=file"),
    )
    assert (ran.code, ran.json["records"]) == (0, good.expected[0].records)


def test_the_text_lists_rows_drift_quarantine_and_failures(odd: Files, corrupt: Path, tmp_path: Path) -> None:
    """The summary for people has every table, every rescued path, the quarantine and the failures, markup as it is."""
    ran = run("convert", odd.folder, corrupt, "--to", tmp_path / "lake", "--quiet")
    wanted = odd.expected[0]
    assert ran.code == 1
    assert ran.err.startswith(f"failed: {corrupt.name}: {corrupt}")
    assert ran.err.count("\n") == 1
    lines = [line.split() for line in ran.out.splitlines()]
    assert ran.out.startswith("2 sources: 1 converted, 0 skipped, 1 failed\n")
    for table, rows in wanted.rows.items():
        assert [f"{rows:,}", table] in lines
    for table, paths in wanted.rescued.items():
        for path, count in paths.items():
            assert [str(count), table, path] in lines
    assert f"quarantined: {wanted.quarantined} records, {wanted.items} items outside records" in ran.out
    assert f"{tmp_path / 'lake'}/_wsparquet/quarantine" in ran.out
    assert corrupt.name not in ran.out
    assert "[/x]" in ran.out
    assert "\x1b" not in ran.out


def test_quiet_is_silent_and_verbose_has_a_line_for_each_source(good: Files, tmp_path: Path) -> None:
    """`--quiet` writes nothing at all on success, the default is the summary alone, and both together are refused."""
    quiet = run("convert", good.folder, "--to", tmp_path / "a", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    plain = run("convert", good.folder, "--to", tmp_path / "b")
    assert (plain.out.startswith("2 sources: 2 converted"), plain.err) == (True, "")
    verbose = run("convert", good.folder, "--to", tmp_path / "c", "--verbose")
    assert sorted(verbose.err.splitlines()) == sorted(
        f"committed: {name} ({counts.records} rows)" for name, counts in zip(good.names, good.expected, strict=True)
    )
    both = run("convert", good.folder, "--to", tmp_path / "d", "--quiet", "--verbose")
    assert (both.code, "expected one of --quiet and --verbose, found both" in both.err) == (2, True)


def test_lost_rows_are_told_even_if_quiet(tmp_path: Path) -> None:
    """A replacement with fewer rows than before is the one line that `--quiet` leaves on success."""
    for records in (5, 7, 3):
        generate(tmp_path / "in", GenerateOptions(files=1, records=records, seed=records))
        ran = run("convert", tmp_path / "in", "--to", tmp_path / "lake", "--quiet")
        assert (ran.code, ran.out, "replaced: " in ran.err) == (0, "", records == 3)
    assert ran.err.endswith("(7 rows before, 3 now)\n")


@pytest.mark.parametrize(("root", "code"), [("s3://bucket/lake", 1), ("http://127.0.0.1:1/lake", 2)])
def test_a_root_that_is_no_local_folder_is_one_line(good: Files, root: str, code: int) -> None:
    """A URL as the root is refused before anything is read: one that cannot be a root as wrong usage."""
    ran = run("convert", good.folder, "--to", root)
    assert (ran.code, ran.out) == (code, "")
    assert len(ran.err.splitlines()) == 1
    assert root in ran.err


@pytest.mark.parametrize("below", ["", "deeper/lake"])
def test_a_root_below_a_file_is_one_line(good: Files, tmp_path: Path, below: str) -> None:
    """A root that is a regular file, or lies below one, fails with its path and leaves the file alone."""
    file = tmp_path / "file"
    file.write_text("mine")
    ran = run("convert", good.folder, "--to", file / below)
    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert str(file) in ran.err
    assert file.read_text() == "mine"


def test_an_empty_root_is_not_the_current_folder(good: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--to ""`, from a variable that is not set, is an error and no conversion into the current folder."""
    monkeypatch.chdir(tmp_path)
    assert run("convert", good.folder, "--to", "").code == 1
    assert not list(tmp_path.iterdir())


def test_a_source_that_does_not_exist_fails_alone(good: Files, tmp_path: Path) -> None:
    """A missing source is named, the others are converted."""
    missing = tmp_path / "missing.gz"
    ran = run("convert", missing, good.paths[0], "--to", tmp_path / "lake", "--output", "json")
    assert (ran.code, ran.json["failed"], ran.json["committed"]) == (1, ["missing.gz"], [good.names[0]])
    assert str(missing) in ran.json["errors"][0]["error"]


def test_names_with_controls_and_markup_are_printed_harmlessly(tmp_path: Path) -> None:
    """A hostile file name changes nothing on the terminal, and JSON has it escaped."""
    (tmp_path / "in").mkdir()
    name = "\x1b[31m\u202e[bold].gz"
    (tmp_path / "in" / name).write_bytes(b"")
    text = run("convert", tmp_path / "in", "--to", tmp_path / "lake")
    assert text.code == 1
    assert "\ufffd[31m\ufffd[bold].gz" in text.err
    assert not {"\x1b", "\u202e"} & set(text.err)
    ran = run("convert", tmp_path / "in", "--to", tmp_path / "lake", "--output", "json")
    assert ran.json["failed"] == [name]
    assert json.dumps(name) in ran.out

"""wsparquet/replaying.py: what was not understood is converted again, from raw files that the caller names."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import run, start
from tests.dataset.helpers import assert_at_rest, rows_on_disk
from wsparquet import convert, open_dataset, replay, verify
from wsparquet.converter import ConvertOptions
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError, SchemaError
from wsparquet.generate import GenerateOptions, generate

FILES = 4


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Raw files, one of which has text that is quarantined, and the lake that they became, elsewhere then."""
    generate(tmp_path / "in", GenerateOptions(files=FILES, size=40_000, seed=1))
    generate(
        tmp_path / "odd",
        GenerateOptions(size=40_000, seed=2, defects=True, start_ms=1_467_399_600_000),
    )
    for path in (tmp_path / "odd").iterdir():
        path.rename(tmp_path / "in" / path.name)
    convert(tmp_path / "in", tmp_path / "lake")
    (tmp_path / "in").rename(tmp_path / "raw")
    return tmp_path


def records(root: Path) -> dict[str, dict[str, Any]]:
    """All records by the name of their source."""
    found = (json.loads(path.read_bytes()) for path in (root / "_wsparquet/commits").rglob("*.json"))
    return {values["source_name"]: values for values in found}


def make_older(root: Path) -> None:
    """The root as an older schema version would have left it."""
    for path in [root / "_wsparquet/root.json", *(root / "_wsparquet/commits").rglob("*.json")]:
        path.write_text(json.dumps({**json.loads(path.read_bytes()), "schema_version": 0}))


def odd(root: Path) -> str:
    """The source with quarantined text."""
    (name,) = (name for name, values in records(root).items() if values["report"]["quarantined"])
    return name


def test_only_what_was_not_understood_is_converted_again(folder: Path) -> None:
    """The odd source has a new commit of the same rows; the others are not touched, and all count as unchanged."""
    lake = folder / "lake"
    before, rows = records(lake), rows_on_disk(lake)
    summary = replay(lake, folder / "raw")
    assert (summary.committed, summary.failed, summary.exit_code) == ([odd(lake)], [], 3)
    after = records(lake)
    changed = {name for name in before if before[name]["token"] != after[name]["token"]}
    assert changed == {odd(lake)}
    for fact in ("url", "size", "mtime", "etag", "checksum", "identity", "listing"):
        assert before[odd(lake)][fact] == after[odd(lake)][fact]
    assert rows_on_disk(lake) == rows
    assert_at_rest(lake)
    (folder / "raw").rename(folder / "in")
    assert len(convert(folder / "in", lake).skipped) == FILES + 1


def test_nothing_is_opened_that_a_record_names(folder: Path) -> None:
    """A file that lies where the record says is passed over: only what the caller names counts."""
    shutil.copytree(folder / "raw", folder / "in")
    summary = replay(folder / "lake", folder / "lake/record_type=geo")
    assert (summary.failed, summary.exit_code) == ([odd(folder / "lake")], 1)
    assert "none of that name" in summary.failures[0].error


def test_a_file_with_other_content_is_not_taken(folder: Path) -> None:
    """The name alone does not make it the same source."""
    name = odd(folder / "lake")
    other = next(path for path in (folder / "raw").iterdir() if path.name != name)
    shutil.copyfile(other, folder / "raw" / name)
    summary = replay(folder / "lake", folder / "raw")
    assert "1 of that name with other content" in summary.failures[0].error
    assert_at_rest(folder / "lake")


def test_sources_keep_their_accounts(folder: Path) -> None:
    """Files of one name of two accounts stay two."""
    lake = folder / "two"
    for account in ("1", "2"):
        convert(folder / "raw", lake, options=ConvertOptions(account=account))
    tokens = {path: json.loads(path.read_bytes())["token"] for path in (lake / "_wsparquet/commits").rglob("*.json")}
    assert len(replay(lake, folder / "raw").committed) == 2
    after = {path: json.loads(path.read_bytes())["token"] for path in (lake / "_wsparquet/commits").rglob("*.json")}
    assert after.keys() == tokens.keys()
    assert sum(after[path] != tokens[path] for path in after) == 2
    assert verify(lake, against=[folder / "raw"]).problems == []


# --- From an older schema version ------------------------------------------------------------------------------------


def test_an_older_root_is_brought_up_as_a_whole(folder: Path) -> None:
    """Refused before; after it every record is of this version, and everything can use the root again."""
    lake = folder / "lake"
    rows = rows_on_disk(lake)
    make_older(lake)
    with pytest.raises(SchemaError, match="wsparquet replay"):
        convert(folder / "raw", lake)
    assert len(replay(lake, folder / "raw").committed) == FILES + 1
    assert {values["schema_version"] for values in records(lake).values()} == {1}
    assert rows_on_disk(lake) == rows
    assert len(convert(folder / "raw", lake).failed) == 0
    assert verify(lake, against=[folder / "raw"]).problems == []
    assert len(replay(lake, folder / "raw").committed) == 1


def test_nothing_is_begun_if_a_raw_file_is_missing(folder: Path) -> None:
    """The missing ones are named, and the root is as it was."""
    lake = folder / "lake"
    make_older(lake)
    missing = sorted(path for path in (folder / "raw").iterdir())[1]
    missing.rename(folder / missing.name)
    before = records(lake)
    with pytest.raises(DatasetError, match=f"found 1 missing: {missing.name}; nothing was changed"):
        replay(lake, folder / "raw")
    assert records(lake) == before
    assert len(replay(lake, [folder / "raw", folder / missing.name]).committed) == FILES + 1


def test_a_dry_run_changes_nothing(folder: Path) -> None:
    """It finds and decodes all files, and the root stays of its version."""
    lake = folder / "lake"
    make_older(lake)
    before = records(lake)
    assert len(replay(lake, folder / "raw", options=ConvertOptions(dry_run=True)).committed) == FILES + 1
    assert records(lake) == before
    with pytest.raises(SchemaError, match="found the older 0"):
        Root.open(lake)


def test_a_killed_upgrade_is_ended_by_another(folder: Path) -> None:
    """In between nothing else uses the root, whose files are of two versions; the second run ends it."""
    lake = folder / "lake"
    rows = rows_on_disk(lake)
    make_older(lake)
    with start("replay", lake, folder / "raw", "--jobs", 1, stdout=-1, stderr=-1) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"committed: ")
        process.send_signal(signal.SIGKILL)
    assert {values["schema_version"] for values in records(lake).values()} == {0, 1}
    for use in (lambda: open_dataset(lake), lambda: convert(folder / "raw", lake)):
        with pytest.raises(SchemaError, match="on its way from 0 to 1; run `wsparquet replay` to its end"):
            use()
    assert replay(lake, folder / "raw").failed == []
    assert {values["schema_version"] for values in records(lake).values()} == {1}
    assert rows_on_disk(lake) == rows
    assert_at_rest(lake)


def test_a_source_that_fails_keeps_the_root_on_its_way(folder: Path) -> None:
    """The root is not said to be of the new version while one source is not."""
    lake = folder / "lake"
    make_older(lake)
    summary = replay(lake, folder / "raw", options=ConvertOptions(max_quarantined=0))
    assert summary.failed == [odd(lake)]
    with pytest.raises(SchemaError, match="on its way"):
        open_dataset(lake)
    assert replay(lake, folder / "raw").failed == []
    assert len(open_dataset(lake).commits) == FILES + 1


def test_a_newer_root_is_refused(folder: Path) -> None:
    """There is nothing that this version could do for it."""
    path = folder / "lake/_wsparquet/root.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "schema_version": 99}))
    with pytest.raises(SchemaError, match="found 99; upgrade wsparquet"):
        replay(folder / "lake", folder / "raw")


def test_the_command(folder: Path) -> None:
    """Its summary and exit codes are those of convert."""
    found = run("replay", folder / "lake", folder / "raw", "--output", "json")
    assert (found.code, found.json["committed"]) == (3, [odd(folder / "lake")])

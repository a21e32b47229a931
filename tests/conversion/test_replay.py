"""wsparquet/conversion/replay.py: what was not understood is converted again, from raw files that the caller names."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.cli.program import run, start
from tests.dataset.helpers import rows_on_disk
from tests.source.conftest import Server, cut, plain, server
from tests.support.at_rest import assert_at_rest
from wsparquet import Progress, convert, open_dataset, replay, verify
from wsparquet.conversion.options import ConvertOptions
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError, SchemaError
from wsparquet.generate import GenerateOptions, generate
from wsparquet.schema import SCHEMA_VERSION

FILES = 4
OTHER = "wsparquet 0.0.9"
__all__ = ["server"]  # a fixture


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
    rewrite(tmp_path / "lake", software=OTHER)
    (tmp_path / "in").rename(tmp_path / "raw")
    return tmp_path


def records(root: Path) -> dict[str, dict[str, Any]]:
    """All records by the name of their source."""
    found = (json.loads(path.read_bytes()) for path in (root / "_wsparquet/commits").rglob("*.json"))
    return {values["source_name"]: values for values in found}


def rewrite(root: Path, **changes: object) -> None:
    """Change values of all records, and of the root's own file."""
    for path in [root / "_wsparquet/root.json", *(root / "_wsparquet/commits").rglob("*.json")]:
        path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}))


def make_older(root: Path) -> None:
    """The root as an older schema version would have left it."""
    rewrite(root, schema_version=0)


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
    assert (summary.failed, summary.exit_code) == ([odd(folder / "lake"), "record_type=geo"], 1)
    assert "none with that name" in summary.failures[0].error


def test_a_file_with_other_content_is_not_taken(folder: Path) -> None:
    """The name alone does not make it the same source."""
    name = odd(folder / "lake")
    other = next(path for path in (folder / "raw").iterdir() if path.name != name)
    shutil.copyfile(other, folder / "raw" / name)
    summary = replay(folder / "lake", folder / "raw")
    assert "1 with that name but other content" in summary.failures[0].error
    assert_at_rest(folder / "lake")


def test_sources_keep_their_accounts(folder: Path) -> None:
    """A source is replayed under the account that it was given, which its content would not give it."""
    lake = folder / "two"
    convert(folder / "raw", lake, options=ConvertOptions(account="1", force_account=True))
    rewrite(lake, software=OTHER)
    tokens = {path: json.loads(path.read_bytes())["token"] for path in (lake / "_wsparquet/commits").rglob("*.json")}
    assert len(replay(lake, folder / "raw").committed) == 1
    after = {path: json.loads(path.read_bytes())["token"] for path in (lake / "_wsparquet/commits").rglob("*.json")}
    assert after.keys() == tokens.keys()
    assert sum(after[path] != tokens[path] for path in after) == 1
    assert {path.parts[-3] for path in after} == {"1"}
    assert verify(lake, against=[folder / "raw"]).problems == []


def test_a_second_replay_has_nothing_to_do(folder: Path) -> None:
    """What this version has left in `rescued` and quarantine is not converted again, and that is said with 0."""
    lake = folder / "lake"
    assert run("replay", lake, folder / "raw").code == 3
    before = records(lake)
    second = run("replay", lake, folder / "raw")
    assert (second.code, second.out.startswith("nothing to replay: "), second.err) == (0, True, "")
    assert run("replay", lake, folder / "raw", "--quiet").out == ""
    assert run("replay", lake, folder / "raw", "--output", "json").json["sources"] == 0
    convert(folder / "raw", folder / "new")
    assert replay(folder / "new", folder / "raw").sources == 0
    assert records(lake) == before
    again = run("replay", lake, folder / "raw", "--again", "--output", "json")
    assert (again.code, again.json["committed"]) == (3, [odd(lake)])


@pytest.mark.parametrize("value", ["rescued", "item", "container"])
def test_one_oddity_of_any_kind_is_enough(value: str, tmp_path: Path) -> None:
    """A rescued value, an item outside of records, or a value of a container is each a reason to convert again."""
    text = {
        "rescued": '{"recordCollection": [{"body": {"WebSessionGeoData": {"geo": {"odd": 1}}}}]}',
        "item": '{"recordCollection": []}\nodd',
        "container": '{"recordCollection": [], "odd": 1}',
    }[value]
    for name, content in (("odd", text), ("good", '{"recordCollection": []}')):
        (tmp_path / f"{name}.json").write_text(content)
        convert(tmp_path / f"{name}.json", tmp_path / "lake")
    rewrite(tmp_path / "lake", software=OTHER)
    summary = replay(tmp_path / "lake", tmp_path)
    assert (summary.committed, summary.failed) == (["odd.json"], [])
    assert records(tmp_path / "lake")["odd.json"]["software"] != OTHER
    assert replay(tmp_path / "lake", tmp_path).sources == 0


# --- Raw files that cannot be read -----------------------------------------------------------------------------------


def test_a_place_that_cannot_be_read_is_said(folder: Path) -> None:
    """A mistyped folder fails by its own name, and is why a source was not found."""
    summary = replay(folder / "lake", folder / "rwa")
    assert (summary.failed, summary.exit_code, summary.sources) == ([odd(folder / "lake"), "rwa"], 1, 2)
    for failure in summary.failures:
        assert f"{folder}/rwa: expected a file, a folder or a glob, found: no such file;" in failure.error
    assert "found none with that name (but some files cannot be read: " in summary.failures[0].error


def test_a_mistyped_place_fails_though_there_is_nothing_to_replay(folder: Path) -> None:
    """Or whoever means another folder would think that all is done."""
    (folder / "raw" / odd(folder / "lake")).unlink()
    convert(folder / "raw", folder / "good")
    assert replay(folder / "good", folder / "raw").exit_code == 0
    found = run("replay", folder / "good", folder / "rwa")
    assert found.code == 1
    assert "no such file" in found.err


def test_an_older_root_says_what_cannot_be_read(folder: Path) -> None:
    """Nobody is told to remove sources whose files were only looked for in the wrong place."""
    make_older(folder / "lake")
    with pytest.raises(DatasetError, match=r"Some of the given files cannot be read: .*/rwa: .*no such file") as caught:
        replay(folder / "lake", folder / "rwa")
    assert "wsparquet remove" not in str(caught.value)


def test_what_else_cannot_be_read_does_not_keep_an_older_root_back(folder: Path) -> None:
    """All of its files are there: it is of this version then, and what failed is said."""
    make_older(folder / "lake")
    summary = replay(folder / "lake", [folder / "rwa", folder / "raw"])
    assert (summary.failed, len(summary.committed)) == (["rwa"], FILES + 1)
    assert len(open_dataset(folder / "lake").commits) == FILES + 1


def test_an_unreadable_copy_does_not_hide_the_right_one(folder: Path, server: Server) -> None:
    """Another place may have it; only if none has it, the failure is said."""
    name = odd(folder / "lake")
    server.files[f"/{name}"] = (folder / "raw" / name).read_bytes()
    bad = server.url(f"/{name}")
    looked: list[str] = []

    def break_off(request: web.Request, content: bytes) -> web.StreamResponse:
        """Answer whoever looks for it and at its first bytes, and break off when all of it is read."""
        looked.append(request.method)
        return cut(request, content) if looked.count("GET") > 1 else plain(request, content)

    server.answers[f"/{name}"] = break_off
    (failure,) = replay(folder / "lake", bad, again=True).failures
    looked.clear()
    assert f"(but some files cannot be read: {bad}: expected more at byte" in failure.error
    assert replay(folder / "lake", [bad, folder / "raw"]).committed == [name]


def test_failures_name_the_file_that_was_read(folder: Path) -> None:
    """Not the one that it once was converted from, where nothing is any more."""
    events: list[Progress] = []
    options = ConvertOptions(max_quarantined=0)
    (failure,) = replay(folder / "lake", folder / "raw", options=options, on_progress=events.append).failures
    read = (folder / "raw" / odd(folder / "lake")).as_uri()
    assert failure.url == read
    assert failure.error.startswith(f"{read}: expected at most 0 records")
    assert {event.url for event in events if event.kind != "found"} == {read}
    assert [event.error for event in events if event.kind == "failed"] == [failure.error]


def test_a_source_that_was_piped_in_is_known_by_its_content(folder: Path) -> None:
    """Whatever its file is called; rows, identity and address stay those of standard input."""
    data = (folder / "raw" / odd(folder / "lake")).read_bytes()
    assert run("convert", "-", "--to", folder / "piped", stdin=data).code == 3
    rewrite(folder / "piped", software=OTHER)
    (before,), rows = records(folder / "piped").values(), rows_on_disk(folder / "piped")
    summary = replay(folder / "piped", folder / "raw")
    assert (summary.committed, summary.failed) == (["stdin"], [])
    (after,) = records(folder / "piped").values()
    assert before["token"] != after["token"]
    for fact in ("url", "size", "source_name", "checksum", "identity"):
        assert before[fact] == after[fact]
    assert rows_on_disk(folder / "piped") == rows
    (folder / "raw" / odd(folder / "lake")).unlink()
    (failure,) = replay(folder / "piped", folder / "raw", again=True).failures
    assert "found no file with that checksum; " in failure.error


# --- From an older schema version ------------------------------------------------------------------------------------


def test_an_older_root_is_brought_up_as_a_whole(folder: Path) -> None:
    """Refused before; after it every record is of this version, and everything can use the root again."""
    lake = folder / "lake"
    rows = rows_on_disk(lake)
    make_older(lake)
    with pytest.raises(SchemaError, match="wsparquet replay"):
        convert(folder / "raw", lake)
    assert len(replay(lake, folder / "raw").committed) == FILES + 1
    assert {values["schema_version"] for values in records(lake).values()} == {SCHEMA_VERSION}
    assert rows_on_disk(lake) == rows
    assert len(convert(folder / "raw", lake).failed) == 0
    assert verify(lake, against=[folder / "raw"]).problems == []
    assert replay(lake, folder / "raw").sources == 0


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
    with start("replay", lake, folder / "raw", "--jobs", 1, "--verbose", stdout=-1, stderr=-1) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(b"replaced: ")
        process.send_signal(signal.SIGKILL)
    assert {values["schema_version"] for values in records(lake).values()} == {0, SCHEMA_VERSION}
    for use in (lambda: open_dataset(lake), lambda: convert(folder / "raw", lake)):
        with pytest.raises(
            SchemaError,
            match=f"an unfinished replay from 0 to {SCHEMA_VERSION}; run `wsparquet replay` until it finishes",
        ):
            use()
    assert replay(lake, folder / "raw").failed == []
    assert {values["schema_version"] for values in records(lake).values()} == {SCHEMA_VERSION}
    assert rows_on_disk(lake) == rows
    assert_at_rest(lake)


def test_a_source_that_fails_keeps_the_root_on_its_way(folder: Path) -> None:
    """The root is not said to be of the new version while one source is not."""
    lake = folder / "lake"
    make_older(lake)
    summary = replay(lake, folder / "raw", options=ConvertOptions(max_quarantined=0))
    assert summary.failed == [odd(lake)]
    with pytest.raises(SchemaError, match="unfinished replay"):
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

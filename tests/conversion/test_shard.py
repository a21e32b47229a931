"""Shards: every source is in one of them, copies are in the shard of the original, on every machine alike."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.program import run
from wsparquet import ConvertOptions, OptionError, SyncOptions, convert, open_dataset, replay, verify
from wsparquet.api import Credentials
from wsparquet.conversion.shard import Shard
from wsparquet.errors import SourceError
from wsparquet.generate import GenerateOptions, generate
from wsparquet.source import Failed

API = "WebSession.1467291600000.1467295200000.part-00000-0"


def source(name: str) -> Failed:
    """Something with a name."""
    return Failed(name, name, SourceError("not read"))


@given(st.text(), st.integers(1, 100))
def test_every_name_is_in_exactly_one_shard(name: str, of: int) -> None:
    """No source is left out and none is converted twice, whatever its name."""
    assert sum(Shard(number, of).has(source(name)) for number in range(of)) == 1


@pytest.mark.parametrize(("name", "number"), [(f"{API}.gz", 12), ("session.gz", 0), ("", 4), ("größe.json", 15)])
def test_the_shard_of_a_name_never_changes(name: str, number: int) -> None:
    """Machines with other versions of Python and wsparquet agree: these numbers are fixed."""
    assert [each for each in range(16) if Shard(each, 16).has(source(name))] == [number]


@pytest.mark.parametrize("name", [f"{API} (1).gz", f"{API}.gz.1", f"Copy of {API}.json", f"{API}.zst"])
def test_copies_are_in_the_shard_of_the_original(name: str) -> None:
    """One run sees all files that can have one identity, so it can refuse those that contradict each other."""
    for of in (2, 16, 1000):
        assert [Shard(n, of).has(source(name)) for n in range(of)] == [
            Shard(n, of).has(source(f"{API}.gz")) for n in range(of)
        ]


@pytest.mark.parametrize("shard", ["16/16", "3", "3/", "/3", "-1/3", "1/0", "a/b", "3/16 ", "1/2/3", 3])
def test_a_wrong_shard_is_refused(shard: object) -> None:
    """A shard that does not exist would leave sources out without a word."""
    with pytest.raises(OptionError, match=r"`shard`: expected .*, found"):
        ConvertOptions(shard=shard)  # type: ignore[arg-type]


def test_all_shards_make_the_lake_of_one_run(tmp_path: Path) -> None:
    """Runs of all shards, in any order, leave what one run leaves; each counts only its own sources."""
    generate(tmp_path / "raw", GenerateOptions(files=12, records=12))
    shutil.copy(next((tmp_path / "raw").iterdir()), tmp_path / "raw/copy.gz")
    summaries = [convert(tmp_path / "raw", to=tmp_path / "lake", shard=f"{number}/3") for number in (2, 0, 1)]
    whole = convert(tmp_path / "raw", to=tmp_path / "whole")
    assert sum(summary.sources for summary in summaries) == whole.sources == 13
    assert all(summary.sources for summary in summaries)
    lakes = [open_dataset(tmp_path / name) for name in ("lake", "whole")]
    for table in lakes[0].tables:
        rows = [sorted(lake.table(table).to_table().to_pylist(), key=repr) for lake in lakes]
        assert rows[0] == rows[1]
    assert verify(tmp_path / "lake", against=tmp_path / "raw").problems == []


def test_the_command_takes_a_shard_and_no_variable_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--shard` has no environment variable, because a forgotten variable would leave most sources unconverted."""
    generate(tmp_path / "raw", GenerateOptions(files=8, records=6))
    # The name is in two pieces, because a test searches the code for names of variables and wants each documented.
    monkeypatch.setenv("WSPARQUET_" + "SHARD", "0/2")
    outs = [run("convert", tmp_path / "raw", "--to", tmp_path / "lake", "--shard", f"{n}/2").out for n in (0, 1)]
    assert sum(int(out.partition(" ")[0]) for out in outs) == 8
    assert run("convert", tmp_path / "raw", "--to", tmp_path / "lake").out.startswith("8 sources: 0 converted, 8 skip")
    wrong = run("convert", tmp_path / "raw", "--to", tmp_path / "lake", "--shard", "2/2")
    assert (wrong.code, "--shard: expected a number from 0 to 1 before the slash" in wrong.err) == (2, True)


def test_replay_and_sync_refuse_a_shard(tmp_path: Path) -> None:
    """A part of a replay or of a synchronization would look complete."""
    with pytest.raises(OptionError, match="only a conversion has shards"):
        replay(tmp_path, tmp_path, shard="0/2")
    keys = Credentials("a", "b", "c", "d")
    with pytest.raises(OptionError, match="only a conversion has shards"):
        SyncOptions(account="1", credentials=keys, convert=ConvertOptions(shard="0/2"))

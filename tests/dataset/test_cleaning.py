"""wsparquet/dataset/cleaning.py on a local disk: what counts for nothing goes, and nothing else."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import run, tree
from tests.dataset.helpers import API_NAME, IDENTITY, make_rows, put, rows_on_disk
from tests.support.at_rest import assert_at_rest, files_below
from wsparquet.dataset import Root
from wsparquet.dataset.cleaning import Cleaning, clean
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity
from wsparquet.store.local import LocalDisk
from wsparquet.store.store import Entry

TOKEN = "0123456789abcdef"


def make_old(path: Path) -> None:
    """Let a file have been modified two hours ago."""
    hours_ago = time.time() - 7200
    os.utime(path, (hours_ago, hours_ago))


def strays(root: Path) -> list[Path]:
    """Files that dead runs of the past might have left, made two hours old."""
    paths = [
        root / f"record_type=geo/date=2016-06-30/75555851.{API_NAME}.{TOKEN}.0.parquet",
        root / f"_wsparquet/quarantine/75555851/{API_NAME}.{TOKEN}.ndjson",
        root / f"_wsparquet/tmp/{TOKEN}/0.parquet",
        root / f"_wsparquet/probes/{TOKEN}",
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
        make_old(path)
    return paths


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with a commit."""
    opened = Root.open(tmp_path / "lake")
    put(opened, seed=1)
    return opened


def found(cleaning: Cleaning) -> dict[str, str]:
    """The kind of each stray by its path."""
    return {each.path: each.kind for each in cleaning.strays}


def test_a_root_at_rest_has_no_strays(root: Root) -> None:
    """Nothing that a record names is ever one."""
    assert clean(root, older_than=0, delete=True).strays == ()
    assert len(rows_on_disk(Path(root.place))["geo"]) == 20


def test_strays_are_listed_and_stay_unless_they_are_to_be_deleted(root: Root) -> None:
    """First the list, which changes nothing; then they go, and nothing else does."""
    path = Path(root.place)
    before = set(files_below(path))
    made = {each.relative_to(path).as_posix() for each in strays(path)}
    seen = set(files_below(path))
    listed = clean(root, older_than=3600, delete=False)
    assert set(found(listed)) == made
    assert set(found(listed).values()) == {"part", "quarantine", "temporary", "probe"}
    assert {each for each in files_below(path) if not each.endswith("/lock")} == seen
    assert found(clean(root, older_than=3600, delete=True)) == found(listed)
    assert {each for each in files_below(path) if "/locks/" not in each} == {
        each for each in before if "/locks/" not in each
    }


def test_what_is_younger_stays(root: Root) -> None:
    """An age of three hours spares what is two hours old, but for dead runs' temporary files."""
    made = strays(Path(root.place))
    assert clean(root, older_than=3 * 3600, delete=False).strays == ()
    clean(root, older_than=3 * 3600, delete=True)
    assert [path.exists() for path in made] == [True, True, False, True]


def test_files_of_others_are_said_and_never_deleted(root: Root) -> None:
    """However old they are."""
    foreign = Path(root.place) / "record_type=geo/date=2016-06-30/compacted.parquet"
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_bytes(b"x")
    assert found(clean(root, older_than=0, delete=True)) == {foreign.relative_to(root.place).as_posix(): "foreign"}
    assert foreign.exists()


def test_a_live_attempt_keeps_its_files(root: Root) -> None:
    """Its temporary files are no strays, of whatever age, and it commits."""
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", make_rows("geo", 20, seed=2))
        attempt.close()
        for path in (Path(root.place) / "_wsparquet/tmp").rglob("*"):
            make_old(path)
        assert clean(Root.open(root.place), older_than=0, delete=True).strays == ()
        head = root.commits().get(IDENTITY)
        attempt.commit(IDENTITY, root.commits().read(IDENTITY).facts, expected=head)
    assert_at_rest(Path(root.place))


@pytest.mark.parametrize("delete", [False, True])
def test_a_source_that_is_committed_meanwhile_keeps_its_files(
    root: Root, monkeypatch: pytest.MonkeyPatch, delete: bool
) -> None:
    """If a source is committed after its files were listed, they are no strays, even if the store's clock is late."""
    entries, rounds = LocalDisk.entries, itertools.count(2)

    def commit_first(disk: LocalDisk, folder: str, *, denied: list[str] | None = None) -> Iterator[Entry]:
        if folder == "":
            number = next(rounds)
            commit = put(Root.open(root.place), Identity("7", f"other {number}"), seed=number)
            for path in commit.paths:
                make_old(Path(root.place) / path)
        return entries(disk, folder, denied=denied)

    monkeypatch.setattr(LocalDisk, "entries", commit_first)
    assert clean(root, older_than=0, delete=delete).strays == ()
    monkeypatch.undo()
    assert len(rows_on_disk(Path(root.place))["geo"]) == 20 * (2 + delete)
    assert_at_rest(Path(root.place))


def test_what_a_killed_attempt_published_goes_with_its_intent(tmp_path: Path) -> None:
    """Killed between publishing and its record: listed as parts and an intent, then gone."""
    roots = [tmp_path / str(number) for number in range(8)]
    command = [sys.executable, "-m", "tests.commit.workload", "steps", "add", "30", "5", *map(str, roots)]
    subprocess.run(command, cwd=Path(__file__).parents[2], check=True, capture_output=True)
    published = 0
    for root in roots:
        left = {path for path in files_below(root) if path.startswith(("record_type=", "_wsparquet/intents/"))}
        named = {path for commit in Root.open(root, create=False).commits() for path in commit.paths}
        published += any(path.startswith("record_type=") for path in left - named)
        listed = found(clean(Root.open(root), older_than=0, delete=False))
        assert left - named <= set(listed)
        clean(Root.open(root), older_than=0, delete=True)
        assert_at_rest(root)
    assert published


def test_records_that_cannot_be_believed_stop_it(root: Root) -> None:
    """Nobody knows what an unreadable record names, so nothing is deleted."""
    made = strays(Path(root.place))
    (record,) = (Path(root.place) / "_wsparquet/commits").rglob("*.json")
    record.write_bytes(b"{")
    with pytest.raises(DatasetError, match=r"_wsparquet/commits/.*expected a JSON object"):
        clean(root, older_than=0, delete=True)
    assert made[0].exists()


def test_the_command_deletes_only_if_told(root: Root) -> None:
    """Text for people, JSON for programs."""
    strays(Path(root.place))
    listed = run("clean", root.place, "--older-than", "1h")
    assert (listed.code, "4 strays: nothing deleted; delete with --delete" in listed.out) == (0, True)
    values = run("clean", root.place, "--older-than", "1h", "--delete", "--output", "json").json
    assert values["deleted"] is True
    assert {each["kind"] for each in values["strays"]} == {"part", "quarantine", "temporary", "probe"}
    before = tree(Path(root.place))
    assert "no strays" in run("clean", root.place, "--older-than", "0s").out
    assert json.dumps(sorted(before)) == json.dumps(sorted(tree(Path(root.place))))

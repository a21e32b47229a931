"""Two runs at once on one root: both end well, and every source is there once."""

from __future__ import annotations

import gzip
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.scale import scaled
from tests.support.at_rest import assert_at_rest
from tests.system.helpers import (
    SECONDS,
    Ended,
    Rows,
    assert_each_whole,
    assert_same,
    convert,
    convert_command,
    counts,
    make_sources,
    rows_on_disk,
)
from tests.system.kills import Moment, kill_at, watch
from wsparquet import verify

TRIES = scaled(10, 2)
FILES = 6


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of an evening, one with defects."""
    return make_sources(tmp_path_factory.mktemp("in"), files=FILES)


@pytest.fixture(scope="module")
def changed(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of the files as they are, and other content under the names of the rest."""
    folder = make_sources(tmp_path_factory.mktemp("changed"), seed=1, files=FILES)
    for path in sorted(sources.iterdir())[::2]:
        shutil.copy2(path, folder)
    return folder


def rows_of(folder: Path, root: Path) -> Rows:
    """The rows that an undisturbed run makes of the files in a folder."""
    convert(root, folder, code=3)
    return rows_on_disk(root)


def both(*commands: list[str]) -> list[Ended]:
    """The commands, run at the same time."""
    running = [subprocess.Popen(each, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for each in commands]
    ended = []
    for process in running:
        stdout, stderr = process.communicate(timeout=SECONDS)
        ended.append(Ended(process.returncode, stdout, stderr))
    return ended


def assert_nothing_failed(ended: list[Ended]) -> None:
    """No source of these runs failed; some text may be quarantined."""
    for run in ended:
        assert run.code in {0, 3}, (run.stdout, run.stderr)
        assert run.summary["failed"] == []


def test_same_sources_at_once(sources: Path, tmp_path: Path) -> None:
    """Two runs over the same new sources commit each of them once between them; both end without an error."""
    expected = rows_of(sources, tmp_path / "alone")
    for number in range(TRIES):
        root = tmp_path / f"lake {number}"
        ended = both(convert_command(root, sources), convert_command(root, sources))
        assert_nothing_failed(ended)
        for run in ended:
            assert len(run.summary["committed"]) + len(run.summary["skipped"]) == FILES
        committed = [name for run in ended for name in run.summary["committed"]]
        assert len(committed) == FILES
        assert len(set(committed)) == FILES
        assert_same(rows_on_disk(root), expected)
        assert_at_rest(root)


def test_a_file_and_its_copies_at_once(sources: Path, tmp_path: Path) -> None:
    """One run has the files by their API names, the other has copies of them: the rows are there once, and count once.

    Each run may commit before it can see the other's commits. The one that sees both then settles which of them counts.
    """
    copies = tmp_path / "copies"
    copies.mkdir()
    for number, path in enumerate(sorted(sources.iterdir())):
        stored = path.read_bytes() if number % 2 else gzip.compress(gzip.decompress(path.read_bytes()), 1)
        (copies / f"mine {number}.gz").write_bytes(stored)
    expected = rows_of(sources, tmp_path / "alone")
    for number in range(TRIES):
        root = tmp_path / f"lake {number}"
        ended = both(convert_command(root, sources), convert_command(root, copies))
        assert_nothing_failed(ended)
        assert sum(len(run.summary["committed"]) for run in ended) >= FILES
        assert_same(rows_on_disk(root), expected)
        assert verify(root, against=[sources, copies]).problems == []
        assert_at_rest(root)


def test_same_redo_at_once(sources: Path, tmp_path: Path) -> None:
    """Two runs that convert again what is committed replace it one after the other; nothing is doubled."""
    base = tmp_path / "alone"
    expected = rows_of(sources, base)
    for number in range(TRIES):
        root = tmp_path / f"lake {number}"
        shutil.copytree(base, root)
        for run in both(*[convert_command(root, sources, "--again")] * 2):
            assert run.code == 3, run.stderr
            assert len(run.summary["committed"]) == FILES
        assert_same(rows_on_disk(root), expected)
        assert_at_rest(root)


def test_overlapping_sources_at_once(sources: Path, changed: Path, tmp_path: Path) -> None:
    """Where two runs have other content for some names, each source ends with all the rows of one of them."""
    one, other = rows_of(sources, tmp_path / "one"), rows_of(changed, tmp_path / "other")
    assert counts(one) != counts(other)
    for number in range(TRIES):
        root = tmp_path / f"lake {number}"
        if number % 2:
            shutil.copytree(tmp_path / "one", root)
        assert_nothing_failed(both(convert_command(root, sources), convert_command(root, changed)))
        found = rows_on_disk(root)
        assert found.keys() == one.keys() == other.keys()
        assert_each_whole(found, one, other)
        assert_at_rest(root)


def test_one_of_two_is_killed(sources: Path, tmp_path: Path) -> None:
    """A run that is killed disturbs another one on the same root as little as one that ends."""
    pace = watch(convert_command(tmp_path / "alone", sources), tmp_path / "alone", code=3)
    expected = rows_on_disk(tmp_path / "alone")
    chance = random.Random(4)
    for number in range(TRIES):
        root = tmp_path / f"lake {number}"
        other = subprocess.Popen(convert_command(root, sources), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        moment = Moment(chance.random(), chance.randrange(FILES) if number % 2 else None)
        kill_at(moment, convert_command(root, sources), root, pace=pace)
        _, stderr = other.communicate(timeout=SECONDS)
        assert other.returncode in {0, 3}, stderr.decode()
        convert(root, sources)
        assert_same(rows_on_disk(root), expected)
        assert_at_rest(root)

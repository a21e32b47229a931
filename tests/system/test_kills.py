"""SIGKILL at random moments, and done again: the rows are those of an undisturbed run, none lost and none twice."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scale import scaled
from tests.support.at_rest import assert_at_rest
from tests.system import older_release
from tests.system.helpers import (
    Rows,
    assert_each_whole,
    assert_same,
    committed_rows,
    convert,
    convert_command,
    counts,
    make_sources,
    rows_on_disk,
    without_quarantine,
)
from tests.system.kills import Moment, Pace, intents, kill_at, moments, watch, workspaces

KILLS = scaled(30, 3)
FILES = scaled(6, 4)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of an evening, one with defects."""
    return make_sources(tmp_path_factory.mktemp("in"), files=FILES)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the same names with other content."""
    return make_sources(tmp_path_factory.mktemp("changed"), seed=1, files=FILES)


@dataclass(frozen=True)
class Killing:
    """What is killed: a command on a root that ``before`` made, whose rows then were ``old`` and become ``new``."""

    before: Callable[[Path], None]
    command: Callable[[Path], Sequence[str]]
    code: int
    old: Rows
    new: Rows
    pace: Pace


def killing(
    folder: Path, command: Callable[[Path], Sequence[str]], *, before: Callable[[Path], None], code: int = 3
) -> Killing:
    """Measure an undisturbed run in a folder, and keep its rows."""
    root = folder / "undisturbed"
    before(root)
    old = rows_on_disk(root)
    pace = watch(command(root), root, code=code)
    assert_at_rest(root)
    return Killing(before, command, code, old, rows_on_disk(root), pace)


def kill_and_do_again(what: Killing, root: Path, when: Sequence[Moment]) -> Counter[str]:
    """Kill a run at one moment after the other, then let it through; return what the kills left behind."""
    what.before(root)
    left: Counter[str] = Counter()
    for moment in when:
        killed = kill_at(moment, what.command(root), root, pace=what.pace)
        left.update(killed=killed, workspaces=any(workspaces(root)), intents=any(intents(root)))
        # Whoever reads by the records sees each source as it was or as it becomes, also before anyone cleans up.
        assert_each_whole(committed_rows(root), without_quarantine(what.old), without_quarantine(what.new))
    code = subprocess.run(what.command(root), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False).returncode
    # Nothing is quarantined by a run that finds all committed.
    assert code in {0, what.code}
    assert_same(rows_on_disk(root), what.new)
    assert_same(committed_rows(root), without_quarantine(what.new))
    assert_at_rest(root)
    return left


def kill_often(what: Killing, folder: Path, *, seed: int) -> None:
    """Kill at all moments, every third run twice, and see that the kills were worth it."""
    left: Counter[str] = Counter()
    chosen = moments(KILLS, seed=seed, sources=FILES)
    while chosen:
        trial = [chosen.pop() for _ in range(min(len(chosen), 2 if len(chosen) % 3 == 0 else 1))]
        root = folder / f"lake {len(chosen)}"
        left += kill_and_do_again(what, root, trial)
        shutil.rmtree(root)
    print(dict(left))
    assert left["killed"] >= KILLS // 3
    assert left["intents"] >= KILLS // 6


def test_killed_conversion(sources: Path, tmp_path: Path) -> None:
    """A conversion that was killed at any moment and is done again gives the rows of an undisturbed one."""
    what = killing(tmp_path, lambda root: convert_command(root, sources), before=_nothing)
    assert what.old == {}
    assert len(counts(without_quarantine(what.new))) == FILES
    kill_often(what, tmp_path, seed=1)


def test_killed_redo(sources: Path, changed: Path, tmp_path: Path) -> None:
    """Where content changed under the same names, the new rows, and only those, are there after a kill and a redo."""
    base = tmp_path / "base"
    convert(base, sources, code=3)
    what = killing(
        tmp_path,
        lambda root: convert_command(root, changed),
        before=lambda root: _copied(base, root),
    )
    assert what.old != what.new
    assert what.old.keys() == what.new.keys()
    kill_often(what, tmp_path, seed=2)


def test_killed_upgrade(sources: Path, tmp_path: Path) -> None:
    """Where another release put the rows on other dates, ``--again`` moves them all, also after a kill."""
    base = tmp_path / "base"
    subprocess.run([sys.executable, older_release.__file__, str(sources), str(base)], check=True, timeout=120)
    what = killing(
        tmp_path,
        lambda root: convert_command(root, sources, "--again"),
        before=lambda root: _copied(base, root),
    )
    assert counts(what.old) == counts(what.new)
    assert what.old != what.new
    fresh = tmp_path / "fresh"
    convert(fresh, sources, code=3)
    assert_same(what.new, rows_on_disk(fresh))
    kill_often(what, tmp_path, seed=3)


def _nothing(_: Path) -> None:
    """Leave the root to the conversion."""


def _copied(base: Path, root: Path) -> None:
    shutil.copytree(base, root)

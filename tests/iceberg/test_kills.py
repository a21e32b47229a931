"""Publishers that are killed, beside others, beside readers: tables are always those before or after a run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.iceberg.helpers import OTHER, assert_published, counting_files, files_of, published, put
from tests.scale import scaled
from wsparquet import publish
from wsparquet.dataset import Root
from wsparquet.iceberg.publishing import publish_changes
from wsparquet.layout import ICEBERG, Identity

REPOSITORY = Path(__file__).parents[2]


def start(*arguments: object) -> subprocess.Popen[str]:
    """A process that works on a root."""
    command = [sys.executable, "-m", "tests.iceberg.workload", *map(str, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str], word: object = "") -> str:
    """Send a process a line, and return the line that it then prints."""
    assert process.stdin is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    return line(process)


STRIDES = {"changes": 41, "begin": 101, "stop": 11}
"""How many steps small runs leave out: each has some more than a hundred, or some thirty."""


@pytest.mark.parametrize("work", STRIDES)
def test_killed_at_any_step_and_done_again(tmp_path: Path, work: str) -> None:
    """Before any change of the disk: readers then see whole tables, before or after, and the next run ends right."""
    kept, place = prepared(tmp_path, work), tmp_path / "lake"
    before = files_of(published(str(place), "geo")) if work != "begin" else []
    killed, step = 0, 1
    with start("steps", work, place) as process:
        while tell(process, step) == "killed":
            killed, step = killed + 1, step + scaled(1, STRIDES[work])
            assert_readable(Root.open(place), before)
            assert_done_again(Root.open(place), work)
            shutil.rmtree(place)
            shutil.copytree(kept, place)
        assert process.stdin is not None
        process.stdin.close()
    assert killed >= scaled(30, 2)


def prepared(folder: Path, work: str) -> Path:
    """Make a root in ``lake``, and return a copy: metadata has absolute paths, so all runs work at one place."""
    root = Root.open(folder / "lake")
    put(root, seed=1, tables=("geo", "navigation"))
    put(root, OTHER, seed=2)
    if work != "begin":
        publish(root.place)
        put(root, seed=3, tables=("geo", "navigation"))
    return Path(shutil.copytree(root.place, folder / "kept"))


def assert_readable(root: Root, before: list[str]) -> None:
    """Assert that a reader of a table sees all its files, and those of one moment."""
    if (Path(root.place) / ICEBERG / "geo/metadata/version-hint.text").exists():
        found = files_of(published(root.place, "geo"))
        assert found in (before, counting_files(root, "geo"))
        assert all(Path(file).exists() for file in found)


def assert_done_again(root: Root, work: str) -> None:
    """Do the work again, and assert that the root is as after an undisturbed run."""
    if work == "stop":
        assert publish(root.place, stop=True).stopped
        assert list(root.store.entries(ICEBERG)) == []
        assert root.retired.waiting() == {}
    else:
        publish(root.place)
        assert_published(root, tables=("geo", "navigation"))


def test_two_publishers_a_compactor_and_a_reader(tmp_path: Path) -> None:
    """Two runs replace sources and one merges, and all publish: a reader never sees a row twice or missing."""
    root = Root.open(tmp_path / "lake")
    for name in ("one", "two"):
        put(root, Identity("7", name), seed=100, count=10)
    publish(root.place)
    rounds = scaled(25, 3)
    works = [("race", rounds, "one"), ("race", rounds, "two"), ("compact", scaled(25, 2))]
    with start("read", root.place) as reader, ExitStack() as stack:
        assert line(reader) == "ready"
        changing = [stack.enter_context(start(*work, root.place)) for work in works]
        assert [line(process) for process in changing] == ["ready"] * 3
        for process in changing:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        *done, merged = [line(process) for process in changing]
        assert done == ["done", "done"]
        assert int(merged.removeprefix("done ")) >= 1
        assert reader.stdin is not None
        reader.stdin.close()
        counts, readings = line(reader).rsplit("]", 1)
    assert counts == "[(20, 20)"
    assert int(readings.split()[0]) >= 1
    publish_changes(root)
    root.settle(root.commits())
    publish_changes(root)
    assert_published(root)

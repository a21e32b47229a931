"""A second run of the same command: everything is skipped, nothing is touched."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.support.at_rest import assert_at_rest
from tests.system.helpers import Rows, assert_same, convert, make_sources, rows_on_disk

Place = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of an evening, one with defects."""
    return make_sources(tmp_path_factory.mktemp("in"))


def places(root: Path) -> dict[str, Place]:
    """Inode, mode, size and modification time in nanoseconds of everything below a root.

    Of locks the names only: what opens one may touch it.
    """
    found = {}
    for parent, folders, names in os.walk(root):
        for name in [".", *folders, *names]:
            path = Path(parent, name)
            status = path.lstat()
            place = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns)
            found[os.path.relpath(path, root)] = (0, 0, 0, 0) if "locks" in path.parts else place
    return found


def assert_untouched(root: Path, before: dict[str, Place], rows: Rows) -> None:
    """Not a file or folder is another one than it was, and the rows are all there."""
    after = places(root)
    assert len(after) == len(before)
    assert after == before
    assert_same(rows_on_disk(root), rows)
    assert_at_rest(root)


def test_second_run_touches_nothing(sources: Path, tmp_path: Path) -> None:
    """All sources are skipped, no file below the root changes its name, size, time or inode, and nothing is counted."""
    root = tmp_path / "lake"
    first = convert(root, sources, code=3)
    assert len(first["committed"]) == first["sources"] == 6
    rows, before = rows_on_disk(root), places(root)
    assert sum(path.endswith(".parquet") for path in before) > 40
    second = convert(root, sources)
    assert (second["sources"], second["committed"], second["failed"]) == (6, [], [])
    assert second["skipped"] == first["committed"]
    assert (second["records"], second["rows"], second["quarantined"], second["inflated_bytes"]) == (0, {}, 0, 0)
    assert_untouched(root, before, rows)


def test_touched_and_moved_sources_are_skipped(sources: Path, tmp_path: Path) -> None:
    """A source with another time, or in another folder, is known by its content: skipped, no part touched.

    The commit records note the new places, so that the next run does not read the sources.
    """
    root, copies = tmp_path / "lake", tmp_path / "copies"
    first = convert(root, sources, code=3)
    rows, before = rows_on_disk(root), places(root)
    # Without their times, which copy2 would keep.
    shutil.copytree(sources, copies, copy_function=shutil.copy)
    for path in copies.iterdir():
        os.utime(path, ns=(1, 1))
    second = convert(root, copies)
    assert second["skipped"] == first["committed"]
    assert second["committed"] == []
    parts = {path: place for path, place in before.items() if path.endswith(".parquet")}
    assert {path: place for path, place in places(root).items() if path.endswith(".parquet")} == parts
    assert_same(rows_on_disk(root), rows)
    noted = places(root)
    assert convert(root, copies)["skipped"] == first["committed"]
    assert_untouched(root, noted, rows)


def test_dry_run_touches_nothing(sources: Path, tmp_path: Path) -> None:
    """A dry run over new content counts it and changes nothing of a root, and makes none where there is none."""
    root = tmp_path / "lake"
    convert(root, sources, code=3)
    rows, before = rows_on_disk(root), places(root)
    changed = make_sources(tmp_path / "changed", seed=9, files=2, dirty=False)
    summary = convert(root, changed, "--dry-run")
    assert len(summary["committed"]) == 2
    assert summary["records"] == sum(summary["rows"].values()) > 0
    assert_untouched(root, before, rows)
    convert(tmp_path / "none", changed, "--dry-run")
    assert not (tmp_path / "none").exists()

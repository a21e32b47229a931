"""wsparquet/dataset/settled_days.py: a run reads a day record again only if something about the day has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commit.test_kills import rows_of
from tests.commit.workload import OTHERS, commit_one, compact
from tests.dataset.helpers import IDENTITY, rows_on_disk
from wsparquet.dataset import Root
from wsparquet.layout import Identity
from wsparquet.store.local import LocalDisk


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root with sources of two accounts, whose rows of four days are merged; an open root knows nothing yet."""
    made = Root.open(tmp_path / "lake")
    for identity, seed in {IDENTITY: 1, **OTHERS}.items():
        commit_one(made, identity, seed)
    compact(made)
    return Root.open(tmp_path / "lake")


@contextmanager
def reading_days(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Note the day records that are read inside the context to be settled."""
    seen: list[str] = []
    whole = LocalDisk.read_all

    def watched(disk: LocalDisk, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        asked = list(paths)
        seen.extend(path for path in asked if "/days/" in path)
        return whole(disk, asked)

    with monkeypatch.context() as patch:
        patch.setattr(LocalDisk, "read_all", watched)
        yield seen


def test_settled_days_are_read_once(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start of a run all of them, and then none, as long as nothing changes."""
    with reading_days(monkeypatch) as first:
        root.settle(root.commits())
    assert len(first) == 4
    with reading_days(monkeypatch) as again:
        root.settle(root.commits())
    assert again == []


def test_days_of_a_replaced_source_are_read_and_settled(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their records are as before, and their rows are void: whoever replaced the source."""
    root.settle(root.commits())
    commit_one(Root.open(root.place), IDENTITY, 2)
    with reading_days(monkeypatch) as read:
        root.settle(root.commits())
    assert 1 <= len(read) <= 4
    assert rows_on_disk(Path(root.place)) == rows_of(2, 30, 31)
    root.settle(root.commits())
    with reading_days(monkeypatch) as again:
        root.settle(root.commits())
    assert again == []


def test_days_that_another_run_changed_are_read(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compaction adds members to days that were settled, and a removal then makes their rows void."""
    root.settle(root.commits())
    other = Root.open(root.place)
    commit_one(other, Identity("75555851", "late"), 40)
    compact(other)
    with reading_days(monkeypatch) as read:
        root.settle(root.commits())
    assert read
    other.remove(["late"])
    root.settle(root.commits())
    assert rows_on_disk(Path(root.place)) == rows_of(1, 30, 31)


def test_a_run_with_old_commits_leaves_nothing_void(root: Root) -> None:
    """Commits that were read before another run replaced a source: the next call with new ones settles the day."""
    old = root.commits()
    commit_one(Root.open(root.place), IDENTITY, 2)
    root.settle(old)
    root.settle(root.commits())
    assert rows_on_disk(Path(root.place)) == rows_of(2, 30, 31)

"""Publishers that are slow: what they have read before others published is never published after them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.iceberg.helpers import assert_published, files_of, hint, published, put, versions
from tests.support.tables import FEW, few_tables
from wsparquet import publish
from wsparquet.dataset import Root
from wsparquet.iceberg import publisher
from wsparquet.iceberg.expiry import delete_old_files
from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.in_root import TablesInRoot
from wsparquet.iceberg.parts import parts_by_location
from wsparquet.iceberg.publishing import publish_as, publish_changes
from wsparquet.iceberg.snapshots import next_snapshot, read_current, unchanged
from wsparquet.iceberg.tables import Change, Lost, State
from wsparquet.layout import Identity

THIRD = Identity("9", "third")


class Slow:
    """A publisher that has loaded a table and read the records, and commits later."""

    def __init__(self, root: Root) -> None:
        self.tables, files = TablesInRoot(root), StoreFiles(root)
        self.state = self.tables.load("geo")
        current = read_current(self.state.metadata, files)
        difference = current.differences(parts_by_location(root, files.base)["geo"])
        updates = next_snapshot(self.state.metadata, current, difference, files)
        self.change = Change(updates, unchanged(self.state.metadata))

    def commit(self) -> None:
        """Do what remains."""
        self.tables.settle(self.tables.commit(self.state, self.change))


def test_a_part_that_counted_only_between_two_publications(root: Root) -> None:
    """Committed and removed since the last snapshot: a slow publisher that saw the part cannot name it afterwards."""
    put(root, THIRD, seed=2)
    slow = Slow(root)
    root.remove(["third.gz"])
    before = len(published(root.place, "geo").snapshots())
    publish_changes(root)
    # The snapshot has the same files as the one before; without it, the slow publisher's would follow.
    assert len(published(root.place, "geo").snapshots()) == before + 1
    with pytest.raises(Lost):
        slow.commit()
    assert_published(root)


def test_a_slow_publisher_that_lost_begins_anew(root: Root) -> None:
    """A publisher that lost reads the records again, so no file comes back and none is added twice."""
    put(root, seed=2)
    slow = Slow(root)
    put(root, seed=3)
    publish_changes(root)
    with pytest.raises(Lost):
        slow.commit()
    publish_changes(root)
    assert_published(root)


def test_a_publisher_that_slept_until_its_version_was_deleted(root: Root) -> None:
    """Old versions are gone when it wakes up: it can create its own, but notices, and readers never see it."""
    put(root, seed=2)
    slow = Slow(root)
    for seed in range(3, 7):
        put(root, seed=seed)
        publish(root.place, keep=timedelta(0))
    assert versions(root.place) == [f"v{slow.state.version + 4}.metadata.json"]
    now = files_of(published(root.place, "geo"))
    with pytest.raises(Lost):
        slow.commit()
    assert versions(root.place) == [f"v{slow.state.version + 4}.metadata.json"]
    assert files_of(published(root.place, "geo")) == now
    publish(root.place)
    assert_published(root)


def test_a_hint_that_fell_behind_is_moved_forward(root: Root) -> None:
    """A publisher that died before it moved the hint: the next one moves it, even if nothing else is to do."""
    put(root, seed=2)
    publish_changes(root)
    path = Path(root.place) / "_wsparquet/iceberg/geo/metadata/version-hint.text"
    for wrong in (b"1", b"", b"x", None):
        path.unlink() if wrong is None else path.write_bytes(wrong)
        publish_changes(root)
        assert hint(root.place) == "2"
    TablesInRoot(root).settle(Slow(root).state.__class__("geo", Slow(root).state.metadata, True, None, 1))
    assert hint(root.place) == "2"


def test_the_end_of_a_publication_wins(root: Root) -> None:
    """A run that publishes while another process ends the publication leaves no table behind."""
    put(root, seed=2)
    publication = root.version.publication
    assert publication is not None
    publish(root.place, stop=True)
    publish_as(root, publication)
    assert [entry.path for entry in root.store.entries("_wsparquet/iceberg")] == []


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Root]:
    """A root of which two tables are published."""
    with few_tables():
        made = Root.open(tmp_path / "lake")
        put(made, seed=1)
        publish(made.place)
        yield made


def test_a_publisher_that_slept_while_the_publication_ended_and_began_anew(few: Root) -> None:
    """The new tables count their versions from 1 again, so its version seems free: it must not follow another table."""
    put(few, seed=2)
    slow = Slow(few)
    publish(few.place, stop=True)
    publish(few.place)
    with pytest.raises(Lost):
        slow.commit()
    assert (versions(few.place), hint(few.place)) == (["v1.metadata.json"], "1")
    assert_published(few, tables=FEW)


def test_a_publisher_that_cleans_up_late(few: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others have expired the snapshot that it keeps: it does not delete the manifests that newer snapshots share."""
    publish(few.place, keep=timedelta(0))
    tables = TablesInRoot(few)
    before = tables.load("geo")
    with monkeypatch.context() as patch:
        patch.setattr(publisher, "delete_old_files", lambda *_, **__: None)
        put(few, Identity("9", "added"), seed=2)
        publish_changes(few)
    after = tables.load("geo")
    put(few, Identity("9", "added later"), seed=3)
    publish_changes(few)
    delete_old_files(before, after, StoreFiles(few), keep_seconds=0, thorough=True)
    assert_published(few, tables=FEW)


def test_files_that_a_dead_publisher_would_have_deleted(few: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had removed the snapshots that an erasure forgets, and died: the next erasure deletes their files at once."""
    publish(few.place, keep=timedelta(days=1))
    put(few, Identity("9", "added"), seed=2)
    publish_changes(few)
    with monkeypatch.context() as patch:
        patch.setattr(publisher, "delete_old_files", lambda *_, **__: None)
        publish_changes(few, forget=True)
    folder = Path(few.place) / "_wsparquet/iceberg/geo/metadata"
    assert len([*folder.glob("snap-*.avro")]) == 2
    publish_changes(few, forget=True)
    assert len([*folder.glob("snap-*.avro")]) == len(versions(few.place)) == 1
    assert_published(few, tables=FEW)


def test_old_versions_of_a_moved_root_are_deleted(few: Root, tmp_path: Path) -> None:
    """They name files of the old place, which is not this root's to look at."""
    publish(few.place, keep=timedelta(0))
    moved = Root.open(shutil.copytree(few.place, tmp_path / "moved"))
    publish(moved.place)
    put(moved, Identity("9", "added"), seed=2)
    publish(moved.place)
    assert len(versions(moved.place)) == 1
    assert_published(moved, tables=FEW)
    assert_published(few, tables=FEW)


def test_a_publisher_whose_manifests_are_deleted_begins_anew(few: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without old snapshots, others delete the manifests of the table that it has just loaded, which is no damage."""
    publish(few.place, keep=timedelta(0))

    class Slowed(TablesInRoot):
        others = 0

        def load(self, name: str) -> State:
            state = super().load(name)
            if Slowed.others == 0 and name == "geo":
                Slowed.others += 1
                put(few, seed=2)
                publish_changes(few)
            return state

    monkeypatch.setattr(publisher, "TablesInRoot", Slowed)
    put(few, Identity("9", "added"), seed=3)
    publish_changes(few)
    assert Slowed.others == 1
    assert_published(few, tables=FEW)

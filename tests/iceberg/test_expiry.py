"""wsparquet/iceberg/expiry.py: old snapshots and the files that only they need go, after the time to keep them."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tests.iceberg.helpers import assert_published, hint, published, put, versions
from wsparquet import publish
from wsparquet.dataset import Root
from wsparquet.iceberg.expiry import ORPHAN_SECONDS, expire
from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.in_root import TablesInRoot
from wsparquet.iceberg.parts import parts_by_location
from wsparquet.iceberg.publishing import publish_changes
from wsparquet.iceberg.snapshots import MOST_MANIFESTS, Difference, next_snapshot, read_current, unchanged
from wsparquet.iceberg.tables import Change

DAY = timedelta(days=1)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A root that was published five times, each time with other rows."""
    made = Root.open(tmp_path / "lake")
    put(made, seed=1)
    publish(made.place, keep=DAY)
    for seed in range(2, 6):
        put(made, seed=seed)
        publish_changes(made)
    return made


def folder(root: Root) -> Path:
    """The folder with the metadata of a table."""
    return Path(root.place) / "_wsparquet/iceberg/geo/metadata"


def age(path: Path, seconds: float) -> None:
    """Make a file look as if it was written that long ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def named_files(root: Root) -> set[str]:
    """The names of all files that the newest metadata needs, and the hint."""
    table = published(root.place, "geo")
    snapshots = table.snapshots()
    names = {each.manifest_list for each in snapshots}
    names |= {manifest.manifest_path for each in snapshots for manifest in each.manifests(table.io)}
    return {name.rpartition("/")[2] for name in (*names, table.metadata_location)} | {"version-hint.text"}


def test_nothing_is_deleted_before_its_time(root: Root) -> None:
    """Within the time to keep, all snapshots and versions stay, and their manifests."""
    publish(root.place)
    assert len(published(root.place, "geo").snapshots()) == 5
    assert versions(root.place) == [f"v{number}.metadata.json" for number in range(1, 6)]
    assert {path.name for path in folder(root).iterdir()} == named_files(root) | set(versions(root.place))


def test_without_keeping_only_the_newest_is_left(root: Root) -> None:
    """One snapshot, one version, their manifests and the hint: readers of the table find all that they need."""
    publish(root.place, keep=timedelta(0))
    assert len(published(root.place, "geo").snapshots()) == 1
    assert versions(root.place) == [f"v{hint(root.place)}.metadata.json"]
    assert {path.name for path in folder(root).iterdir()} == named_files(root)
    assert_published(root)
    put(root, seed=9)
    publish_changes(root)
    assert {path.name for path in folder(root).iterdir()} == named_files(root)
    assert len(published(root.place, "geo").snapshots()) == 1


def test_a_version_is_kept_from_the_moment_that_a_newer_one_replaced_it(root: Root) -> None:
    """Not its own age counts: a reader may have opened an old version just before it was replaced."""
    for number in (1, 2, 3):
        age(folder(root) / f"v{number}.metadata.json", 2 * DAY.total_seconds())
    publish(root.place)
    put(root, seed=9)
    publish_changes(root)
    assert versions(root.place) == [f"v{number}.metadata.json" for number in (3, 4, 5, 6)]


def test_snapshots_expire_when_others_have_replaced_them_long_ago(root: Root) -> None:
    """The same for snapshots; the current one never expires, and neither does one that a tag names."""
    metadata = published(root.place, "geo").metadata
    snapshots = metadata.snapshots
    times = [snapshot.timestamp_ms for snapshot in snapshots]
    later = times[2] + 1000
    (update,) = expire(metadata, keep_seconds=1, now_ms=later, adding=False)
    assert update.snapshot_ids == [snapshots[0].snapshot_id, snapshots[1].snapshot_id]
    assert expire(metadata, keep_seconds=1, now_ms=times[1] + 999, adding=False) == ()
    far = times[-1] + 10**9
    (update,) = expire(metadata, keep_seconds=1, now_ms=far, adding=False)
    assert update.snapshot_ids == [snapshot.snapshot_id for snapshot in snapshots[:-1]]
    (update,) = expire(metadata, keep_seconds=0, now_ms=far, adding=True)
    assert update.snapshot_ids == [snapshot.snapshot_id for snapshot in snapshots]
    reference = metadata.refs["main"].model_copy(update={"snapshot_id": snapshots[0].snapshot_id})
    tagged = metadata.model_copy(update={"refs": {**metadata.refs, "audit": reference}})
    (update,) = expire(tagged, keep_seconds=1, now_ms=far, adding=False)
    assert snapshots[0].snapshot_id not in update.snapshot_ids


def test_what_publishers_that_died_left_is_deleted_by_the_next_call_of_publish(root: Root) -> None:
    """Manifests that no snapshot names, once they are older than any publication lasts; other files never."""
    left = "01234567-89ab-cdef-0123-456789abcdef-m0.avro"
    listed = "snap-1-0-01234567-89ab-cdef-0123-456789abcdef.avro"
    for name in (left, listed, "notes.txt", "other.avro", "v1.metadata.json.bak"):
        (folder(root) / name).write_bytes(b"x")
    publish(root.place)
    assert (folder(root) / left).exists()
    for path in folder(root).iterdir():
        age(path, ORPHAN_SECONDS + DAY.total_seconds() + 60)
    before = named_files(root)
    publish_changes(root)
    assert (folder(root) / left).exists()
    publish(root.place)
    names = {path.name for path in folder(root).iterdir()}
    assert not {left, listed} & names
    assert names >= before | {"notes.txt", "other.avro", "v1.metadata.json.bak"}
    assert_published(root)


def test_many_publications_have_few_manifests(root: Root) -> None:
    """Each snapshot adds a manifest; when there are many, the small ones are merged, so that a scan opens few."""
    tables, files = TablesInRoot(root), StoreFiles(root)
    state, most = tables.load("geo"), 0
    part = next(iter(parts_by_location(root, files.base)["geo"].values()))
    locations = [f"{files.base}/{number}.parquet" for number in range(MOST_MANIFESTS + 5)]
    for location in locations:
        current = read_current(state.metadata, files)
        updates = next_snapshot(state.metadata, current, Difference({location: part}, ()), files)
        state = tables.commit(state, Change(updates, unchanged(state.metadata)))
        most = max(most, len(state.metadata.current_snapshot().manifests(files)))
    assert most <= MOST_MANIFESTS + 1
    assert len(state.metadata.current_snapshot().manifests(files)) < MOST_MANIFESTS
    found = read_current(state.metadata, files)
    assert set(locations) < set(found.files)
    assert sum(len(entries) for _, entries in found.manifests) == len(found.files)

"""The recorder misses nothing, the model is the one that is documented, and a commit syncs in the right order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.power.recorder import Killed, Recorder
from tests.system.power.states import DATA, states
from tests.system.power.trace import File, Folder, Named, Synced, Trace
from tests.system.power.trial import Trials, trials
from wsparquet.store.local import LocalDisk


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder with a file ``old`` and an empty folder ``there``."""
    (tmp_path / "world/there").mkdir(parents=True)
    (tmp_path / "world/old").write_bytes(b"0123")
    return tmp_path / "world"


@pytest.fixture(scope="module")
def home() -> Iterator[Trials]:
    """A place for the trials of all tests in this file."""
    with trials() as found:
        yield found


def possible(recorded: Recorder) -> set[str]:
    """Every state that a crash could leave now: its paths, and the data of its files."""
    return {
        " ".join(
            f"{path}:{DATA[kept](node.data).decode()}" if isinstance(node, File) else path
            for path, node, kept in state.places
        )
        for state in states(recorded.trace, at_once=1000)
        if state.done
    }


def write(path: Path, *, sync: bool) -> None:
    """Write a file, and sync its data or not."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, b"new!")
    if sync:
        os.fsync(descriptor)
    os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Sync the names of a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


# --- The model --------------------------------------------------------------------------------------------------------


def test_a_name_that_was_not_synced_may_be_lost(world: Path) -> None:
    """A synced file may be missing until its folder is synced."""
    recorded = Recorder(world)
    with recorded.recording():
        write(world / "new", sync=True)
    assert possible(recorded) == {"old:0123 there", "old:0123 there new:new!"}
    with recorded.recording():
        sync_folder(world)
    assert possible(recorded) == {"old:0123 there new:new!"}


def test_data_that_was_not_synced_may_be_lost(world: Path) -> None:
    """A file whose folder was synced, and not its data, may be complete, empty, half or zeros, by all its names."""
    recorded = Recorder(world)
    with recorded.recording():
        write(world / "new", sync=False)
        os.link(world / "new", world / "two")
        sync_folder(world)
    kept = ("new!", "", "ne", "\0\0\0\0")
    assert possible(recorded) == {f"old:0123 there new:{data} two:{data}" for data in kept}


def test_a_rename_is_two_changes_and_a_replacement_one(world: Path) -> None:
    """Either folder may have its change, or not; a name that is replaced is never missing."""
    recorded = Recorder(world)
    with recorded.recording():
        write(world / "there/new", sync=True)
        sync_folder(world / "there")
        (world / "there/new").replace(world / "old")
    assert possible(recorded) == {
        f"old:{data} there{rest}" for data in ("0123", "new!") for rest in ("", " there/new:new!")
    }


def test_a_folder_whose_name_is_lost_is_lost_with_all_in_it(world: Path) -> None:
    """Syncing a folder and its files does not keep the folder's own name."""
    recorded = Recorder(world)
    with recorded.recording():
        (world / "more").mkdir()
        write(world / "more/new", sync=True)
        sync_folder(world / "more")
    assert possible(recorded) == {"old:0123 there", "old:0123 there more more/new:new!"}


def test_a_deletion_that_was_not_synced_may_be_undone(world: Path) -> None:
    """Until its folder is synced, a deleted file may come back after a crash."""
    recorded = Recorder(world)
    with recorded.recording():
        (world / "old").unlink()
    assert possible(recorded) == {"old:0123 there", "there"}


def test_data_that_changes_after_its_sync_is_refused(world: Path) -> None:
    """The model has files that are written once; the recorder says so instead of building wrong states."""
    recorded = Recorder(world)
    with recorded.recording():
        write(world / "new", sync=True)
        (world / "new").write_bytes(b"newer")
        with pytest.raises(AssertionError, match="new: expected that its data stays as it was synced"):
            os.link(world / "new", world / "two")
        with pytest.raises(NotImplementedError, match="symlink"):
            (world / "link").symlink_to("old")


def test_a_killed_process_changes_nothing_more(world: Path) -> None:
    """Whatever runs on the way out, such as the cleaning up of a commit, is not done and not recorded."""
    recorded = Recorder(world)
    with recorded.recording(kill_at=2):
        try:
            (world / "one").mkdir()
            (world / "two").mkdir()
        finally:
            with pytest.raises(Killed):
                (world / "one").rmdir()
    assert sorted(path.name for path in world.iterdir()) == ["old", "one", "there"]
    assert [event.path for event in recorded.trace.events] == ["one"]


# --- The local disk ---------------------------------------------------------------------------------------------------


def test_what_another_process_has_done_to_a_name_is_durable_for_who_meets_it(world: Path) -> None:
    """Creating a name that exists and deleting a missing name both sync the folder."""
    disk = LocalDisk(world)
    recorded = Recorder(world)
    with recorded.recording():
        os.link(world / "old", world / "new")
        assert not disk.create(world / "old", "new")
        assert possible(recorded) == {"old:0123 there new:0123"}
        (world / "new").unlink()
        disk.delete(["new", "no folder/new"])
        assert possible(recorded) == {"old:0123 there"}


def test_a_folder_is_synced_once_by_each_process_that_uses_it(world: Path) -> None:
    """Another process may have died between the creation of a folder and its sync; one sync serves its neighbors."""
    (world / "file").write_bytes(b"")
    recorded = Recorder(world)
    with recorded.recording():
        for name in ("one", "two"):
            (world / name).mkdir()
        disk = LocalDisk(world)
        for name in ("one", "two", "one"):
            disk.publish([(world / "file", f"{name}/file")])
            disk.publish([(world / f"{name}/file", "file")])
    assert [event.path for event in recorded.trace.syncs()] == [".", "one", ".", "two", ".", "one", "."]


# --- The order of a commit --------------------------------------------------------------------------------------------


def index_of_sync(trace: Trace, node: File | Folder, *, after: int = -1) -> int:
    """The index of the first sync of a file or folder after another event."""
    events = enumerate(trace.events)
    return next(index for index, event in events if isinstance(event, Synced) and event.node is node and index > after)


@pytest.mark.parametrize("work", ["add", "newer", "redo", "replay"])
def test_all_that_a_record_names_is_synced_before_the_record_has_its_name(home: Trials, work: str) -> None:
    """First a file's data, then its name in its folder, and every new folder's name; then those of the record."""
    trace = home.trial(work).trace
    named = [(index, event) for index, event in enumerate(trace.events) if isinstance(event, Named) and event.node]
    ((record, record_event),) = [
        (index, event) for index, event in named if "/commits/" in event.path and ".json" in event.path
    ]
    published = [
        (index, event) for index, event in named if event.path.endswith(".parquet") or "/quarantine/7555" in event.path
    ]
    assert sum(isinstance(event.node, File) for _, event in published) == 4
    for index, event in published:
        if isinstance(event.node, File):
            assert index_of_sync(trace, event.node) < index
        assert index < index_of_sync(trace, event.folder, after=index) < record
    for index, event in named:
        if isinstance(event.node, Folder) and "/tmp/" not in event.path:
            assert index_of_sync(trace, event.folder, after=index) == index + 1
    assert isinstance(record_event.node, File)
    assert index_of_sync(trace, record_event.node) < record


@pytest.mark.parametrize("work", ["newer", "redo", "remove", "replay", "take_over"])
def test_nothing_is_deleted_before_the_record_that_replaces_it_is_durable(home: Trials, work: str) -> None:
    """The record's folder is synced before the first old part goes, and the parts' folders before the intent goes."""
    trace = home.trial(work).trace
    gone = [(index, event) for index, event in enumerate(trace.events) if isinstance(event, Named) and not event.node]
    parts = [
        (index, event)
        for index, event in gone
        if event.path.endswith((".parquet", ".ndjson")) and "/tmp/" not in event.path
    ]
    assert len(parts) == 4
    records = [event for event in trace.events if isinstance(event, Named) and "/commits/" in event.path and event.node]
    first = parts[0][0]
    before = [event for event in records if trace.events.index(event) < first]
    assert before
    assert index_of_sync(trace, before[-1].folder, after=trace.events.index(before[-1])) < first
    intent = next(index for index, event in gone if "/intents/" in event.path and index > first)
    for index, event in parts:
        assert index_of_sync(trace, event.folder, after=index) < intent

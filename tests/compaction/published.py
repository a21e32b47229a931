"""Publishers for the schedules: actors that publish a root in memory, and readers that follow its published snapshots.

A reader of a published table never reads commit records. It opens the version that the hint names, and then the
manifests and the files of the current snapshot. At every instant, a reader must find all of these files, and the rows
of each source, with its copies, must be those that counted at one moment. This moment never goes back.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from pyiceberg.table.metadata import TableMetadataUtil

from tests.compaction.schedules import (
    TABLE,
    Actor,
    Rows,
    WithoutRecovery,
    check_end,
    opened,
    prepared,
    rows_in,
    rows_in_folder,
    rows_now,
)
from tests.support.memory import MemoryStore
from wsparquet.dataset import Root
from wsparquet.iceberg import publish_changes
from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.publishing import publish_root, stop_publishing
from wsparquet.layout import ICEBERG

FOLDER = f"{ICEBERG}/{TABLE}/metadata"
HINT = f"{FOLDER}/version-hint.text"

# --- Actors -----------------------------------------------------------------------------------------------------------


def then_publish(actor: Actor) -> Actor:
    """Do something, and publish it at the end, as every run in a published root does."""

    def run(root: Root) -> None:
        actor(root)
        publish_changes(root)

    return run


def publish_again(root: Root) -> None:
    """Publish as the command does, with the cleanup of what dead publishers have left."""
    publish_root(WithoutRecovery(root), keep=timedelta(0))  # type: ignore[arg-type]


def stop(root: Root) -> None:
    """End the publication."""
    stop_publishing(WithoutRecovery(root))  # type: ignore[arg-type]


# --- Readers ----------------------------------------------------------------------------------------------------------


class Snapshot(NamedTuple):
    """What a reader must find of a published snapshot: its manifests, and its files, each as often as it is named."""

    manifests: frozenset[str]
    files: Counter[str]


@lru_cache(maxsize=4096)
def _described(metadata: bytes, store: _Content) -> Snapshot:
    files = StoreFiles(opened(store.store))
    snapshot = TableMetadataUtil.parse_raw(metadata.decode()).current_snapshot()
    assert snapshot is not None
    manifests = snapshot.manifests(files)
    entries = [entry for each in manifests for entry in each.fetch_manifest_entry(files, discard_deleted=True)]
    named = frozenset(
        files.path(each) for each in (snapshot.manifest_list, *(each.manifest_path for each in manifests))
    )
    return Snapshot(named, Counter(files.path(entry.data_file.file_path) for entry in entries))


class _Content:
    """A store that counts as equal to every other one, because manifests never change."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content)


def published_snapshot(store: Any) -> Snapshot | None:
    """Return the snapshot that a reader opens, or None if nothing is published or the version has just been deleted."""
    hint = store.read(HINT)
    metadata = None if hint is None else store.read(f"{FOLDER}/v{int(hint)}.metadata.json")
    return None if metadata is None else _described(metadata, _Content(store))


def rows_published(store: MemoryStore, *, ending: bool = False) -> Rows | None:
    """Return the rows that a reader of this instant finds in the published table, or None if there is no table.

    ``ending``: while a publication ends, readers may find a part of the table, and fail.
    """
    try:
        snapshot = published_snapshot(store)
    except FileNotFoundError:
        assert ending
        return None
    if snapshot is None:
        assert ending or HINT not in store.files, "the hint names a version that does not exist"
        return None
    missing = (snapshot.manifests | snapshot.files.keys()) - store.files.keys()
    assert ending or not missing, f"a published snapshot names files that are gone: {sorted(missing)}"
    if missing:
        return None
    assert not [path for path, times in snapshot.files.items() if times > 1]
    return Counter(row for path in snapshot.files for row in rows_in(store.files[path][0]))


def _by_origin(rows: Rows) -> dict[str, Rows]:
    """Split rows by the number of their source: a source and its copies have the same rows, of which one set counts."""
    found: dict[str, Rows] = {}
    for row, count in rows.items():
        found.setdefault(row[0].rpartition(" ")[2], Counter())[row] = count
    return found


class SnapshotWatch:
    """Compares the published table after every operation with what counted at some moment up to then."""

    def __init__(self, store: MemoryStore, *, ending: bool = False) -> None:
        self._store = store
        self._ending = ending
        self._moments = [rows_now(store)[1]]
        self._reached: dict[str, int] = {}
        self._published = rows_published(store, ending=ending)
        self._readers: list[SnapshotReader] = []

    def reader(self) -> SnapshotReader:
        """Return a reader that this object watches, too."""
        self._readers.append(SnapshotReader())
        return self._readers[-1]

    def __call__(self, expected: Rows) -> None:
        """Check what a reader of this instant sees; ``expected`` are the rows that count now."""
        if expected != self._moments[-1]:
            self._moments.append(expected)
        found = rows_published(self._store, ending=self._ending)
        for reader in self._readers:
            reader.note(found)
        if found is not None and found != self._published:
            self._check(found)
        self._published = found

    def _check(self, found: Rows) -> None:
        seen = _by_origin(found)
        moments = [_by_origin(each) for each in self._moments]
        for origin in {*seen, *(each for moment in moments for each in moment)}:
            reached = self._reached.get(origin, 0)
            later = range(reached, len(moments))
            fits = [number for number in later if moments[number].get(origin) == seen.get(origin)]
            assert fits, (origin, seen.get(origin), [each.get(origin) for each in moments[reached:]])
            self._reached[origin] = fits[0]

    def check_readers(self) -> None:
        """Assert that each reader that finished has read one published state whole."""
        for reader in self._readers if not self._ending else ():
            assert reader.seen is None or reader.seen in reader.states, (reader.seen, reader.states)


class SnapshotReader:
    """A reader that opens the published table and reads its files later. It opens the table again if a file is gone."""

    def __init__(self) -> None:
        self.seen: Rows | None = None
        self.states: list[Rows | None] = []

    def note(self, published: Rows | None) -> None:
        """Note what is published after an operation of any actor."""
        if self.seen is None:
            self.states.append(published)

    def __call__(self, root: Root) -> None:
        """Read until no file is gone."""
        for _ in range(20):
            self.states = self.states[-1:]
            try:
                snapshot = published_snapshot(root.store)
            except FileNotFoundError:
                continue
            data = [root.store.read(path) for path in snapshot.files] if snapshot is not None else [None]
            if None not in data:
                self.seen = Counter(row for each in data if each is not None for row in rows_in(each))
                return


# --- The start and the end --------------------------------------------------------------------------------------------


def prepared_root(work: Path, *, compacted: bool, published: bool = True) -> MemoryStore:
    """A root with three sources, merged or not, which is published without keeping old snapshots."""
    store = prepared(work, compacted=compacted)
    root = opened(store)
    if published:
        publish_root(root, keep=timedelta(0))
    return store


def check_published_end(store: MemoryStore) -> None:
    """Assert that one unrelated run, and one more publication, leave what counts, published, and nothing else."""
    root = opened(store)
    root.recover(dead_seconds=-1)
    root.settle(root.commits())
    publish_changes(root)
    if root.version.publication is not None:
        assert rows_published(store) == rows_now(store)[1] == rows_in_folder(store)
        publish_root(root, keep=timedelta(0))
        snapshot = published_snapshot(store)
        assert snapshot is not None
        versions = [path for path in store.files if path.endswith(".metadata.json")]
        assert versions == [f"{FOLDER}/v{store.files[HINT][0].decode()}.metadata.json"]
    else:
        stop_publishing(root)
        assert not list(store.entries(ICEBERG))
    assert root.retired.waiting() == {}
    check_end(store)

"""Removes old snapshots of the published tables, and the files that only these snapshots need.

pyiceberg removes snapshots, but not their files. A snapshot or a version of the metadata expires when it has been
outdated for as long as the publication keeps old snapshots. Only files below the table's folder in the root are
deleted, and only by names that publishers give.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

from pyiceberg.exceptions import ValidationError
from pyiceberg.table.metadata import TableMetadata, TableMetadataUtil
from pyiceberg.table.snapshots import Snapshot
from pyiceberg.table.update import RemoveSnapshotsUpdate, TableUpdate

from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.metadata import table_path
from wsparquet.iceberg.tables import State
from wsparquet.store.store import Entry

__all__ = ["delete_all_files", "delete_old_files", "expire"]

VERSION = re.compile(r"(?:v([1-9][0-9]{0,17})|([0-9]{5,18})-[0-9a-f-]{36})\.metadata\.json", re.ASCII)
HINT = re.compile(r"version-hint\.text", re.ASCII)
MANIFEST = re.compile(r"(?:snap-[0-9]+-[0-9]+-)?[0-9a-f-]{36}(?:-m[0-9]+)?\.avro", re.ASCII)

ORPHAN_SECONDS = 24 * 3600.0
"""The age at which a manifest that no snapshot names is deleted: a publisher that is alive commits within minutes."""


def expire(metadata: TableMetadata, *, keep_seconds: float, now_ms: int, adding: bool) -> tuple[TableUpdate, ...]:
    """Return the update that removes snapshots that were replaced at least ``keep_seconds`` ago.

    ``adding``: whether the same change adds a snapshot. Snapshots that branches and tags name stay.
    """
    latest = now_ms - keep_seconds * 1000
    named = {reference.snapshot_id for name, reference in metadata.refs.items() if not adding or name != "main"}
    expired = [
        snapshot.snapshot_id
        for snapshot, replaced_ms in _replaced(metadata.snapshots, now_ms if adding else None)
        if replaced_ms <= latest and snapshot.snapshot_id not in named
    ]
    return (RemoveSnapshotsUpdate(snapshot_ids=expired),) if expired else ()


def _replaced(snapshots: Iterable[Snapshot], end_ms: int | None) -> Iterator[tuple[Snapshot, int]]:
    """Yield each replaced snapshot, with the time of its replacement in milliseconds."""
    ordered = sorted(snapshots, key=lambda each: (each.sequence_number or 0, each.timestamp_ms))
    times = [each.timestamp_ms for each in ordered[1:]] + ([] if end_ms is None else [end_ms])
    yield from zip(ordered, times, strict=False)


def delete_old_files(before: State, after: State, files: StoreFiles, *, keep_seconds: float, thorough: bool) -> None:
    """Delete the files of snapshots that a change has removed, and old versions of the metadata.

    With ``thorough``, also delete the manifests of publishers that died, which needs all manifest lists of the table,
    and the files of snapshots that a publisher has removed and then died. Old versions of the metadata name these.
    """
    found = list(files.store.entries(f"{table_path(after.name)}/metadata"))
    gone = set(_old_versions(found, after, time.time() - keep_seconds))
    snapshots = [*before.metadata.snapshots] if before.exists else []
    if thorough:
        snapshots += _snapshots_in(gone, files)
    # If another publisher has expired the snapshots of `after`, it deletes what they do not need.
    with suppress(FileNotFoundError):
        gone |= _of_removed_snapshots(snapshots, after, files)
        if thorough:
            latest = time.time() - max(keep_seconds, ORPHAN_SECONDS)
            gone |= set(_orphans(found, after, files, latest))
    # In ascending order, so that a publisher that slept notices.
    files.store.delete(sorted(gone, key=lambda path: (_number(path.rpartition("/")[2]) or 0, path)))


def _old_versions(found: Iterable[Entry], after: State, latest: float) -> Iterator[str]:
    """Yield the versions before the version of ``after`` that were replaced no later than ``latest`` (seconds)."""
    current = _number((after.location or "").rpartition("/")[2]) or 0
    numbered = ((_number(_name(each)), each) for each in found)
    versions = sorted((number, each.modified, each.path) for number, each in numbered if number is not None)
    for (number, _, path), (_, passed, _) in itertools.pairwise(versions):
        if number < current and passed <= latest:
            yield path


def _orphans(found: Iterable[Entry], after: State, files: StoreFiles, latest: float) -> Iterator[str]:
    """Yield the manifests older than ``latest`` (seconds) that no snapshot names. Raises FileNotFoundError."""
    named = {files.path(each) for each in _files_of(after.metadata.snapshots, files)}
    for each in found:
        if MANIFEST.fullmatch(_name(each)) and each.modified < latest and each.path not in named:
            yield each.path


def _snapshots_in(versions: Iterable[str], files: StoreFiles) -> Iterator[Snapshot]:
    """Yield the snapshots that versions of the metadata name, if a version is readable and its files are in the root.

    The files are elsewhere if the root was moved, or if another tool has changed the table.
    """
    for path in versions:
        with suppress(ValueError, ValidationError):
            found = TableMetadataUtil.parse_raw((files.store.read(path) or b"").decode("utf-8")).snapshots
            yield from (each for each in found if each.manifest_list.startswith(f"{files.base}/"))


def _of_removed_snapshots(before: Iterable[Snapshot], after: State, files: StoreFiles) -> set[str]:
    """Return the files that only the removed snapshots name.

    Raises FileNotFoundError if a remaining snapshot has expired meanwhile: the manifests that it shares with newer
    snapshots are then not known.
    """
    left = {snapshot.snapshot_id for snapshot in after.metadata.snapshots}
    removed = [snapshot for snapshot in before if snapshot.snapshot_id not in left]
    if not removed:
        return set()
    kept = after.metadata.snapshots
    if _is_chain(after.metadata):
        # Later snapshots never name a manifest again that a snapshot no longer names, so the oldest snapshot names all
        # old manifests that are still needed.
        kept = [min(kept, key=lambda each: each.sequence_number or 0)]
    return {files.path(each) for each in _files_of(removed, files, some=True) - _files_of(kept, files)}


def _is_chain(metadata: TableMetadata) -> bool:
    """Return whether each snapshot is an ancestor of the current one, which other tools may prevent."""
    found, snapshot = 0, metadata.current_snapshot()
    while snapshot is not None:
        found += 1
        parent = snapshot.parent_snapshot_id
        snapshot = None if parent is None else metadata.snapshot_by_id(parent)
    return found == len(metadata.snapshots)


def _files_of(snapshots: Iterable[Snapshot], files: StoreFiles, *, some: bool = False) -> set[str]:
    """Return the files that snapshots name: their lists of manifests, and the manifests.

    Raises FileNotFoundError if another publisher has deleted a list, unless ``some`` of the files are enough.
    """
    named: set[str] = set()
    for snapshot in snapshots:
        named.add(snapshot.manifest_list)
        try:
            named.update(manifest.manifest_path for manifest in snapshot.manifests(files))
        except FileNotFoundError:
            if not some:
                raise
    return named


def delete_all_files(name: str, files: StoreFiles) -> None:
    """Delete all files of a table that nobody can open any more, except the data."""
    found = files.store.entries(f"{table_path(name)}/metadata")
    own = (each for each in found if any(form.fullmatch(_name(each)) for form in (VERSION, MANIFEST, HINT)))
    files.store.delete([each.path for each in own])


def _name(entry: Entry) -> str:
    return entry.path.rpartition("/")[2]


def _number(file: str) -> int | None:
    match = VERSION.fullmatch(file)
    return int(match[1] or match[2]) if match else None

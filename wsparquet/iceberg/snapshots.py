"""Reads the files of an Iceberg table's current snapshot, and makes the next snapshot from a difference.

Snapshots are made without pyiceberg's transactions. These make two snapshots, for added and for removed files, never
drop the manifests of removed files, and retry after a conflict without reading the commit records again.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriter,
    write_manifest,
    write_manifest_list,
)
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import MAIN_BRANCH, SnapshotRefType
from pyiceberg.table.snapshots import Operation, Snapshot, Summary
from pyiceberg.table.update import (
    AddSnapshotUpdate,
    AssertRefSnapshotId,
    AssertTableUUID,
    SetSnapshotRefUpdate,
    TableRequirement,
    TableUpdate,
)
from pyiceberg.typedef import Record

from wsparquet.errors import DatasetError, WsparquetError
from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.metadata import field_id, partition_spec_id
from wsparquet.iceberg.parts import TablePart

__all__ = ["Current", "Difference", "ManifestGone", "day_number", "next_snapshot", "read_current", "unchanged"]

FORMAT: Literal[2] = 2
CODEC: Any = "gzip"
EPOCH = date(1970, 1, 1)

MOST_MANIFESTS = 20
"""How many manifests a snapshot may have before the small ones are merged, because a scan opens each of them."""

LARGE_MANIFEST_BYTES = 8 << 20
"""Manifests of this size are not merged. Iceberg's own default for merged manifests is the same."""


class ManifestGone(DatasetError):
    """A manifest of the current snapshot, or the snapshot's list of manifests, does not exist."""


@dataclass(frozen=True)
class Current:
    """The files that the current snapshot of a table names: the entries of each manifest, without removed files.

    ``has_deletes``: whether the snapshot also has files of deleted rows. Only other tools write these.
    """

    manifests: tuple[tuple[ManifestFile, tuple[ManifestEntry, ...]], ...] = ()
    has_deletes: bool = False

    @cached_property
    def files(self) -> dict[str, DataFile]:
        """The data files by location."""
        return {entry.data_file.file_path: entry.data_file for _, entries in self.manifests for entry in entries}

    def differences(self, wanted: Mapping[str, TablePart]) -> Difference:
        """Return the files to add and to remove, so that the table has exactly these parts, as their records say."""
        times = Counter(entry.data_file.file_path for _, entries in self.manifests for entry in entries)
        right = {
            location
            for location, file in self.files.items()
            if times[location] == 1 and location in wanted and _is_as_recorded(file, wanted[location])
        }
        added = {location: part for location, part in wanted.items() if location not in right}
        return Difference(added, self.files.keys() - right)


@dataclass(frozen=True)
class Difference:
    """The difference between two snapshots: the added parts by location, and the locations of the removed files."""

    added: Mapping[str, TablePart]
    removed: Collection[str]


def read_current(metadata: TableMetadata, files: StoreFiles) -> Current:
    """Return the files of the current snapshot.

    Raises:
        ManifestGone: a manifest does not exist.
        DatasetError: a manifest is not in the root, or is not readable.

    """
    try:
        snapshot = metadata.current_snapshot()
        manifests = snapshot.manifests(files) if snapshot is not None else []
        data = [each for each in manifests if each.content == ManifestContent.DATA]
        entries = tuple((each, tuple(each.fetch_manifest_entry(files))) for each in data)
        return Current(entries, has_deletes=len(data) < len(manifests))
    except WsparquetError:
        raise
    except FileNotFoundError as error:
        raise ManifestGone(
            f"{metadata.location}: expected the manifests of an Iceberg table, found that {error} is missing; the next "
            "run, or `wsparquet publish`, makes new ones"
        ) from error
    except Exception as error:  # pyiceberg's Avro decoder raises errors of many kinds
        raise DatasetError(
            f"{metadata.location}: expected the manifests of an Iceberg table, found one that is not readable "
            f"({type(error).__name__}); end the publication with `wsparquet publish --stop`, or drop the table from "
            "its catalog, and publish again"
        ) from error


def _is_as_recorded(file: DataFile, counting: TablePart) -> bool:
    part = counting.part
    found = (file.record_count, file.file_size_in_bytes, file.partition[0])
    return found == (part.rows, part.bytes, day_number(part.date))


def day_number(day: date | None) -> int | None:
    """Return the days since 1970-01-01, as Iceberg stores dates."""
    return None if day is None else (day - EPOCH).days


def next_snapshot(
    metadata: TableMetadata, current: Current, difference: Difference, files: StoreFiles
) -> tuple[TableUpdate, ...]:
    """Write the manifests of the next snapshot, and return the updates that add the snapshot to the table."""
    before = metadata.current_snapshot()
    making = _Making(metadata, files)
    manifests = [*making.added(difference.added), *making.kept(current, difference.removed)]
    snapshot = Snapshot(
        snapshot_id=making.snapshot_id,
        parent_snapshot_id=before.snapshot_id if before else None,
        sequence_number=metadata.next_sequence_number(),
        # The clocks of two machines may differ, and pyiceberg refuses a snapshot that is older than the previous
        # snapshot.
        timestamp_ms=max(time.time_ns() // 1_000_000, metadata.last_updated_ms),
        manifest_list=making.write_list(manifests, before),
        summary=_summary(current, difference),
        schema_id=metadata.current_schema_id,
    )
    return (
        AddSnapshotUpdate(snapshot=snapshot),
        SetSnapshotRefUpdate(ref_name=MAIN_BRANCH, type=SnapshotRefType.BRANCH, snapshot_id=snapshot.snapshot_id),
    )


def unchanged(metadata: TableMetadata) -> tuple[TableRequirement, ...]:
    """Return the requirements that a table has the same current snapshot as in ``metadata``."""
    current = metadata.current_snapshot()
    return (
        AssertTableUUID(uuid=metadata.table_uuid),
        AssertRefSnapshotId(ref=MAIN_BRANCH, snapshot_id=current.snapshot_id if current else None),
    )


class _Making:
    """The manifests of one snapshot."""

    def __init__(self, metadata: TableMetadata, files: StoreFiles) -> None:
        self._metadata = metadata
        self._files = files
        self._spec = metadata.specs()[partition_spec_id(metadata)]
        self._source_file = field_id(metadata, "source_file")
        self._token = uuid.uuid4()
        self._written = 0
        self.snapshot_id = metadata.new_snapshot_id()

    def added(self, parts: Mapping[str, TablePart]) -> Iterator[ManifestFile]:
        """Write the manifest of the added files, if there are any."""
        if parts:
            with self._writer() as writer:
                for location, part in sorted(parts.items()):
                    entry = ManifestEntry.from_args(
                        status=ManifestEntryStatus.ADDED,
                        snapshot_id=self.snapshot_id,
                        sequence_number=None,
                        file_sequence_number=None,
                        data_file=self._data_file(location, part),
                    )
                    writer.add_entry(entry)
            yield writer.to_manifest_file()

    def kept(self, current: Current, removed: Collection[str]) -> Iterator[ManifestFile]:
        """Yield the manifests of the current snapshot, rewritten without the removed files, and merged if many."""
        rewritten: list[ManifestEntry] = []
        untouched: list[tuple[ManifestFile, tuple[ManifestEntry, ...]]] = []
        for manifest, entries in current.manifests:
            if any(entry.data_file.file_path in removed for entry in entries):
                rewritten += [self._moved(entry, removed) for entry in entries]
            elif entries:
                untouched.append((manifest, entries))
        if len(untouched) >= MOST_MANIFESTS:
            small = [each for each in untouched if each[0].manifest_length < LARGE_MANIFEST_BYTES]
            rewritten += [self._moved(entry, ()) for _, entries in small for entry in entries]
            untouched = [each for each in untouched if each[0].manifest_length >= LARGE_MANIFEST_BYTES]
        yield from (manifest for manifest, _ in untouched)
        if rewritten:
            with self._writer() as writer:
                for entry in rewritten:
                    writer.add_entry(entry)
            yield writer.to_manifest_file()

    def _moved(self, entry: ManifestEntry, removed: Collection[str]) -> ManifestEntry:
        gone = entry.data_file.file_path in removed
        return ManifestEntry.from_args(
            status=ManifestEntryStatus.DELETED if gone else ManifestEntryStatus.EXISTING,
            snapshot_id=self.snapshot_id if gone else entry.snapshot_id,
            sequence_number=entry.sequence_number,
            file_sequence_number=entry.file_sequence_number,
            data_file=entry.data_file,
        )

    def _data_file(self, location: str, counting: TablePart) -> DataFile:
        """Describe a part by its commit record alone: opening each file would make the first publication slow."""
        part = counting.part
        return DataFile.from_args(
            content=DataFileContent.DATA,
            file_path=location,
            file_format=FileFormat.PARQUET,
            partition=Record(day_number(part.date)),
            record_count=part.rows,
            file_size_in_bytes=part.bytes,
            spec_id=self._spec.spec_id,
            **self._bounds(counting),
        )

    def _bounds(self, counting: TablePart) -> dict[str, Any]:
        """Return the metrics of ``source_file``, with which engines skip the files of other sources."""
        if counting.source_file is None:
            return {}
        column, value = self._source_file, counting.source_file.encode("utf-8")
        return {
            "value_counts": {column: counting.part.rows},
            "null_value_counts": {column: 0},
            "lower_bounds": {column: value},
            "upper_bounds": {column: value},
        }

    @contextmanager
    def _writer(self) -> Iterator[ManifestWriter]:
        location = self._location(f"{self._token}-m{self._written}.avro")
        self._written += 1
        file = self._files.new_output(location)
        with write_manifest(
            format_version=FORMAT,
            spec=self._spec,
            schema=self._metadata.schema(),
            output_file=file,
            snapshot_id=self.snapshot_id,
            avro_compression=CODEC,
        ) as writer:
            yield writer
        file.store()

    def write_list(self, manifests: Iterable[ManifestFile], before: Snapshot | None) -> str:
        """Write the list of the snapshot's manifests and return its location."""
        location = self._location(f"snap-{self.snapshot_id}-0-{self._token}.avro")
        file = self._files.new_output(location)
        with write_manifest_list(
            format_version=FORMAT,
            output_file=file,
            snapshot_id=self.snapshot_id,
            parent_snapshot_id=before.snapshot_id if before else None,
            sequence_number=self._metadata.next_sequence_number(),
            avro_compression=CODEC,
        ) as writer:
            writer.add_manifests(list(manifests))
        file.store()
        return location

    def _location(self, file: str) -> str:
        return f"{self._metadata.location}/metadata/{file}"


def _summary(current: Current, difference: Difference) -> Summary:
    """Return the counts that engines show for a snapshot, and that some engines use for ``count(*)``."""
    have = current.files
    added = [(each.part.rows, each.part.bytes) for each in difference.added.values()]
    gone = [(have[path].record_count, have[path].file_size_in_bytes) for path in difference.removed]
    left = [
        (each.record_count, each.file_size_in_bytes) for path, each in have.items() if path not in difference.removed
    ]
    days = {day_number(each.part.date) for each in difference.added.values()}
    days |= {have[path].partition[0] for path in difference.removed}
    counts = {
        **_counts(added, "added-data-files", "added-records", "added-files-size"),
        **_counts(gone, "deleted-data-files", "deleted-records", "removed-files-size"),
        "changed-partition-count": len(days),
        **_counts([*left, *added], "total-data-files", "total-records", "total-files-size"),
        "total-delete-files": 0,
        "total-position-deletes": 0,
        "total-equality-deletes": 0,
    }
    return Summary(_operation(difference), **{name: str(count) for name, count in counts.items()})


def _counts(files: Collection[tuple[int, int]], *names: str) -> dict[str, int]:
    totals = (len(files), sum(rows for rows, _ in files), sum(size for _, size in files))
    return dict(zip(names, totals, strict=True)) if files or names[0].startswith("total") else {}


def _operation(difference: Difference) -> Operation:
    if not difference.removed:
        return Operation.APPEND
    return Operation.OVERWRITE if difference.added else Operation.DELETE

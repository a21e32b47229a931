"""Writes day parts: merged files of many sources, and smaller files after the rows of a source became void."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from wsparquet.commit.days import DayRecord, Member
from wsparquet.commit.index import CommitIndex
from wsparquet.commit.log import CommitLog
from wsparquet.commit.protocol import CommitProtocol, Draft, unchecked
from wsparquet.commit.record import Part
from wsparquet.compute import count_values
from wsparquet.errors import DatasetError
from wsparquet.layout import Day, Identity, day_part_path
from wsparquet.schema import DOCUMENTED, Schema, Table
from wsparquet.store.disk_errors import translated
from wsparquet.store.store import Store

if TYPE_CHECKING:
    from wsparquet.parquet.sorting import SortedFile

__all__ = [
    "DayChange",
    "Input",
    "MergeLimits",
    "PartsGone",
    "Transform",
    "WrongRows",
    "part_rows",
    "rows_of_source",
    "settled",
    "write_day",
]

BATCH_ROWS = 1 << 13
"""How many rows are read at once: even with 10 KB for each row, they take only 80 MB."""

TARGET_BYTES = 512 << 20
MEMORY = 384 << 20
"""The default memory budget in bytes for the rows of one day."""


Transform = Callable[[str, pa.RecordBatch], pa.RecordBatch]
"""Returns the rows to write instead of rows of a table."""


class PartsGone(Exception):
    """A part to be merged does not exist any more, because another run has replaced it."""


class WrongRows(DatasetError):
    """Parts do not have the rows that their records state."""


class Input(NamedTuple):
    """A part to merge. The rows of the source files in ``void`` are left out; ``rows`` is the number of all other rows.

    If ``source_file`` is given, all rows must have this value in the column with this name.
    """

    part: Part
    rows: int
    void: frozenset[str] = frozenset()
    source_file: str | None = None


@dataclass(frozen=True)
class DayChange:
    """How a day record changes.

    ``found`` is the current record, or None. ``members`` are the members of the next record. ``kept`` are day parts
    that stay as they are. ``merged`` has the parts of each table that new day parts replace; a table without such parts
    loses its day parts.
    """

    day: Day
    found: DayRecord | None
    members: Mapping[str, Member]
    kept: Sequence[Part]
    merged: Mapping[str, Sequence[Input]] = field(default_factory=dict)


@dataclass(frozen=True)
class MergeLimits:
    """How day parts are written.

    ``target_bytes`` is the size in bytes at which a file is closed and another file is begun. ``memory`` is the memory
    budget in bytes for one day. Replaced files stay until ``keep_until`` (seconds since 1970), if it is not None.
    """

    target_bytes: int = TARGET_BYTES
    memory: int = MEMORY
    keep_until: float | None = None


def write_day(
    store: Store,
    protocol: CommitProtocol,
    change: DayChange,
    limits: MergeLimits = MergeLimits(),
    *,
    schema: Schema = DOCUMENTED,
    transform: Transform | None = None,
    check: Callable[[], None] = unchecked,
) -> DayRecord:
    """Write the new day parts, replace the day record, and delete the files that the new record replaces.

    ``check`` is that of ``Draft``.

    ``transform`` is applied to the rows of each table before they are written.

    Raises:
        PartsGone: another run has replaced a part that is to be merged; nothing is changed.
        DayConflict: another run has changed the day record; nothing is changed.
        DatasetError: the store or the disk fails, or a part does not have the rows that it should have.

    """
    with store.workspaces.new() as work:
        parts = list(change.kept)
        moves: list[tuple[Path, str]] = []
        for table, inputs in change.merged.items():
            folder = work.path(table)
            folder.mkdir()
            for file, facts in _merged(store, schema.tables[table], inputs, folder, limits, transform=transform):
                path = day_part_path(change.day.key, table, f"{work.token}.{len(moves)}")
                moves.append((file, path))
                parts.append(Part(path, table, change.day.day, *facts))
        members, until = change.members, limits.keep_until
        record = DayRecord.new(
            change.day, work.token, members=members, parts=parts, keep_until=until, extension=schema.hash
        )
        return protocol.commit_day(work, Draft(record, tuple(moves), check), expected=change.found)


def _merged(
    store: Store,
    table: Table,
    inputs: Sequence[Input],
    folder: Path,
    limits: MergeLimits,
    *,
    transform: Transform | None,
) -> list[SortedFile]:
    # Imported only here, because this module imports all of pyarrow.compute.
    from wsparquet.parquet.sorting import Sorting, write_sorted

    expected = sum(each.rows for each in inputs)
    order = Sorting(expected, limits.target_bytes, limits.memory)
    batches = _read(store, inputs, folder / "input")
    if transform is not None:
        batches = (transform(table.name, batch) for batch in batches)
    files = write_sorted(table, batches, folder, order)
    found = sum(file.facts.rows for file in files)
    if found != expected:
        raise WrongRows(
            f"{store.place()}: expected {expected} rows in {len(inputs)} parts of {table.name}, found {found}; "
            "nothing was changed. See what is wrong with `wsparquet verify`"
        )
    return files


def _read(store: Store, inputs: Iterable[Input], copy: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the inputs, without void rows. A part in a bucket is first copied to the path ``copy``.

    Raises PartsGone if a file does not exist, WrongRows if a source's part has rows of another source.
    """
    import pyarrow.compute as pc

    for each in inputs:
        void = pa.array(sorted(each.void), pa.string())
        for batch in part_rows(store, each.part, copy):
            sources = batch.column("source_file")
            if each.source_file is not None and set(pc.unique(sources).to_pylist()) != {each.source_file}:
                raise WrongRows(
                    f"{store.place(each.part.path)}: expected only rows of {each.source_file}, found others; "
                    "convert its source with `again`"
                )
            yield batch.filter(pc.invert(pc.is_in(sources, value_set=void))) if each.void else batch


def part_rows(store: Store, part: Part, copy: Path, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a part. Raises PartsGone if the file does not exist, DatasetError if it cannot be read."""
    import pyarrow.parquet as pq

    path = store.local_copy(part.path, copy)
    if path is None:
        raise PartsGone(part.path)
    with translated("read", store.place(part.path)):
        try:
            file = pq.ParquetFile(path)
        except FileNotFoundError as error:
            raise PartsGone(part.path) from error
        with file:
            yield from file.iter_batches(BATCH_ROWS, columns=columns)
    copy.unlink(missing_ok=True)


def rows_of_source(rows: pa.RecordBatch, source_file: str) -> pa.RecordBatch:
    """Return the rows of one source."""
    import pyarrow.compute as pc

    return rows.filter(pc.equal(rows.column("source_file"), pa.scalar(source_file)))


# --- Void rows --------------------------------------------------------------------------------------------------------


def settled(store: Store, log: CommitLog, record: DayRecord, commits: CommitIndex) -> DayChange | None:
    """Return the change that removes void rows from a day's parts, or None if there are none.

    ``commits`` are those of some time. Members whose content no commit has are compared with their commits' records
    again: ``record`` may be newer than ``commits``, and a member may leave a day record only after its commit got
    another content id. Only day parts that have void rows are written anew.

    Raises PartsGone if a day part does not exist any more, DatasetError if the store fails or the day parts do not have
    the rows of their members.
    """
    members = {name: each for name, each in record.members.items() if _is_current(log, record, name, commits)}
    void = [member for name, member in record.members.items() if name not in members]
    if not void:
        return None
    names = frozenset(member.source_file for member in void)
    tables = {table for member in void for table in member.rows}
    kept: list[Part] = []
    merged: dict[str, list[Input]] = {}
    for part in record.parts:
        count = _rows_of(store, part, names) if part.table in tables else 0
        if count:
            merged.setdefault(part.table, []).append(Input(part, part.rows - count, names))
        else:
            kept.append(part)
    expected = sum(rows for member in void for rows in member.rows.values())
    found = sum(each.part.rows - each.rows for inputs in merged.values() for each in inputs)
    if found != expected:
        raise WrongRows(
            f"{store.place(record.path)}: expected {expected} rows of replaced or removed sources in day parts, found "
            f"{found}; nothing was changed. See what is wrong with `wsparquet verify`"
        )
    return DayChange(record.identity, record, members, kept, merged)


def _is_current(log: CommitLog, record: DayRecord, name: str, commits: CommitIndex) -> bool:
    content_id = record.members[name].content_id
    if commits.has_content(content_id):
        return True
    commit = log.read(Identity(record.identity.account, name))
    return commit is not None and commit.content_id == content_id


def _rows_of(store: Store, part: Part, source_files: frozenset[str]) -> int:
    """Return how many rows of a part come from some source files."""
    found: Counter[str] = Counter()
    with store.workspaces.new() as work:
        for batch in part_rows(store, part, work.path("input"), ["source_file"]):
            found.update(count_values(batch.column(0)))
    return sum(found[name] for name in source_files)

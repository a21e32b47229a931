"""Checks one commit against its files: sizes, checksums, schemas, rows, times, quarantine, and the report's counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wsparquet.commit.days import Counting, DayRecord
from wsparquet.commit.log import CommitLog
from wsparquet.commit.parsing import decode_commit
from wsparquet.commit.record import Commit, Part
from wsparquet.errors import DatasetError
from wsparquet.layout import Day, DayKey
from wsparquet.parquet.file import time_range
from wsparquet.parquet.settings import file_schema
from wsparquet.schema import Schema, Table
from wsparquet.store.disk_errors import translated
from wsparquet.store.store import Store
from wsparquet.verification.doubles import Doubles
from wsparquet.verification.outcome import Kind, Problem, Verification
from wsparquet.verification.part_files import local_part, opened, sha256_of
from wsparquet.verification.quarantine import quarantine_entries

__all__ = ["check_commit", "check_extension_of", "check_part"]

LOOKS = 3
"""How many times a commit is checked if other runs keep replacing it during the check."""
SHOWN = 200
LEFT_OUT = ("erased", "expired")
"""The counts in reports of the records that have neither rows nor quarantine."""


def check_commit(log: CommitLog, store: Store, path: str, data: bytes, doubles: Doubles) -> Verification:
    """Check the record in ``data``, or a newer record that replaces it during the check.

    Parts whose rows are in day parts are not read. The other parts without problems are added to ``doubles``.
    """
    for _ in range(LOOKS):
        # A day record may have covered the part between two checks.
        found, days = _check(log, store, path, data, doubles)
        if not found.problems:
            return found
        again = store.read(path)
        if again == data and all(log.day_of(key) == record for key, record in days.items()):
            return found
        if again is None:
            return Verification(store.place())
        data = again
    return found


def _check(
    log: CommitLog, store: Store, path: str, data: bytes, doubles: Doubles
) -> tuple[Verification, Mapping[DayKey, DayRecord | None]]:
    """Return what was found, and the day records that decided which parts count."""
    found = Verification(store.place())
    try:
        commit = decode_commit(data, path)
    except DatasetError as error:
        found.problems.append(Problem("record", path, "a commit record", str(error)))
        return found, {}
    if commit.removed:
        return found, {}
    days = _days_of(log, commit)
    found.commits = 1
    found.rows = commit.row_count
    counting = Counting([commit], {record.identity: record for record in days.values() if record is not None})
    for part in counting.own_parts(commit):
        found.parts += 1
        found.bytes += part.bytes
        found.unchecked += part.checksum is None
        found.problems.extend(check_part(store, doubles.schema, part, partial(doubles.add, part)))
    if commit.parts:
        found.problems.extend(check_extension_of(commit.path, commit.extension, doubles.schema))
    if commit.same_as is None:
        counts = _Counts.of(commit.facts.report)
        found.problems.extend(_sums(commit, counts))
        found.problems.extend(_quarantine(store, commit, counts))
    return found, days


def _days_of(log: CommitLog, commit: Commit) -> dict[DayKey, DayRecord | None]:
    """Return the records of the days of a commit. A day record that is unreadable is reported elsewhere."""
    keys = dict.fromkeys(Day(commit.identity.account, part.date).key for part in commit.parts)
    return {key: _readable_day(log, key) for key in keys}


def _readable_day(log: CommitLog, key: DayKey) -> DayRecord | None:
    try:
        return log.day_of(key)
    except DatasetError:
        return None


@dataclass(frozen=True)
class _Counts:
    """The counts of a report.

    ``quarantined``: the numbers of quarantined records and items, under the report's names. ``left_out``: the number of
    records that the root does not keep.
    """

    records: int
    rows: Mapping[str, int]
    quarantined: Mapping[str, int]
    left_out: int

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> _Counts | None:
        """Return the counts of a report, or None if wsparquet did not write it and they are missing or invalid."""
        records, rows = report.get("records"), report.get("rows", {})
        kinds = {kind: report.get(kind, 0) for kind in ("quarantined", "items")}
        left_out = [report.get(kind, 0) for kind in LEFT_OUT]
        if not isinstance(records, int) or not isinstance(rows, dict):
            return None
        # isinstance treats a bool as an int, but a bool is not a valid count.
        if any(type(count) is not int for count in (records, *rows.values(), *kinds.values(), *left_out)):
            return None
        return cls(records, _positive(rows), _positive(kinds), sum(left_out))


def check_extension_of(path: str, found: str | None, schema: Schema) -> Iterator[Problem]:
    """Yield a problem if the parts of a record have another extension than the root."""
    if found != schema.hash:
        expected = "parts with the root's extension" if schema.hash else "parts without an extension"
        yield Problem("schema", path, expected, f"those of another one ({found or 'none'})")


def _positive(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def check_part(store: Store, schema: Schema, part: Part, accept: Callable[[pq.ParquetFile], None]) -> Iterator[Problem]:
    """Yield the differences between a file and what its record says. Call ``accept`` with a file without any."""

    def wrong(kind: Kind, expected: object, found: object) -> Problem:
        return Problem(kind, part.path, str(expected), str(found))

    try:
        with local_part(store, part.path) as path:
            if path is None:
                yield wrong("missing", f"a file of {part.bytes} bytes", "none")
                return
            with translated("read", store.place(part.path)):
                size, checksum = path.stat().st_size, sha256_of(path)
            if size != part.bytes:
                yield wrong("size", f"{part.bytes} bytes", f"{size}")
            if part.checksum is not None and checksum != part.checksum:
                yield wrong("checksum", f"SHA-256 {part.checksum}", checksum)
            yield from _rows_and_schema(schema.tables.get(part.table), part, path, accept)
    except DatasetError as error:
        yield wrong("missing", "a file that can be read", error)


def _rows_and_schema(
    table: Table | None, part: Part, path: Path, accept: Callable[[pq.ParquetFile], None]
) -> Iterator[Problem]:
    try:
        with opened(path) as file:
            yield from (problems := list(_content(table, part, file)))
            if not problems:
                accept(file)
    except (pa.ArrowException, OSError) as error:
        yield Problem("parquet", part.path, "a Parquet file", f"none ({error})")


def _content(table: Table | None, part: Part, file: pq.ParquetFile) -> Iterator[Problem]:
    if file.metadata.num_rows != part.rows:
        yield Problem("rows", part.path, f"{part.rows} rows", str(file.metadata.num_rows))
    if table is None:
        yield Problem("schema", part.path, "a table that this version knows", part.table)
        return
    if not file.schema_arrow.equals(file_schema(table)):
        yield Problem("schema", part.path, f"the schema of {part.table}", _difference(table, file.schema_arrow))
        return
    times = time_range(file.metadata, table)
    if times != (part.min_time, part.max_time):
        yield Problem("times", part.path, f"times from {part.min_time} to {part.max_time}", f"{times[0]} to {times[1]}")


def _difference(table: Table, schema: pa.Schema) -> str:
    """Describe the first difference between a schema and the table's."""
    ours = file_schema(table)
    for name in dict.fromkeys([*ours.names, *schema.names]):
        if name not in schema.names:
            return f"no column {name}"
        if name not in ours.names:
            return f"a column {name}"
        if not ours.field(name).equals(schema.field(name)):
            return f"{name} as {schema.field(name).type}"
    return "another order of columns"


def _sums(commit: Commit, counts: _Counts | None) -> Iterator[Problem]:
    if counts is None:
        said = {name: commit.facts.report.get(name) for name in ("records", "rows", "quarantined", "items")}
        yield Problem("sums", commit.path, "counts of records, rows, quarantined, items", str(said)[:SHOWN])
        return
    if counts.rows != commit.rows:
        yield Problem("sums", commit.path, f"rows {counts.rows} as reported", str(commit.rows))
    found = sum(commit.rows.values()) + counts.quarantined.get("quarantined", 0) + counts.left_out
    if counts.records != found:
        kinds = "rows, quarantined records, and records that were left out"
        yield Problem("sums", commit.path, f"{counts.records} records", f"{found} {kinds}")


def _quarantine(store: Store, commit: Commit, counts: _Counts | None) -> Iterator[Problem]:
    path = commit.quarantine or commit.path
    expected = "quarantined text" if counts is None else str(counts.quarantined)
    try:
        data = store.read(commit.quarantine) if commit.quarantine else b""
        if data is None:
            yield Problem("missing", path, f"a file with {expected}", "none")
            return
        found = _quarantined(data, path)
    except DatasetError as error:
        yield Problem("quarantine", path, "lines of JSON", str(error))
        return
    if counts is not None and found != counts.quarantined:
        yield Problem("quarantine", path, expected, str(found))


def _quarantined(data: bytes, path: str) -> dict[str, int]:
    """Count the records and items in a quarantine file, under the names that a report uses."""
    entries = quarantine_entries(data, path)
    return dict(Counter("quarantined" if each.kind == "record" else "items" for each in entries if not each.continued))

"""Checks the day parts of a root: each file, and the sources of its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pyarrow.parquet as pq

from wsparquet.commit.days import DayRecord, Member
from wsparquet.commit.log import CommitLog
from wsparquet.commit.parsing import decode_day
from wsparquet.commit.record import Commit, Part
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity
from wsparquet.store.store import Store
from wsparquet.verification.commits import LOOKS, check_extension_of, check_part
from wsparquet.verification.doubles import Doubles
from wsparquet.verification.outcome import Problem, Verification
from wsparquet.verification.sources import count_by_source

__all__ = ["check_day"]


def check_day(log: CommitLog, store: Store, path: str, data: bytes, doubles: Doubles) -> Verification:
    """Check the day record in ``data``, or a newer record that replaces it during the check.

    The rows of members in day parts without problems are added to ``doubles``.
    """
    for _ in range(LOOKS):
        found = _check(log, store, path, data, doubles)
        again = store.read(path)
        if not found.problems or again is None or again == data:
            return found
        data = again
    return found


def _check(log: CommitLog, store: Store, path: str, data: bytes, doubles: Doubles) -> Verification:
    found = Verification(store.place())
    try:
        record = decode_day(data, path)
        commits = {name: log.read(Identity(record.identity.account, name)) for name in record.members}
    except DatasetError as error:
        found.problems.append(Problem("record", path, "a day record and commit records of its members", str(error)))
        return found
    if record.parts:
        found.problems.extend(check_extension_of(path, record.extension, doubles.schema))
    counts: dict[str, Counter[str | None]] = {}
    for part in record.parts:
        found.parts += 1
        found.bytes += part.bytes
        found.unchecked += part.checksum is None
        sources = [each.source_file for each in record.members.values() if part.table in each.rows]

        def accept(file: pq.ParquetFile, part: Part = part, sources: Sequence[str] = sources) -> None:
            counts.setdefault(part.table, Counter()).update(count_by_source(file))
            doubles.add_day_part(part, file, sources)

        found.problems.extend(check_part(store, doubles.schema, part, accept))
    if not found.problems:
        found.problems.extend(_rows(record, counts))
    for name, member in record.members.items():
        found.problems.extend(_member(log, store, record, member, commits[name]))
    return found


def _rows(record: DayRecord, counts: Mapping[str, Counter[str | None]]) -> Iterator[Problem]:
    """Yield a problem for each table and source whose rows in the day parts are not the rows of a member."""
    expected: dict[str, Counter[str | None]] = {}
    for member in record.members.values():
        for table, rows in member.rows.items():
            expected.setdefault(table, Counter())[member.source_file] += rows
    for table in {**expected, **counts}:
        ours, theirs = expected.get(table, Counter()), counts.get(table, Counter())
        for source in {**ours, **theirs}:
            if ours[source] != theirs[source]:
                where = f"{record.path}, table {table}, source_file {source}"
                yield Problem("rows", where, f"{ours[source]} rows in day parts", f"{theirs[source]}")


def _member(
    log: CommitLog, store: Store, record: DayRecord, member: Member, commit: Commit | None
) -> Iterator[Problem]:
    where = f"{record.path}, member {member.source_file}"
    if commit is None or commit.content_id != member.content_id:
        now = "is removed" if commit is None else "has other rows now"
        found = f"rows of a source that {now}; the next run that writes removes these rows"
        yield Problem("unsettled", where, "only rows that count", found)
        return
    committed: Counter[str] = Counter()
    for part in commit.parts:
        if part.date == record.identity.day and part.table in member.rows:
            committed[part.table] += part.rows
    if dict(committed) != dict(member.rows):
        yield Problem("rows", where, f"rows of its commit record, {dict(committed)}", f"{dict(member.rows)}")
    if record.keeps_replaced() or log.intents_of(record.identity.key):
        # The replaced files are deleted later, or a run is about to delete them.
        return
    covered = [part.path for part in commit.parts if part.date == record.identity.day and part.table in member.rows]
    for path in sorted({*covered} - store.missing(covered)):
        yield Problem("stray", path, f"no file, because the day parts of {record.path} have its rows", "one; delete it")

"""Extends the day parts of one day, in one commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pyarrow as pa

from wsparquet.commit.days import DayRecord, Member
from wsparquet.commit.record import Part
from wsparquet.dataset import Root
from wsparquet.dataset.day_parts import DayChange, Input, MergeLimits, part_rows
from wsparquet.extensions.rows import Counts, Promotion
from wsparquet.schema import UNRECOGNIZED

__all__ = ["extend_day"]


def extend_day(root: Root, promotion: Promotion, record: DayRecord) -> None:
    """Write the day parts of a day anew. Rows that get another table are left out: they are own parts already.

    Raises DayConflict if another run has changed the day, DatasetError if the store fails.
    """
    gone = _gone(root, promotion, record)
    merged: dict[str, list[Input]] = {}
    kept: list[Part] = []
    for part in record.parts:
        if promotion.concerns(part.table):
            rows = part.rows - gone.get(part.path, Counter()).total()
            merged.setdefault(part.table, []).append(Input(part, rows))
        else:
            kept.append(part)
    sums: Counter[str] = Counter()
    for counts in gone.values():
        sums.update(counts)
    members = {name: _without(member, sums) for name, member in record.members.items()}
    nothing = [table for table, inputs in merged.items() if not any(each.rows for each in inputs)]
    merged = {table: [] if table in nothing else inputs for table, inputs in merged.items()}
    change = DayChange(record.identity, record, members, kept, merged)

    def transform(table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        rows = [each.rows for each in promotion.batch(table, batch, Counts()) if each.table == table]
        return rows[0] if rows else promotion.none(table)

    root.replace_day(change, MergeLimits(), transform=transform)


def _gone(root: Root, promotion: Promotion, record: DayRecord) -> Mapping[str, Counter[str]]:
    """Return how many rows leave each day part, by source file."""
    found: dict[str, Counter[str]] = {}
    with root.scratch() as folder:
        for part in record.parts:
            if part.table == UNRECOGNIZED.name and promotion.concerns(part.table):
                counts = found.setdefault(part.path, Counter())
                for batch in part_rows(root.store, part, folder / "input"):
                    sources = batch.column("source_file").to_pylist()
                    stays = promotion.stays(batch)
                    counts.update(str(name) for name, one in zip(sources, stays, strict=True) if not one)
    return found


def _without(member: Member, gone: Counter[str]) -> Member:
    """Return a member without the rows that have left ``unrecognized``."""
    number = gone[member.source_file]
    if not number:
        return member
    rows = {**member.rows, UNRECOGNIZED.name: member.rows[UNRECOGNIZED.name] - number}
    return member._replace(rows={table: count for table, count in rows.items() if count})

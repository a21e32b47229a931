"""Promotes values and rows of batches, as the reference decoder does with the rows of a source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pyarrow as pa

from wsparquet.commit.record import CommitFacts
from wsparquet.decode.reference.promotion import promoter
from wsparquet.decode.reference.records import Row
from wsparquet.decode.reference.rescue import Rescue, json_object, path_text, rescued_json
from wsparquet.decode.reference.stored import parse_record, parse_rescued
from wsparquet.decode.reference.undocumented import undocumented
from wsparquet.parquet.settings import file_schema
from wsparquet.schema import UNRECOGNIZED, Schema

__all__ = ["Counts", "Promoted", "Promotion"]

RESCUED, RECORD = "rescued", "record"
OTHER_PATHS = "(other)"


@dataclass
class Counts:
    """What a promotion changes in the report of a source. Each counter has differences, by table or table and path.

    ``promoted`` is the number of values that have left ``rescued``.
    """

    rows: Counter[str] = field(default_factory=Counter)
    rescued: Counter[tuple[str, str]] = field(default_factory=Counter)
    undocumented: Counter[tuple[str, str]] = field(default_factory=Counter)
    promoted: int = 0

    def add_rescued(self, table: str, rescue: Rescue, times: int) -> None:
        """Count rescued values ``times`` times."""
        for path, _ in rescue:
            self.rescued[table, path_text(path, starred=True)] += times

    def add_undocumented(self, table: str, counts: Mapping[str, int], times: int) -> None:
        """Count undocumented values ``times`` times."""
        for path, count in counts.items():
            self.undocumented[table, path] += count * times

    def applied_to(self, facts: CommitFacts, tables: tuple[str, ...]) -> CommitFacts:
        """Return the facts of a source with a changed report. ``tables`` are in the order of the report."""
        report = dict(facts.report)
        rows = Counter(report.get("rows", {}))
        rows.update(self.rows)
        report["rows"] = {table: rows[table] for table in tables if rows[table]}
        for name, changes in (("rescued", self.rescued), ("undocumented", self.undocumented)):
            report[name] = _changed(report.get(name, {}), changes, tables)
        return replace(facts, report=report)


def _changed(
    before: Mapping[str, Mapping[str, int]], changes: Counter[tuple[str, str]], tables: tuple[str, ...]
) -> dict[str, dict[str, int]]:
    after = {table: Counter(before.get(table, {})) for table in tables}
    for (table, path), count in changes.items():
        counts = after[table]
        # A report names only so many paths; the others are counted together.
        counts[path if path in counts or OTHER_PATHS not in counts else OTHER_PATHS] += count
    return {table: dict(+counts) for table, counts in after.items() if +counts}


@dataclass(frozen=True)
class Promoted:
    """The rows of a batch after promotion, by table; rows of ``unrecognized`` may get other tables."""

    table: str
    rows: pa.RecordBatch


class Promotion:
    """The promotion of rows from one schema to another that contains it."""

    def __init__(self, before: Schema, after: Schema) -> None:
        self.before = before
        self.after = after
        self._promoter = promoter(after, before)
        self._new_tables = [name for name in after.tables if name not in before.tables]

    def concerns(self, table: str) -> bool:
        """Return whether the rows of a table may change, or the columns of its files."""
        known, later = self.before.tables.get(table), self.after.tables[table]
        return known is not later or (table == UNRECOGNIZED.name and bool(self._new_tables))

    def batch(self, table: str, batch: pa.RecordBatch, counts: Counts) -> Iterator[Promoted]:
        """Yield the rows of a batch of a table with the columns of the later schema."""
        if table == UNRECOGNIZED.name:
            yield from self._unrecognized(batch, counts)
            return
        counts.add_undocumented(table, undocumented(self.before.tables[table], self._plain(table, batch)), -1)
        rows = self._documented(table, batch, counts)
        counts.add_undocumented(table, undocumented(self.after.tables[table], rows), 1)
        yield Promoted(table, rows)

    def none(self, table: str) -> pa.RecordBatch:
        """Return no rows of a table."""
        return pa.RecordBatch.from_pylist([], schema=file_schema(self.after.tables[table]))

    def stays(self, batch: pa.RecordBatch) -> list[bool]:
        """Return for each unrecognized record whether it stays one."""
        records = batch.column(RECORD).to_pylist()
        return [self._promoter.apply(_raw_row({}), parse_record(str(record))).raw for record in records]

    # --- Rows that stay in their table --------------------------------------------------------------------------------

    def _documented(self, table: str, batch: pa.RecordBatch, counts: Counts) -> pa.RecordBatch:
        changed: dict[int, dict[str, Any]] = {}
        for index, text in enumerate(batch.column(RESCUED).to_pylist()):
            if text is not None and (values := self._promoted(table, batch, (index, text), counts)) is not None:
                changed[index] = values
        return self._replaced(table, batch, changed)

    def _promoted(
        self, table: str, batch: pa.RecordBatch, rescued: tuple[int, str], counts: Counts
    ) -> dict[str, Any] | None:
        """Return the columns of a row after promotion, or None if nothing changes."""
        index, text = rescued
        rescue = parse_rescued(text)
        if not any(self._promoter.may_promote(table, path, value) for path, value in rescue):
            return None
        row = Row(table, _row(batch, index), list(rescue))
        self._promoter.promote(row)
        counts.add_rescued(table, rescue, -1)
        counts.add_rescued(table, row.rescue, 1)
        counts.promoted += len({path for path, _ in rescue} - {path for path, _ in row.rescue})
        row.columns[RESCUED] = json_object(rescued_json(row.rescue)) if row.rescue else None
        return row.columns

    def _replaced(self, table: str, batch: pa.RecordBatch, changed: dict[int, dict[str, Any]]) -> pa.RecordBatch:
        """Return the rows of a batch in the columns of the later schema, with some rows replaced."""
        plain = self._conformed(table, batch)
        if not changed:
            return plain
        rows = _from_rows(list(changed.values()), file_schema(self.after.tables[table]))
        places = {index: len(batch) + number for number, index in enumerate(changed)}
        order = pa.array([places.get(index, index) for index in range(len(batch))], pa.int64())
        return pa.Table.from_batches([plain, rows]).take(order).combine_chunks().to_batches()[0]

    def _conformed(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        schema = file_schema(self.after.tables[table])
        return pa.RecordBatch.from_arrays([_column(batch, field) for field in schema], schema=schema)

    def _plain(self, table: str, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.select([name for name in self.before.tables[table].schema.names if name in batch.schema.names])

    # --- Unrecognized records -----------------------------------------------------------------------------------------

    def _unrecognized(self, batch: pa.RecordBatch, counts: Counts) -> Iterator[Promoted]:
        found: dict[str, list[dict[str, Any]]] = {}
        kept: list[int] = []
        changed: dict[int, dict[str, Any]] = {}
        for index, text in enumerate(batch.column(RECORD).to_pylist()):
            columns = _row(batch, index)
            before = dict(columns)
            row = self._promoter.apply(_raw_row(columns), parse_record(str(text)))
            if row.raw:
                if columns != before:
                    changed[index] = columns
                kept.append(index)
                continue
            common = {name: columns[name] for name in ("metaData", "source_file", "record_number")}
            rescued = json_object(rescued_json(row.rescue)) if row.rescue else None
            counts.add_rescued(row.table, row.rescue, 1)
            counts.rows[UNRECOGNIZED.name] -= 1
            counts.rows[row.table] += 1
            found.setdefault(row.table, []).append({**row.columns, **common, RESCUED: rescued})
        if kept:
            rows = self._replaced(UNRECOGNIZED.name, batch, changed)
            yield Promoted(UNRECOGNIZED.name, rows.take(pa.array(kept, pa.int64())))
        for table, some in found.items():
            rows = _from_rows(some, file_schema(self.after.tables[table]))
            counts.add_undocumented(table, undocumented(self.after.tables[table], rows), 1)
            yield Promoted(table, rows)


def _raw_row(columns: dict[str, Any]) -> Row:
    return Row(UNRECOGNIZED.name, columns, raw=True)


def _row(batch: pa.RecordBatch, index: int) -> dict[str, Any]:
    """Return the columns of one row as Python values. Timestamps are microseconds since 1970, as decoders have them."""
    (row,) = _without_timestamps(batch.slice(index, 1)).to_pylist()
    return dict(row)


def _without_timestamps(batch: pa.RecordBatch) -> pa.RecordBatch:
    schema = pa.schema([pa.field(field.name, _integral(field.type)) for field in batch.schema])
    return pa.RecordBatch.from_arrays(
        [array.cast(field.type) for array, field in zip(batch.columns, schema, strict=True)], schema=schema
    )


def _integral(data_type: pa.DataType) -> pa.DataType:
    if isinstance(data_type, pa.StructType):
        return pa.struct([pa.field(child.name, _integral(child.type)) for child in data_type.fields])
    if isinstance(data_type, pa.ListType):
        return pa.list_(pa.field(data_type.value_field.name, _integral(data_type.value_type)))
    return pa.int64() if pa.types.is_timestamp(data_type) else data_type


def _from_rows(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    struct = cast("pa.StructArray", pa.array(rows, type=pa.struct(list(schema))))
    return pa.RecordBatch.from_arrays(struct.flatten(), schema=schema)


def _column(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    if field.name not in batch.schema.names:
        return cast("pa.Array", pa.nulls(len(batch), field.type))
    column = batch.column(field.name)
    return cast("pa.Array", column if column.type.equals(field.type) else column.cast(field.type))

"""Builds Arrow record batches: collects rows by table and returns them in the order of the source.

Rows are held until the ``metaData`` of their container is known. If the text of held rows exceeds ``batch_bytes``, the
rows are held as batches.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

import pyarrow as pa

from wsparquet.decode.model import Days
from wsparquet.decode.reference.days import day_of, own_day
from wsparquet.schema import DOCUMENTED, Schema, Table

__all__ = ["Batch", "BatchBuilder"]

Rows = list[dict[str, Any]]
Day = int | None


class Batch(NamedTuple):
    """Rows of a table. ``day`` is the day of the rows, in days since 1970, if days are separated."""

    table: str
    day: Day
    rows: pa.RecordBatch


class BatchBuilder:
    """Collects rows, which are dicts of their columns, and builds batches of about ``batch_bytes`` of source text.

    With ``days``, each batch has the rows of one day; all days of a table together are as large as one batch.
    """

    def __init__(self, source_file: str, batch_bytes: int, days: Days | None, schema: Schema = DOCUMENTED) -> None:
        self.source_file = source_file
        self.batch_bytes = batch_bytes
        self.days = days
        self.schema = schema
        self._rows: dict[str, dict[Day, Rows]] = defaultdict(lambda: defaultdict(list))
        self._bytes: Counter[str] = Counter()
        self._held_rows: dict[str, Rows] = defaultdict(list)
        self._held_batches: dict[str, list[tuple[list[Day], pa.RecordBatch]]] = defaultdict(list)
        self._held_bytes: Counter[str] = Counter()

    def add(self, table: str, row: dict[str, Any], size: int) -> list[Batch]:
        """Add a row that was read from ``size`` bytes of text. Return the batches that the row completes."""
        self._rows[table][self._day(self._own_day(table, row), row["metaData"])].append(row)
        self._bytes[table] += size
        return self._flush(table) if self._bytes[table] >= self.batch_bytes else []

    def hold(self, table: str, row: dict[str, Any], size: int) -> None:
        """Hold a row until ``release`` sets the ``metaData`` of its container."""
        self._held_rows[table].append(row)
        self._held_bytes[table] += size
        if self._held_bytes[table] >= self.batch_bytes:
            rows = self._held_rows.pop(table)
            days = [self._own_day(table, row) for row in rows]
            self._held_batches[table].append((days, self._build(table, rows)))
            self._held_bytes[table] = 0

    def release(self, metadata: dict[str, Any] | None) -> list[Batch]:
        """Set the ``metaData`` of all held rows. Return the rows that already form batches; keep the others."""
        done: list[Batch] = []
        for table, batches in self._held_batches.items():
            done.extend(self._flush(table))
            for own, batch in batches:
                days = [self._day(day, metadata) for day in own]
                done.extend(Batch(table, day, rows) for day, rows in _split(days, _with_metadata(batch, metadata)))
        for table, rows in self._held_rows.items():
            for row in rows:
                row["metaData"] = metadata
                self._rows[table][self._day(self._own_day(table, row), metadata)].append(row)
            self._bytes[table] += self._held_bytes[table]
        self._held_batches.clear()
        self._held_rows.clear()
        self._held_bytes.clear()
        return done

    def finish(self) -> list[Batch]:
        """Return the batches of all remaining rows."""
        return [batch for table in list(self._rows) for batch in self._flush(table)]

    def _own_day(self, table: str, row: dict[str, Any]) -> Day:
        return None if self.days is None else own_day(self.schema.tables[table], row)

    def _day(self, own: Day, metadata: dict[str, Any] | None) -> Day:
        """Return the day of a row whose own timestamps have the day ``own``."""
        if self.days is None or own is not None:
            return own
        start = day_of((metadata or {}).get("startTime"))
        return self.days.fallback if start is None else start

    def _flush(self, table: str) -> list[Batch]:
        by_day = self._rows.pop(table, {})
        self._bytes[table] = 0
        return [Batch(table, day, self._build(table, rows)) for day, rows in by_day.items()]

    def _build(self, table: str, rows: Rows) -> pa.RecordBatch:
        schema, varying = self.schema.tables[table].schema, _varying(self.schema.tables[table])
        columns = dict(zip(varying.names, _struct_array(rows, varying).flatten(), strict=True))
        columns["source_file"] = pa.repeat(pa.scalar(self.source_file, pa.string()), len(rows))
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


@lru_cache(maxsize=64)
def _varying(table: Table) -> pa.StructType:
    """Return all columns of a table, except ``source_file``, as one struct."""
    return pa.struct([field for field in table.schema if field.name != "source_file"])


def _struct_array(rows: Rows, kind: pa.StructType) -> pa.StructArray:
    return cast("pa.StructArray", pa.array(rows, type=kind))


def _with_metadata(batch: pa.RecordBatch, metadata: dict[str, Any] | None) -> pa.RecordBatch:
    index = batch.schema.get_field_index("metaData")
    field = batch.schema.field(index)
    return batch.set_column(index, field, pa.array([metadata] * batch.num_rows, type=field.type))


def _split(days: Sequence[Day], batch: pa.RecordBatch) -> Iterator[tuple[Day, pa.RecordBatch]]:
    """Yield each day with its rows, given the day of each row."""
    distinct = dict.fromkeys(days)
    for day in distinct:
        indices = [index for index, found in enumerate(days) if found == day]
        yield day, batch if len(distinct) == 1 else batch.take(pa.array(indices, pa.int64()))

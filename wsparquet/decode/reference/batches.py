"""Builds Arrow record batches: collects rows by table and returns them in the order of the source.

Rows are held until the ``metaData`` of their container is known. If the text of held rows exceeds ``batch_bytes``, the
rows are held as batches.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import lru_cache
from typing import Any, cast

import pyarrow as pa

from wsparquet.schema import TABLES

__all__ = ["BatchBuilder"]

Batch = tuple[str, pa.RecordBatch]
Rows = list[dict[str, Any]]


class BatchBuilder:
    """Collects rows, which are dicts of their columns, and builds batches of about ``batch_bytes`` of source text."""

    def __init__(self, source_file: str, batch_bytes: int) -> None:
        self.source_file = source_file
        self.batch_bytes = batch_bytes
        self._rows: dict[str, Rows] = defaultdict(list)
        self._bytes: Counter[str] = Counter()
        self._held_rows: dict[str, Rows] = defaultdict(list)
        self._held_batches: dict[str, list[pa.RecordBatch]] = defaultdict(list)
        self._held_bytes: Counter[str] = Counter()

    def add(self, table: str, row: dict[str, Any], size: int) -> list[Batch]:
        """Add a row that was read from ``size`` bytes of text. Return a batch if the row completes the batch."""
        self._rows[table].append(row)
        self._bytes[table] += size
        return self._flush(table) if self._bytes[table] >= self.batch_bytes else []

    def hold(self, table: str, row: dict[str, Any], size: int) -> None:
        """Hold a row until ``release`` sets the ``metaData`` of its container."""
        self._held_rows[table].append(row)
        self._held_bytes[table] += size
        if self._held_bytes[table] >= self.batch_bytes:
            self._held_batches[table].append(self._build(table, self._held_rows.pop(table)))
            self._held_bytes[table] = 0

    def release(self, metadata: dict[str, Any] | None) -> list[Batch]:
        """Set the ``metaData`` of all held rows. Return the rows that already form batches; keep the others."""
        done: list[Batch] = []
        for table, batches in self._held_batches.items():
            done.extend(self._flush(table))
            done.extend((table, _with_metadata(batch, metadata)) for batch in batches)
        for table, rows in self._held_rows.items():
            for row in rows:
                row["metaData"] = metadata
            self._rows[table].extend(rows)
            self._bytes[table] += self._held_bytes[table]
        self._held_batches.clear()
        self._held_rows.clear()
        self._held_bytes.clear()
        return done

    def finish(self) -> list[Batch]:
        """Return the batches of all remaining rows."""
        return [batch for table in list(self._rows) for batch in self._flush(table)]

    def _flush(self, table: str) -> list[Batch]:
        rows = self._rows.pop(table, [])
        self._bytes[table] = 0
        return [(table, self._build(table, rows))] if rows else []

    def _build(self, table: str, rows: Rows) -> pa.RecordBatch:
        schema, varying = TABLES[table].schema, _varying(table)
        columns = dict(zip(varying.names, _struct_array(rows, varying).flatten(), strict=True))
        columns["source_file"] = pa.repeat(pa.scalar(self.source_file, pa.string()), len(rows))
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


@lru_cache(maxsize=len(TABLES))
def _varying(table: str) -> pa.StructType:
    """Return all columns of a table, except ``source_file``, as one struct."""
    return pa.struct([field for field in TABLES[table].schema if field.name != "source_file"])


def _struct_array(rows: Rows, kind: pa.StructType) -> pa.StructArray:
    return cast("pa.StructArray", pa.array(rows, type=kind))


def _with_metadata(batch: pa.RecordBatch, metadata: dict[str, Any] | None) -> pa.RecordBatch:
    index = batch.schema.get_field_index("metaData")
    field = batch.schema.field(index)
    return batch.set_column(index, field, pa.array([metadata] * batch.num_rows, type=field.type))

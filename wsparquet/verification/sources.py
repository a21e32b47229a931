"""Separates the rows of one source from the other rows of a day part."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from wsparquet.compute import count_values
from wsparquet.verification.part_files import batches

__all__ = ["count_by_source", "rows_of_source"]

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


def rows_of_source(rows: Rows, source_file: str) -> Rows:
    """Return the rows of one source."""
    return rows.filter(pc.equal(rows.column("source_file"), pa.scalar(source_file)))


def count_by_source(file: pq.ParquetFile) -> Counter[str | None]:
    """Return the number of rows of each source in a file."""
    found: Counter[str | None] = Counter()
    for batch in batches(file, ["source_file"]):
        found.update(count_values(batch.column(0)))
    return found

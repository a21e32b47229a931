"""Counts the rows of each source in a day part."""

from __future__ import annotations

from collections import Counter

import pyarrow.parquet as pq

from wsparquet.compute import count_values
from wsparquet.verification.part_files import batches

__all__ = ["count_by_source"]


def count_by_source(file: pq.ParquetFile) -> Counter[str | None]:
    """Return the number of rows of each source in a file."""
    found: Counter[str | None] = Counter()
    for batch in batches(file, ["source_file"]):
        found.update(count_values(batch.column(0)))
    return found

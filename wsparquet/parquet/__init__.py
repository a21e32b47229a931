"""How a table's rows become Parquet files: settings, partitions, writers."""

from __future__ import annotations

from wsparquet.parquet.settings import WriterLimits
from wsparquet.parquet.writers import WriterPool

__all__ = ["WriterLimits", "WriterPool"]

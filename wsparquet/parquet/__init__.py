"""Writes the rows of tables to Parquet files: file settings, partitioning by day, and writers."""

from __future__ import annotations

from wsparquet.parquet.settings import WriterLimits
from wsparquet.parquet.writers import WriterPool

__all__ = ["WriterLimits", "WriterPool"]

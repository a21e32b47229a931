"""Publishes roots as Iceberg tables: metadata over the same Parquet files, for engines that read a table format.

For roots that are not published, only ``publishing`` is imported, because importing pyiceberg takes longer than a short
run.
"""

from __future__ import annotations

from wsparquet.iceberg.outcome import PublishedTable, Publishing
from wsparquet.iceberg.publishing import mismatches, publish, publish_changes

__all__ = ["PublishedTable", "Publishing", "mismatches", "publish", "publish_changes"]

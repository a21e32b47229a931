"""An older release, as far as an upgrade can tell: it put every row a day earlier than this one does.

Run as a program: ``older_release.py SOURCES ROOT``.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator

import pyarrow as pa

import wsparquet
from wsparquet.parquet import partition, writers


def a_day_earlier(
    table: str, batch: pa.RecordBatch, fallback_day_ms: int | None
) -> Iterator[tuple[dt.date | None, pa.RecordBatch]]:
    """The rows of every day, under the day before."""
    for day, rows in partition.split_by_day(table, batch, fallback_day_ms):
        yield None if day is None else day - dt.timedelta(days=1), rows


if __name__ == "__main__":
    writers.split_by_day = a_day_earlier  # type: ignore[attr-defined] # an import, replaced where it is used
    summary = wsparquet.convert(sys.argv[1], sys.argv[2])
    sys.exit(0 if summary.committed and not summary.failed else 1)

"""An older release, as far as an upgrade can tell: it put every row a day earlier than this one does.

Run as a program: ``older_release.py SOURCES ROOT``.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator

import pyarrow as pa

import wsparquet
from wsparquet.decode.model import Decoded

by_day = Decoded.by_day


def a_day_earlier(decoded: Decoded) -> Iterator[tuple[str, dt.date | None, pa.RecordBatch]]:
    """The rows of every day, under the day before."""
    for table, day, rows in by_day(decoded):
        yield table, None if day is None else day - dt.timedelta(days=1), rows


if __name__ == "__main__":
    Decoded.by_day = a_day_earlier  # type: ignore[method-assign, assignment]
    summary = wsparquet.convert(sys.argv[1], sys.argv[2])
    sys.exit(0 if summary.committed and not summary.failed else 1)

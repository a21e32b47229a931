"""Published roots with few tables, for tests that publish often: the steps are the same for each table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from wsparquet.iceberg import check, publisher
from wsparquet.schema import TABLES

FEW = ("geo", "navigation")


@contextmanager
def few_tables() -> Iterator[None]:
    """Publish, and verify, two tables instead of all."""
    few = {name: TABLES[name] for name in FEW}
    with mock.patch.object(publisher, "TABLES", few), mock.patch.object(check, "TABLES", few):
        yield

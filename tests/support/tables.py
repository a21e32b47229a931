"""Published roots with few tables, for tests that publish often: the steps are the same for each table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from wsparquet.iceberg import check, publisher

FEW = ("geo", "navigation")


@contextmanager
def few_tables() -> Iterator[None]:
    """Publish, and verify, two tables instead of all."""
    with ExitStack() as patches:
        for module in (publisher, check):
            patches.enter_context(mock.patch.object(module, "table_names", return_value=FEW))
        yield

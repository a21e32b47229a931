"""Looks up the Arrow schema of a table by the table's name."""

from __future__ import annotations

import pyarrow as pa

from wsparquet.options import check_choice
from wsparquet.schema.tables import TABLES

__all__ = ["arrow_schema"]


def arrow_schema(table: str) -> pa.Schema:
    """Return the complete Arrow schema of a table, without the partition column ``date``.

    Each field has its documented description in its metadata, under the key ``doc``.

    >>> wsparquet.arrow_schema("geo").names[:2]
    ['visitId', 'visitorId']

    Raises:
        OptionError: there is no such table.

    """
    check_choice("table", table, tuple(TABLES))
    return TABLES[table].schema

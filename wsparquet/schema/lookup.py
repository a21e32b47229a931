"""Looks up tables by name: the schema of a table, and the order of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import pyarrow as pa

from wsparquet.options import check_choice
from wsparquet.schema.personal import with_personal
from wsparquet.schema.tables import TABLES

__all__ = ["arrow_schema", "in_table_order"]

Value = TypeVar("Value")


def arrow_schema(table: str) -> pa.Schema:
    """Return the complete Arrow schema of a table, without the partition column ``date``.

    Each field has its documented description in its metadata, under the key ``doc``. The metadata of each leaf column
    has the key ``personal``: what the column says about a person (``direct``, ``pseudonymous``, ``network``, ``text``,
    or ``none``).

    >>> wsparquet.arrow_schema("geo").names[:2]
    ['visitId', 'visitorId']

    Raises:
        OptionError: there is no such table.

    """
    check_choice("table", table, tuple(TABLES))
    return with_personal(table)


def in_table_order(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values, keyed by table, in the order of the schema's tables. Other keys come last, in their own order.

    >>> list(in_table_order({"navigation": 1, "geo": 2}))
    ['geo', 'navigation']
    """
    known = {table: values[table] for table in TABLES if table in values}
    return known | {table: value for table, value in values.items() if table not in known}

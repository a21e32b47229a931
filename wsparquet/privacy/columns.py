"""Finds the columns that a path of a policy names, and says which masks suit them."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import pyarrow as pa

from wsparquet.errors import OptionError
from wsparquet.options import did_you_mean
from wsparquet.schema import TABLES
from wsparquet.schema.leaves import leaf_columns
from wsparquet.schema.own_timestamps import NOT_OWN
from wsparquet.schema.personal import personal_data
from wsparquet.schema.tables import PARTITION, RESCUED_COLUMN

__all__ = ["Column", "all_columns", "check_action", "columns_at"]

MOST_SHOWN: Final = 3
_LISTS = re.compile(r"^\$\.|\[\*?\]")
"""What a path in a report has in addition to the names of the fields."""


class Column(NamedTuple):
    """A leaf column. ``path`` has the names of the fields that lead to it; lists have no step.

    ``starred`` is the path in reports and in ``rescued``, with ``[*]`` instead of indices. ``personal`` and
    ``truncate`` are as in ``wsparquet.schema.personal``.
    """

    table: str
    path: str
    starred: str
    type: pa.DataType
    personal: str
    truncate: str

    @property
    def name(self) -> str:
        """The path with the table."""
        return f"{self.table}.{self.path}"

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the fields."""
        return tuple(self.path.split("."))

    @property
    def actions(self) -> tuple[str, ...]:
        """The masks that suit this column."""
        if self.path == RESCUED_COLUMN.name:
            return ("drop",)
        if self.steps[0] in {*NOT_OWN, PARTITION.name} or pa.types.is_timestamp(self.type):
            return ()
        if not pa.types.is_string(self.type):
            return ("drop",)
        return ("drop", "hash", "redact", "truncate") if self.truncate else ("drop", "hash", "redact")


@functools.cache
def all_columns() -> Mapping[str, Column]:
    """Return the leaf columns of all tables, with the partition column, by table and path."""
    found = {}
    for table in TABLES:
        for leaf in leaf_columns(pa.schema([*TABLES[table].schema, PARTITION])):
            path = ".".join(step for step in leaf.steps if step is not None)
            line = personal_data()[table, path]
            column = Column(table, path, leaf.path, leaf.field.type, line.personal, line.truncate)
            found[column.name] = column
    return found


def columns_at(path: str) -> list[Column]:
    """Return the columns with a path, in one table or in all, or the columns in the struct or list with this path.

    Raises:
        OptionError: no column has the path; the message has similar ones.

    """
    plain = _LISTS.sub("", path)
    table, _, rest = plain.partition(".")
    known = all_columns()
    if table in TABLES:
        found = [column for column in known.values() if column.table == table and _is_below(column.path, rest)]
    else:
        found = [column for column in known.values() if _is_below(column.path, plain)]
    if not found:
        raise OptionError("mask", f"expected the path of a column, found {path[:200]!r}{_near(plain)}")
    return found


def _is_below(path: str, given: str) -> bool:
    return path == given or (bool(given) and path.startswith(f"{given}."))


def _near(path: str) -> str:
    """Return the end of a message that suggests columns with the same last name, or the most similar path."""
    table, last = path.partition(".")[0], path.rpartition(".")[2].casefold()
    named = {column.name for column in all_columns().values() if column.table == table}
    known = sorted(named or {column.path for column in all_columns().values()})
    same = [name for name in known if name.rpartition(".")[2].casefold() == last]
    if same:
        more = f" or {len(same) - MOST_SHOWN} more" if len(same) > MOST_SHOWN else ""
        return f"; did you mean {', '.join(same[:MOST_SHOWN])}{more}?"
    return did_you_mean(path, known) or "; `wsparquet schema --as markdown` lists all columns"


def check_action(column: Column, action: str) -> None:
    """Refuse a mask that does not suit a column. Raises OptionError."""
    if action in column.actions:
        return
    if not column.actions:
        why = "the partition of a row follows from it" if pa.types.is_timestamp(column.type) else "it identifies rows"
        raise OptionError("mask", f"expected a column that can be masked, found {column.name}: {why}")
    kind = "text with JSON" if column.path == RESCUED_COLUMN.name else str(column.type)
    only = "; only columns with IP addresses and URLs can be truncated" if action == "truncate" else ""
    fits = " or ".join(column.actions)
    raise OptionError("mask", f"expected {fits} for {column.name}, which is {kind}, found {action}{only}")

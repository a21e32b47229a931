"""Twins: commits of the same text. Only one of them counts.

Two commits are twins if both have rows and the same inflated text, whatever their names and accounts are. Two writers
can commit twins at the same time, because they write different records. Readers count only one twin, and the next run
makes the other twins *yield*: a record that yields has no parts and refers to the twin that counts.

A record that yields stays in the root. If the record were deleted, a reader could miss the rows: it could list the
records before the preferred twin exists, and read them after the deletion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from wsparquet.commit.record import Commit, CommitHeader, Text
from wsparquet.layout import SEVERAL_ACCOUNTS, UNKNOWN_ACCOUNT, Identity
from wsparquet.names import parse_name

__all__ = ["counting", "find_twins", "has_rows_of", "outranks", "preference", "refer_to_rows"]

Record = TypeVar("Record", bound=Commit | CommitHeader)


def outranks(identity: Identity, other: Identity) -> bool:
    """Return whether ``identity`` is better known than ``other``. If so, its commit takes over the rows.

    An API name is better than another name, and a known account is better than ``unknown`` and ``multiple``.
    """
    return _rank(identity) < _rank(other)


def preference(identity: Identity) -> tuple[tuple[bool, bool], str, str]:
    """Return the sort key of a twin. The twin with the smallest key counts."""
    return _rank(identity), identity.account, identity.name


def _rank(identity: Identity) -> tuple[bool, bool]:
    return not parse_name(identity.name).is_api, identity.account in {UNKNOWN_ACCOUNT, SEVERAL_ACCOUNTS}


def find_twins(records: Iterable[Record]) -> Iterator[tuple[Record, Record]]:
    """Yield a pair for each record that must yield: the record, and the twin that counts."""
    groups: dict[Text, list[Record]] = {}
    for record in records:
        if record.row_count and record.facts.text is not None:
            groups.setdefault(record.facts.text, []).append(record)
    for group in groups.values():
        if len(group) > 1:
            first, *others = sorted(group, key=lambda each: preference(each.identity))
            for other in others:
                yield other, first


def counting(records: Iterable[Commit]) -> list[Commit]:
    """Return the records that count, which are all except those with a preferred twin."""
    found = list(records)
    yielding = {other.identity for other, _ in find_twins(found)}
    return [record for record in found if record.identity not in yielding]


def has_rows_of(record: Commit | CommitHeader | None, other: Commit | CommitHeader) -> bool:
    """Return whether ``record`` has rows, and has the same text as ``other``."""
    return record is not None and record.row_count > 0 and record.facts.text == other.facts.text


def refer_to_rows(record: Record, get: Callable[[Identity], Record | None]) -> Record | None:
    """Follow ``same_as`` from a record to the record with its rows, or return None if no record has the rows.

    A record without ``same_as`` is returned itself. ``get`` returns the record of an identity.
    """
    seen: set[Identity] = set()
    found: Record | None = record
    while found is not None and found.same_as is not None:
        if found.identity in seen:
            return None
        seen.add(found.identity)
        found = get(found.same_as)
    return found if found is record or has_rows_of(found, record) else None

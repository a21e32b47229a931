"""Retention: drops the rows of days that are too old, and remembers these days, so that no later run adds them again.

A rule in ``root.json`` says for each table which days have expired. It is written first. Then each commit record is
replaced by one that does not name the expired parts, and at last each day record. A run that is killed in between, and
rows that other runs add meanwhile, are finished by the next call.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from wsparquet.commit import Commit, Part
from wsparquet.commit.days import Member
from wsparquet.commit.protocol import DayConflict
from wsparquet.dataset import Access, Root
from wsparquet.dataset.day_parts import DayChange, MergeLimits
from wsparquet.dataset.version import EXPIRED, RootVersion, change_version
from wsparquet.decode.model import add_counts
from wsparquet.errors import DatasetError, OptionError
from wsparquet.iceberg import publish_changes
from wsparquet.json_values import in_json
from wsparquet.log import LOGGER
from wsparquet.options import check_choice, check_duration, check_kind
from wsparquet.results import Result

__all__ = ["ExpiredTable", "Expiry", "expire"]

TRIES = 5
"""How often the records are read again if other runs change day records at the same time."""

First = Mapping[str, date]
"""The first day that did not expire, by table."""


@dataclass(frozen=True)
class ExpiredTable:
    """A table of which the days before ``before`` have expired, with the number of days and rows that this drops.

    >>> from datetime import timedelta
    >>> [each.rows for each in wsparquet.expire("lake", older_than=timedelta(days=400), tables=["geo"]).tables]
    [...]
    """

    table: str
    before: date
    days: int
    rows: int


@dataclass(frozen=True, repr=False)
class Expiry(Result):
    """The result of ``expire``: what expired in each table, or would expire if it is a dry run.

    >>> wsparquet.expire("lake", stop=True, yes=True)
    <Expiry root=...lake, stopped=True, rows=0>
    """

    root: str = field(metadata=in_json(hidden=True))
    tables: tuple[ExpiredTable, ...] = ()
    stopped: bool = False
    dry_run: bool = False

    def facts(self) -> Mapping[str, object]:
        """Return the number of rows in the days that expired."""
        rows = sum(each.rows for each in self.tables)
        return {"root": self.root, "stopped": self.stopped, "rows": rows, "dry_run": self.dry_run}


def expire(
    root: str | os.PathLike[str],
    *,
    older_than: timedelta | None = None,
    tables: Collection[str] = (),
    stop: bool = False,
    yes: bool = False,
    storage_options: Mapping[str, Any] | None = None,
    single_writer: bool = False,
) -> Expiry:
    """Drop the partitions of days that ended at least ``older_than`` ago, and keep later runs from adding them again.

    Without ``yes``, only return what would be dropped, and write nothing. ``tables``: only these tables; by default all
    of them. The root remembers up to which day each table has expired. Later conversions, of old files too, leave out
    the rows of these days and count them. Rows without a day, and quarantined text, do not expire. ``stop`` makes the
    root forget the expired days: a later conversion with ``again`` adds their rows again.

    >>> from datetime import timedelta
    >>> wsparquet.expire("lake", older_than=timedelta(days=400), yes=True)
    <Expiry root=...lake, rows=...>

    Raises:
        OptionError: a parameter has an invalid value; this error is also a ValueError.
        DatasetError: there is no root, other runs kept changing the same days, or the root is published and cannot be
            published again. Call again to finish.
        SchemaError: the root has another schema version.

    """
    _check(older_than, tables, stop=stop, yes=yes)
    access = Access.checked(storage_options, single_writer=single_writer)
    opened = Root.open(root, create=False, access=access)
    for table in tables:
        check_choice("tables", table, tuple(opened.schema.tables))
    chosen = tuple(tables) or tuple(opened.schema.tables)
    if older_than is None:
        return _stopped(opened, chosen, yes=yes)
    expired: First = _later(opened.version.expired, dict.fromkeys(chosen, _first_day(older_than)))
    if not yes:
        return Expiry(opened.place, tuple(_counted(opened, expired)), dry_run=True)
    opened.recover()
    opened.settle(opened.commits())
    expired = change_version(opened.store, lambda version: _expiring(version, expired)).expired
    dropped = tuple(_counted(opened, expired))
    _drop(opened, expired)
    opened.settle_days(opened.commits())
    publish_changes(opened)
    rows = sum(each.rows for each in dropped)
    LOGGER.info("expired %s: %d rows", opened.place, rows)
    return Expiry(opened.place, dropped)


def _check(older_than: object, tables: Collection[str], *, stop: object, yes: object) -> None:
    """Check the parameters of ``expire`` for which no root is needed. Raises OptionError."""
    check_kind("stop", stop, bool, "True or False")
    check_kind("yes", yes, bool, "True or False")
    if stop == (older_than is not None):
        raise OptionError("older_than", "expected either an age or `stop`, found " + ("both" if stop else "neither"))
    if older_than is not None:
        check_duration("older_than", older_than)
    if isinstance(tables, str):
        raise OptionError("tables", "expected a list of tables, found text")


def _first_day(older_than: timedelta) -> date:
    """Return the first UTC day that ended less than ``older_than`` ago, or has not ended."""
    try:
        return (datetime.now(UTC) - older_than).date()
    except OverflowError:
        return date.min


def _later(expired: First, others: First) -> dict[str, date]:
    """Return the later of two days for each table: the rows of an expired day are gone."""
    days = {table: max(expired.get(table, date.min), others.get(table, date.min)) for table in {**expired, **others}}
    return {table: day for table, day in days.items() if day > date.min}


def _expiring(version: RootVersion, expired: First) -> RootVersion:
    requires = tuple(sorted({*version.requires, EXPIRED}))
    return replace(version, requires=requires, expired=_later(version.expired, expired))


def _stopped(root: Root, tables: Collection[str], *, yes: bool) -> Expiry:
    def change(version: RootVersion) -> RootVersion:
        kept = {table: day for table, day in version.expired.items() if table not in tables}
        requires = tuple(each for each in version.requires if kept or each != EXPIRED)
        return replace(version, requires=requires, expired=kept)

    if yes:
        change_version(root.store, change)
    return Expiry(root.place, stopped=True, dry_run=not yes)


# --- What expires -----------------------------------------------------------------------------------------------------


def _has_expired(part: Part, expired: First) -> bool:
    first = expired.get(part.table)
    return first is not None and part.date is not None and part.date < first


def _counted(root: Root, expired: First) -> Iterator[ExpiredTable]:
    """Yield how much each table will lose: the rows that count, and those that other runs have left."""
    rows, days = Counter[str](), set[tuple[str, date | None]]()
    for counting in root.log.counting().parts():
        if _has_expired(counting.part, expired):
            rows[counting.part.table] += counting.part.rows
            days.add((counting.part.table, counting.part.date))
    for table, first in expired.items():
        yield ExpiredTable(table, first, sum(name == table for name, _ in days), rows[table])


def _drop(root: Root, expired: First) -> None:
    """Drop the expired parts of all commits, and then of all day records.

    In this order, rows that day parts have count until the day record is replaced. In the other order, the commit
    records would name parts that do not exist.
    """
    for _ in range(TRIES + 1):
        for commit in list(root.log.cached_commits()):
            if any(_has_expired(part, expired) for part in commit.parts):
                root.shrink(commit.identity, partial(_without, expired=expired))
        changes = list(_day_changes(root, expired))
        if not changes:
            return
        for change in changes:
            with suppress(DayConflict):
                root.replace_day(change, MergeLimits())
    raise DatasetError(
        f"{root.place}: expected that other runs pause, found that they changed days that expire {TRIES} times; run "
        "the same command again"
    )


def _without(commit: Commit, token: str, *, expired: First) -> Commit:
    """Return a record without expired parts. Its report counts their rows as left out."""
    dropped = [part for part in commit.parts if _has_expired(part, expired)]
    if not dropped:
        return commit
    gone = Counter[str]()
    for part in dropped:
        gone[part.table] += part.rows
    report = dict(commit.facts.report)
    report["rows"] = {table: rows - gone[table] for table, rows in report.get("rows", {}).items()}
    report |= add_counts({"expired": report.get("expired", 0)}, {"expired": gone.total()})
    return commit.shrunk(token, (part for part in commit.parts if not _has_expired(part, expired)), report)


def _day_changes(root: Root, expired: First) -> Iterator[DayChange]:
    """Yield how the day records with expired parts change."""
    for record in root.log.days().values():
        kept = [part for part in record.parts if not _has_expired(part, expired)]
        gone = {part.table for part in record.parts}.difference(part.table for part in kept)
        members = {name: _left(member, gone) for name, member in record.members.items()}
        members = {name: member for name, member in members.items() if member.rows}
        if gone:
            yield DayChange(record.identity, record, members, kept)


def _left(member: Member, gone: Collection[str]) -> Member:
    return member._replace(rows={table: rows for table, rows in member.rows.items() if table not in gone})

"""Adds up what commit records contain about the rows, the files and the sources of a root, for a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from wsparquet.commit import Commit, Part
from wsparquet.schema import TABLES

__all__ = [
    "SIZE_CLASSES",
    "SMALL_BYTES",
    "DayRows",
    "QuarantinedSource",
    "SlowSource",
    "TableFiles",
    "quarantined_sources",
    "rows_by_day",
    "size_class",
    "slow_sources",
    "table_files",
]

SMALL_BYTES = 16 << 20
"""Files below this size are small. Engines spend more time on opening such files than on reading them."""

SIZE_CLASSES: tuple[tuple[int, str], ...] = (
    (64 << 10, "< 64 KiB"),
    (1 << 20, "64 KiB to 1 MiB"),
    (SMALL_BYTES, "1 to 16 MiB"),
    (128 << 20, "16 to 128 MiB"),
    (1 << 62, "128 MiB or more"),
)
"""Classes of file sizes: the first size in bytes that does not belong to the class, and the name of the class."""


@dataclass(frozen=True, slots=True)
class DayRows:
    """The rows of one table and UTC day. ``day`` is None for the rows without a day.

    >>> sum(each.rows for each in wsparquet.report("lake", "lake.html").days)
    40
    """

    table: str
    day: date | None
    rows: int


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The rows and the files of one table; ``bytes`` is the size of all files.

    ``sizes`` has the number of files in each class of sizes. ``small`` counts the files below 16 MiB that share their
    table and day with another such file: a single file could have the rows of all of these.

    >>> wsparquet.report("lake", "lake.html").tables[0].table
    'geo'
    """

    table: str
    rows: int
    files: int
    bytes: int
    small: int
    sizes: dict[str, int]
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True, slots=True)
class SlowSource:
    """A source, and the wall time in seconds from opening it to its commit. ``bytes`` is its stored size.

    >>> wsparquet.report("lake", "lake.html").slowest[0].rows
    20
    """

    account: str
    source_file: str
    seconds: float
    bytes: int | None
    rows: int


@dataclass(frozen=True, slots=True)
class QuarantinedSource:
    """A source with quarantined text: the numbers of quarantined records, and of quarantined texts outside of records.

    ``samples`` has the beginnings of these texts if the caller wants samples.

    >>> wsparquet.report("lake", "lake.html").quarantine
    ()
    """

    account: str
    source_file: str
    records: int
    items: int
    samples: tuple[str, ...] = ()


def rows_by_day(commits: Iterable[Commit]) -> tuple[DayRows, ...]:
    """Return the rows of each table and day, in the order of the tables, rows without a day last."""
    counts: Counter[tuple[str, date | None]] = Counter()
    for commit in commits:
        for part in commit.parts:
            counts[part.table, part.date] += part.rows
    tables = _order(table for table, _ in counts)
    found = sorted(counts, key=lambda key: (tables.index(key[0]), key[1] is None, key[1] or date.min))
    return tuple(DayRows(table, day, counts[table, day]) for table, day in found)


def table_files(days: Iterable[DayRows], parts: Iterable[Part]) -> tuple[TableFiles, ...]:
    """Return the rows and files of each table with rows, in the order of the tables.

    ``parts`` are the files with rows that count. Merged files may also have rows that do not count, so the numbers of
    rows come from ``days``.
    """
    files: dict[str, list[Part]] = {}
    for part in parts:
        files.setdefault(part.table, []).append(part)
    rows = Counter[str]()
    for each in days:
        rows[each.table] += each.rows
    return tuple(_table_files(table, rows[table], files.get(table, [])) for table in _order({*rows, *files}))


def slow_sources(commits: Iterable[Commit], most: int) -> tuple[SlowSource, ...]:
    """Return the sources that took longest, at most ``most``.

    Commit records of earlier versions do not say how long a source took.
    """
    found = [
        SlowSource(commit.identity.account, commit.facts.source_name, seconds, commit.facts.size, commit.row_count)
        for commit in commits
        if (seconds := commit.facts.seconds) is not None
    ]
    return tuple(sorted(found, key=lambda each: (-each.seconds, each.account, each.source_file))[:most])


def quarantined_sources(commits: Iterable[Commit]) -> list[tuple[Commit, QuarantinedSource]]:
    """Return the counts of each commit with quarantined text; the commit with the most text comes first."""
    found = []
    for commit in commits:
        report = commit.facts.report
        records, items = int(report.get("quarantined") or 0), int(report.get("items") or 0)
        if records or items:
            found.append((commit, QuarantinedSource(commit.identity.account, commit.facts.source_name, records, items)))
    return sorted(found, key=lambda each: (-each[1].records - each[1].items, each[1].account, each[1].source_file))


def size_class(size: int) -> str:
    """Return the name of the class of a file's size in bytes."""
    return next(name for end, name in SIZE_CLASSES if size < end)


def _order(tables: Iterable[str]) -> list[str]:
    """Return each table once in the order of the schema, then the tables that this version does not know."""
    known = [*TABLES]
    return sorted({*tables}, key=lambda table: (known.index(table) if table in TABLES else len(known), table))


def _table_files(table: str, rows: int, parts: Sequence[Part]) -> TableFiles:
    sizes = Counter(size_class(part.bytes) for part in parts)
    days = [part.date for part in parts if part.date is not None]
    small = Counter(part.date for part in parts if part.bytes < SMALL_BYTES)
    return TableFiles(
        table=table,
        rows=rows,
        files=len(parts),
        bytes=sum(part.bytes for part in parts),
        small=sum(count for count in small.values() if count > 1),
        sizes={name: sizes[name] for _, name in SIZE_CLASSES},
        first_day=min(days, default=None),
        last_day=max(days, default=None),
    )

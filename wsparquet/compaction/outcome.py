"""The result of a compaction: files, bytes and rows before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wsparquet.json_values import in_json
from wsparquet.results import Result

__all__ = ["Compaction", "MergedTable", "Sizes", "UnmergedDay"]


@dataclass(frozen=True)
class Sizes:
    """A number of files, and their size in bytes."""

    files: int = 0
    bytes: int = 0

    def plus(self, other: Sizes) -> Sizes:
        """Return the sum of both."""
        return Sizes(self.files + other.files, self.bytes + other.bytes)


@dataclass(frozen=True)
class MergedTable:
    """A table whose files were merged: its files and bytes before and after, and the number of merged rows.

    In a dry run, ``files_after`` and ``bytes_after`` are None.

    >>> from datetime import timedelta
    >>> found = wsparquet.compact("lake", min_files=2, older_than=timedelta(0))
    >>> [(each.files_before, each.files_after) for each in found.tables if each.table == "geo"]
    [(2, 1)]
    """

    table: str
    days: int
    rows: int
    files_before: int
    bytes_before: int
    files_after: int | None
    bytes_after: int | None


@dataclass(frozen=True)
class UnmergedDay:
    """A day of an account that could not be merged, with the reason; ``date`` is None for the rows without a day."""

    account: str
    date: str | None
    error: str = field(metadata=in_json(message=True))


@dataclass(frozen=True, repr=False)
class Compaction(Result):
    """The result of ``compact``. ``days`` is the number of days of accounts that were merged.

    ``failures`` has the days that could not be merged; their rows count as before. ``changing`` is the number of days
    that other runs changed at the same time; the next compaction merges them. ``keeps_replaced``: whether replaced
    files are kept for some time.

    >>> wsparquet.compact("lake").days
    0
    """

    root: str
    dry_run: bool
    days: int = 0
    tables: tuple[MergedTable, ...] = ()
    failures: tuple[UnmergedDay, ...] = ()
    changing: int = 0
    keeps_replaced: bool = False
    seconds: float = 0.0

    @property
    def exit_code(self) -> int:
        """1 if a day could not be merged, otherwise 0."""
        return 1 if self.failures else 0

    def facts(self) -> Mapping[str, object]:
        """Return the numbers of days, rows, and files before and after."""
        before = sum(each.files_before for each in self.tables)
        after = None if self.dry_run else sum(each.files_after or 0 for each in self.tables)
        rows = sum(each.rows for each in self.tables)
        return {"root": self.root, "days": self.days, "rows": rows, "files_before": before, "files_after": after}

    def failed_sources(self) -> Iterable[tuple[str, str]]:
        """Yield each day that failed, with the reason."""
        return ((f"{each.account} {each.date}", each.error) for each in self.failures)

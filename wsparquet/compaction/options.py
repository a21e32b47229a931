"""The options of a compaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TypedDict

from wsparquet.dataset import Access
from wsparquet.dataset.day_parts import MEMORY, TARGET_BYTES
from wsparquet.errors import OptionError
from wsparquet.layout import HIVE_NULL
from wsparquet.options import check_duration, check_kind, check_number

__all__ = ["CompactKeywords", "CompactOptions"]

LEAST_MEMORY = 16 << 20


class CompactKeywords(TypedDict, total=False):
    """The fields of ``CompactOptions`` as keyword arguments."""

    older_than: timedelta
    dates: Collection[date | None]
    tables: Collection[str]
    min_files: int
    target_size: int
    keep: timedelta
    jobs: int
    memory: int
    dry_run: bool
    storage_options: dict[str, object] | None
    single_writer: bool


@dataclass(frozen=True)
class CompactOptions:
    """The options of ``compact``, which also takes each field as a keyword argument.

    ``older_than``: merge only days that ended at least this long ago, because files of a day may arrive hours later.
    ``dates``: merge these days, whatever their age; None stands for the rows without a day. ``tables``: merge only
    these tables. ``min_files``: merge a table's day only if it has at least this many small files. ``target_size``: the
    size in bytes of a merged file. ``keep``: how long replaced files stay. Until then, readers of folders count rows
    twice, so use it only if all readers use ``open_dataset``, ``scan``, ``connect`` or Iceberg tables. ``jobs``: how
    many days are merged at the same time. ``memory``: the memory budget in bytes of all jobs together. ``dry_run``:
    only report what would be merged. ``storage_options``: options of s3fs. ``single_writer``: the caller's promise that
    no other run writes to this root at the same time.

    >>> wsparquet.CompactOptions(min_files=2).target_size
    536870912

    Raises:
        OptionError: a field has an invalid value.

    """

    older_than: timedelta = timedelta(days=2)
    dates: Collection[date | None] = ()
    tables: Collection[str] = ()
    min_files: int = 8
    target_size: int = TARGET_BYTES
    keep: timedelta = timedelta(0)
    jobs: int = 1
    memory: int = MEMORY
    dry_run: bool = False
    storage_options: dict[str, object] | None = field(default=None, repr=False)
    single_writer: bool = False

    def __post_init__(self) -> None:
        """Reject invalid values."""
        check_duration("older_than", self.older_than)
        check_duration("keep", self.keep)
        check_number("min_files", self.min_files, minimum=2)
        check_number("target_size", self.target_size, minimum=1)
        check_number("jobs", self.jobs, minimum=1)
        check_number("memory", self.memory, minimum=LEAST_MEMORY)
        for name in ("dry_run", "single_writer"):
            check_kind(name, getattr(self, name), bool, "True or False")
        check_kind("storage_options", self.storage_options, dict, "a dictionary", optional=True)
        if isinstance(self.tables, str):
            raise OptionError("tables", "expected a list of tables, found text")
        for table in self.tables:
            check_kind("tables", table, str, "names of tables")
        for day in self.dates:
            if day is not None and type(day) is not date:
                raise OptionError("dates", f"expected dates, or None for {HIVE_NULL}, found {type(day).__name__}")

    @property
    def access(self) -> Access:
        """How to access the root."""
        return Access(self.storage_options or {}, single_writer=self.single_writer)

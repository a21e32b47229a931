"""The data that a page about a root shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from wsparquet.json_values import in_json
from wsparquet.overview.facts import DayRows, QuarantinedSource, SlowSource, TableFiles
from wsparquet.query import Finding
from wsparquet.results import Result
from wsparquet.synchronisation import AccountStatus

__all__ = ["RootReport"]


@dataclass(frozen=True, repr=False)
class RootReport(Result):
    """The result of ``report``: what the page shows.

    ``sources`` is the number of sources whose rows count. ``days`` has the rows by table and day, ``tables`` has the
    rows and files of each table with rows, and ``accounts`` has the covered hours, gaps, and missing files. ``drift``
    has the findings of the whole time, and ``drift_by_day`` has the findings of each day. ``slowest`` has the sources
    that took longest, at most 15.

    >>> wsparquet.report("lake", "lake.html")
    <RootReport html=...lake.html, sources=2, rows=40, files=..., hours=1, drift=0, quarantined=0, failed=0>
    """

    root: str
    html: str
    created_at: datetime
    sources: int
    days: tuple[DayRows, ...]
    tables: tuple[TableFiles, ...]
    accounts: tuple[AccountStatus, ...]
    drift: tuple[Finding, ...]
    drift_by_day: tuple[Finding, ...] = field(metadata=in_json(hidden=True))
    quarantine: tuple[QuarantinedSource, ...]
    slowest: tuple[SlowSource, ...]

    def facts(self) -> Mapping[str, object]:
        """Return the main numbers of the page."""
        return {
            "html": self.html,
            "sources": self.sources,
            "rows": sum(each.rows for each in self.tables),
            "files": sum(each.files for each in self.tables),
            "small": sum(each.small for each in self.tables) or None,
            "hours": sum(each.hours for each in self.accounts),
            "gaps": sum(len(each.gaps) for each in self.accounts) or None,
            "drift": len(self.drift),
            "quarantined": sum(each.records + each.items for each in self.quarantine),
            "failed": self.failed,
        }

    @property
    def failed(self) -> int:
        """The number of files that `sync` could not download or convert, or that the server has deleted."""
        files = ((*account.missing, *account.gone) for account in self.accounts)
        return sum(each.failed_since is not None or each.gone_at is not None for found in files for each in found)

"""What a run did: sources by outcome, and the counts of everything that it decoded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from wsparquet.decode.model import PathCounts, Report
from wsparquet.json_values import JsonResult, in_json, milliseconds

__all__ = ["Failure", "Summary"]


@dataclass(frozen=True)
class Failure:
    """A source of which nothing was committed, and why."""

    name: str
    url: str
    error: str


@dataclass
class Summary(JsonResult):
    """The outcome of a run that converted into ``root``.

    ``committed``, ``skipped`` and ``failed`` hold file names in the order of the sources, ``replaced`` those of the
    committed ones whose rows took the place of others that were committed before; the counts are those of the
    committed ones (in a dry run, of those that would be). ``records = sum(rows) + quarantined``.
    """

    json_properties = (("failed", "skipped"),)

    root: str = ""
    sources: int = 0
    committed: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list, metadata=in_json("errors"))
    records: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    rescued: dict[str, PathCounts] = field(default_factory=dict)
    undocumented: dict[str, PathCounts] = field(default_factory=dict)
    quarantined: int = 0
    items: int = 0
    containers: int = 0
    container_values: int = 0
    stored_bytes: int = 0
    inflated_bytes: int = 0
    seconds: float = field(default=0.0, metadata=in_json(convert=milliseconds))
    dry_run: bool = False
    decoder: str = ""

    @property
    def failed(self) -> list[str]:
        """The names of the sources that failed."""
        return [failure.name for failure in self.failures]

    @property
    def exit_code(self) -> int:
        """0 done, 1 a source failed, 3 done but something was quarantined."""
        if self.failures:
            return 1
        return 3 if self.quarantined or self.items else 0

    def add(self, report: Report) -> None:
        """Add the counts of one source."""
        self.records += report.records
        self.quarantined += report.quarantined
        self.items += report.items
        self.containers += report.containers
        self.container_values += len(report.container_values)
        self.rows.update(report.rows)
        for mine, theirs in ((self.rescued, report.rescued), (self.undocumented, report.undocumented)):
            for table, counts in theirs.items():
                mine.setdefault(table, PathCounts()).update(counts)

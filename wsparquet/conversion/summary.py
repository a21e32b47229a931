"""The result of a conversion: the outcome of each source, and counts of everything that was decoded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wsparquet.decode.model import PathCounts, Report, add_counts
from wsparquet.json_values import JsonResult, in_json, milliseconds
from wsparquet.results import Failure, Result

if TYPE_CHECKING:
    from wsparquet.compaction import Compaction

__all__ = ["Copy", "Failure", "Replacement", "Summary"]


@dataclass(frozen=True)
class Replacement(JsonResult):
    """A committed source whose ``rows`` new rows replaced ``rows_before`` older rows.

    >>> wsparquet.convert("downloads/", to="lake").raise_for_failures().replaced
    []
    """

    name: str
    account: str
    rows_before: int
    rows: int


@dataclass(frozen=True)
class Copy(JsonResult):
    """A skipped source that was not committed itself; ``reason`` names the commit that covers its content.

    >>> _ = wsparquet.convert("downloads/", to="lake")
    >>> [copy.reason for copy in wsparquet.convert("session.gz", to="lake").copies]
    ['WebSession.1467291600000.1467295200000.part-00000-0.gz holds the same content']
    """

    name: str
    url: str
    reason: str


@dataclass(repr=False)
class Summary(Result):
    """The result of a conversion into ``root``.

    ``committed``, ``skipped`` and ``failed`` have file names, in the order of the sources. ``replaced`` has the
    committed sources whose rows replaced older rows, with both numbers of rows. ``copies`` has the skipped sources
    whose content is committed under another source, or is older than the committed content. ``not_begun``: how many
    sources an early end of the run left for the next run. ``gave_up``: whether the run ended early because its first
    sources all failed (``max_failures``). ``compaction``: the result of the compaction after the conversion, or None if
    none was asked for. ``unpublished``: in a published root, why the run's changes are not published; the next run
    publishes them. All other counts are totals over the committed sources or, in a dry run, over the sources that would
    be committed. Sizes are in bytes. ``left_out`` is as in ``Report``. ``records`` is the sum of the rows, the
    quarantined records, and the records that were left out.

    >>> summary = wsparquet.convert("downloads/", to="lake")
    >>> summary
    <Summary root=lake, sources=2, committed=2, records=40, seconds=...>
    >>> sum(summary.rows.values()), summary.failed
    (40, [])
    """

    json_properties = (("failed", "copies"),)

    root: str = ""
    sources: int = 0
    committed: list[str] = field(default_factory=list)
    replaced: list[Replacement] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list, metadata=in_json("errors"))
    not_begun: int = 0
    gave_up: bool = False
    unpublished: str | None = field(default=None, metadata=in_json(message=True))
    records: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    rescued: dict[str, PathCounts] = field(default_factory=dict)
    undocumented: dict[str, PathCounts] = field(default_factory=dict)
    quarantined: int = 0
    items: int = 0
    left_out: dict[str, int] = field(default_factory=dict, metadata=in_json(flat=True))
    containers: int = 0
    container_values: int = 0
    stored_bytes: int = 0
    inflated_bytes: int = 0
    seconds: float = field(default=0.0, metadata=in_json(convert=milliseconds))
    dry_run: bool = False
    decoder: str = ""
    compaction: Compaction | None = None

    @property
    def failed(self) -> list[str]:
        """The names of the sources that failed."""
        return [failure.name for failure in self.failures]

    @property
    def exit_code(self) -> int:
        """The exit code: 1 if a source, a compaction or the publication failed; else 3 after quarantine; else 0."""
        if self.failures or self.unpublished or (self.compaction and self.compaction.failures):
            return 1
        return 3 if self.quarantined or self.items else 0

    def add(self, report: Report) -> None:
        """Add the counts of one source."""
        self.records += report.records
        self.quarantined += report.quarantined
        self.items += report.items
        self.containers += report.containers
        self.container_values += len(report.container_values)
        total = Report(rows=self.rows, rescued=self.rescued, undocumented=self.undocumented)
        total.add(report)
        self.rows = total.rows
        self.left_out = add_counts(self.left_out, report.left_out)

    def facts(self) -> Mapping[str, object]:
        """Return how many sources had each outcome, and how many records they had."""
        return {
            "root": self.root,
            "dry_run": self.dry_run,
            "sources": self.sources,
            "committed": len(self.committed) or None,
            "replaced": len(self.replaced) or None,
            "skipped": len(self.skipped) or None,
            "copies": len(self.copies) or None,
            "failed": len(self.failures) or None,
            "not_begun": self.not_begun or None,
            "records": self.records or None,
            "quarantined": self.quarantined or None,
            "items": self.items or None,
            "seconds": self.seconds,
        }

    def failed_sources(self) -> Iterable[tuple[str, str]]:
        """Yield the names of the failed sources, and of the root if it could not be published, with the reasons."""
        failed = [(failure.name, failure.error) for failure in self.failures]
        unpublished = [(self.root, self.unpublished)] if self.unpublished else []
        return [*failed, *(self.compaction.failed_sources() if self.compaction else ()), *unpublished]

"""The outcome of one source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wsparquet.conversion.summary import Copy, Failure, Replacement, Summary
from wsparquet.decode import Report
from wsparquet.progress import Progress

__all__ = ["Outcome"]


@dataclass
class Outcome:
    """The outcome of one source. ``rows_before``: its rows before the run; None if it was not committed.

    ``reason``: why the source was skipped although it was never committed itself; otherwise empty.
    """

    name: str
    kind: Literal["committed", "skipped", "failed"]
    report: Report | None = None
    url: str = ""
    error: str = ""
    stored_bytes: int = 0
    inflated_bytes: int = 0
    rows_before: int | None = None
    account: str = ""
    reason: str = ""

    @property
    def replaced(self) -> bool:
        """Whether the source's rows replaced older rows."""
        return self.kind == "committed" and self.rows_before is not None

    def event(self, url: str) -> Progress:
        """Return the event that reports this outcome of the source at ``url``."""
        return Progress(
            "replaced" if self.replaced else self.kind,
            self.name,
            url,
            stored_bytes=self.stored_bytes,
            inflated_bytes=self.inflated_bytes,
            rows=self.report.row_count if self.report is not None else 0,
            error=self.error or None,
            reason=self.reason or None,
            rows_before=self.rows_before,
        )

    def add_to(self, summary: Summary) -> None:
        """Add this outcome to a summary."""
        if self.kind == "failed":
            summary.failures.append(Failure(self.name, self.url, self.error))
            return
        (summary.committed if self.kind == "committed" else summary.skipped).append(self.name)
        if self.rows_before is not None and self.report is not None:
            rows = sum(self.report.rows.values())
            summary.replaced.append(Replacement(self.name, self.account, self.rows_before, rows))
        if self.reason:
            summary.copies.append(Copy(self.name, self.url, self.reason))
        summary.stored_bytes += self.stored_bytes
        summary.inflated_bytes += self.inflated_bytes
        if self.report is not None:
            summary.add(self.report)

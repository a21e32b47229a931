"""The outcome of one source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wsparquet.conversion.summary import Failure, Summary
from wsparquet.decode import Report

__all__ = ["Outcome"]


@dataclass
class Outcome:
    """The outcome of one source. ``rows_before``: how many rows it had, or None if it was not committed before."""

    name: str
    kind: Literal["committed", "skipped", "failed"]
    report: Report | None = None
    url: str = ""
    error: str = ""
    stored_bytes: int = 0
    inflated_bytes: int = 0
    rows_before: int | None = None

    @property
    def replaced(self) -> bool:
        """Whether the source's rows replaced older rows."""
        return self.kind == "committed" and self.rows_before is not None

    def add_to(self, summary: Summary) -> None:
        """Add this outcome to a summary."""
        if self.kind == "failed":
            summary.failures.append(Failure(self.name, self.url, self.error))
            return
        (summary.committed if self.kind == "committed" else summary.skipped).append(self.name)
        if self.replaced:
            summary.replaced.append(self.name)
        summary.stored_bytes += self.stored_bytes
        summary.inflated_bytes += self.inflated_bytes
        if self.report is not None:
            summary.add(self.report)

"""Shows the state of a root on one page: rows, covered hours, drift, quarantine, files, and slow and failed sources."""

from __future__ import annotations

from wsparquet.overview.facts import DayRows, QuarantinedSource, SlowSource, TableFiles
from wsparquet.overview.root_report import RootReport
from wsparquet.overview.writing import report

__all__ = ["DayRows", "QuarantinedSource", "RootReport", "SlowSource", "TableFiles", "report"]

"""Gives query engines the rows that count: exactly the parts that commit records name."""

from __future__ import annotations

from wsparquet.query.changes import ChangedSource, Changes, changes
from wsparquet.query.connection import attach, connect, refresh
from wsparquet.query.drift import Drift, Finding, drift
from wsparquet.query.scan import scan
from wsparquet.query.stored_views import StoredViews, write_views

__all__ = [
    "ChangedSource",
    "Changes",
    "Drift",
    "Finding",
    "StoredViews",
    "attach",
    "changes",
    "connect",
    "drift",
    "refresh",
    "scan",
    "write_views",
]

"""How a root is kept current from the Data Access API: what the server has, less what is committed, again and again."""

from __future__ import annotations

from wsparquet.sync.fetch import fetch
from wsparquet.sync.files import Files, FileState, list_states
from wsparquet.sync.options import FetchOptions, SyncOptions
from wsparquet.sync.run import sync
from wsparquet.sync.status import AccountStatus, Status, StatusLimits, status
from wsparquet.sync.stop import Stop, repeated
from wsparquet.sync.summary import FetchSummary, SyncSummary

__all__ = [
    "AccountStatus",
    "FetchOptions",
    "FetchSummary",
    "FileState",
    "Files",
    "Status",
    "StatusLimits",
    "Stop",
    "SyncOptions",
    "SyncSummary",
    "fetch",
    "list_states",
    "repeated",
    "status",
    "sync",
]

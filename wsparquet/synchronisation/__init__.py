"""Keeps a root up to date with the Data Access API: downloads and converts the files that are not committed yet."""

from __future__ import annotations

from wsparquet.synchronisation.fetch import fetch
from wsparquet.synchronisation.listed import Files, FileState, list_files, list_states
from wsparquet.synchronisation.options import FetchOptions, SyncOptions
from wsparquet.synchronisation.run import sync
from wsparquet.synchronisation.status import AccountStatus, Status, StatusLimits, status
from wsparquet.synchronisation.stop import Stop, repeated
from wsparquet.synchronisation.summary import FetchSummary, SyncSummary

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
    "list_files",
    "list_states",
    "repeated",
    "status",
    "sync",
]

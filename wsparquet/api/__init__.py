"""A client for LivePerson's Data Access API: lists files and downloads them."""

from __future__ import annotations

from wsparquet.api.answers import Link, ListedFile, Listing, Refused
from wsparquet.api.client import Client
from wsparquet.api.credentials import Credentials
from wsparquet.api.download import Downloaded
from wsparquet.api.faults import FileGone
from wsparquet.api.options import KEPT, REGIONS, ApiOptions
from wsparquet.api.retry import Retry

__all__ = [
    "KEPT",
    "REGIONS",
    "ApiOptions",
    "Client",
    "Credentials",
    "Downloaded",
    "FileGone",
    "Link",
    "ListedFile",
    "Listing",
    "Refused",
    "Retry",
]

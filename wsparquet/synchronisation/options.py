"""Options of a synchronisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from wsparquet.api import KEPT, ApiOptions, Credentials
from wsparquet.conversion.options import ConvertOptions
from wsparquet.dataset import Access

__all__ = ["FetchOptions", "SyncOptions"]


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """The account, the time range, and how to download its files.

    ``since`` and ``until`` limit the time range, as instants or as a time span before now; the default is everything
    that the server keeps. ``downloads`` is the number of concurrent downloads. ``storage_options`` are passed to fsspec
    if raw files go to a URL or the root is on S3.
    """

    account: str
    credentials: Credentials
    api: ApiOptions = field(default_factory=ApiOptions)
    since: datetime | timedelta | None = None
    until: datetime | timedelta | None = None
    downloads: int = 4
    storage_options: dict[str, object] | None = field(default=None, repr=False)

    def span(self) -> tuple[datetime, datetime]:
        """The start and the end of the time range, in UTC."""
        now = datetime.now(UTC)
        return _instant(self.since or KEPT, now), _instant(self.until or timedelta(0), now)


def _instant(time: datetime | timedelta, now: datetime) -> datetime:
    return now - time if isinstance(time, timedelta) else time


@dataclass(frozen=True, kw_only=True)
class SyncOptions(FetchOptions):
    """What to synchronise, and how to convert it.

    ``raw`` is a folder or fsspec URL that keeps the downloaded files. ``recheck`` asks the server for the sizes of
    committed files and converts a file again if its size has changed.
    """

    raw: str | None = None
    recheck: bool = False
    convert: ConvertOptions = field(default_factory=ConvertOptions)

    @property
    def access(self) -> Access:
        """How to access the root."""
        return Access(self.storage_options or {}, single_writer=self.convert.single_writer)

"""What can be asked of a synchronisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from wsparquet.api import KEPT, ApiOptions, Credentials
from wsparquet.conversion.options import ConvertOptions
from wsparquet.dataset import Access

__all__ = ["FetchOptions", "SyncOptions"]


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """Which files of which account, and how they are downloaded.

    ``since`` and ``until`` bound the times asked for, as instants or as how long ago, by default all that the server
    keeps. ``downloads``: files at a time. ``storage_options``: for fsspec, where raw files go to a URL
    or the root is on S3.
    """

    account: str
    credentials: Credentials
    api: ApiOptions = field(default_factory=ApiOptions)
    since: datetime | timedelta | None = None
    until: datetime | timedelta | None = None
    downloads: int = 4
    storage_options: dict[str, object] | None = field(default=None, repr=False)

    def span(self) -> tuple[datetime, datetime]:
        """From when until when to ask, in UTC."""
        now = datetime.now(UTC)
        return _instant(self.since or KEPT, now), _instant(self.until or timedelta(0), now)


def _instant(time: datetime | timedelta, now: datetime) -> datetime:
    return now - time if isinstance(time, timedelta) else time


@dataclass(frozen=True, kw_only=True)
class SyncOptions(FetchOptions):
    """What to synchronise, and how.

    ``raw``: the folder or fsspec URL that keeps the downloaded files. ``recheck``: ask the server for the size of
    committed files, too, and convert those again that have another one.
    """

    raw: str | None = None
    recheck: bool = False
    convert: ConvertOptions = field(default_factory=ConvertOptions)

    @property
    def access(self) -> Access:
        """How the root is reached."""
        return Access(self.storage_options or {}, single_writer=self.convert.single_writer)

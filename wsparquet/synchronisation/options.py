"""The options of ``fetch``, ``list_files`` and ``sync``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypedDict

from wsparquet.api import KEPT, ApiOptions, Credentials
from wsparquet.conversion.options import ConvertOptions
from wsparquet.dataset import Access
from wsparquet.errors import OptionError
from wsparquet.names import is_account
from wsparquet.options import check_kind, check_number

__all__ = ["FetchKeywords", "FetchOptions", "SyncKeywords", "SyncOptions"]


class FetchKeywords(TypedDict, total=False):
    """The fields of ``FetchOptions`` as keyword arguments."""

    account: str
    credentials: Credentials
    api: ApiOptions
    since: datetime | timedelta | None
    until: datetime | timedelta | None
    downloads: int
    storage_options: dict[str, object] | None


class SyncKeywords(FetchKeywords, total=False):
    """The fields of ``SyncOptions`` as keyword arguments."""

    raw: str | None
    recheck: bool
    convert: ConvertOptions


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """Options of ``fetch`` and ``list_files``, which also accept each field as a keyword argument.

    ``account``: the account whose files to list or download. ``credentials``: by default the credentials in the
    environment variables; see ``Credentials.load``. ``api``: the options of requests. ``since``, ``until``: the start
    and end of the time range, each given as a point in time or as a duration before now; the default range covers all
    files that the server keeps. ``downloads``: the maximum number of concurrent downloads. ``storage_options``: the
    options for fsspec if raw files go to a URL, and for s3fs if the root is on S3.

    >>> from datetime import timedelta
    >>> options = wsparquet.FetchOptions(account="75555851", credentials=credentials, since=timedelta(days=2))
    >>> options.downloads
    4

    Raises:
        OptionError: a field has an invalid value.
        ApiError: there are no credentials.

    """

    account: str
    credentials: Credentials = field(default_factory=Credentials.load)
    api: ApiOptions = field(default_factory=ApiOptions)
    since: datetime | timedelta | None = None
    until: datetime | timedelta | None = None
    downloads: int = 4
    storage_options: dict[str, object] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Reject invalid values."""
        if not isinstance(self.account, str) or not is_account(self.account):
            raise OptionError("account", f"expected letters and digits, found {str(self.account)[:100]!r}")
        check_kind("credentials", self.credentials, Credentials, "Credentials")
        check_kind("api", self.api, ApiOptions, "ApiOptions")
        for name in ("since", "until"):
            check_kind(name, getattr(self, name), (datetime, timedelta), "a datetime or a timedelta", optional=True)
            _check_zone(name, getattr(self, name))
        check_number("downloads", self.downloads, minimum=1)
        check_kind("storage_options", self.storage_options, Mapping, "a dictionary", optional=True)

    def span(self) -> tuple[datetime, datetime]:
        """Return the start and the end of the time range to request, in UTC."""
        now = datetime.now(UTC)
        return _instant(self.since or KEPT, now), _instant(self.until or timedelta(0), now)


def _instant(time: datetime | timedelta, now: datetime) -> datetime:
    return now - time if isinstance(time, timedelta) else time


def _check_zone(name: str, moment: datetime | timedelta | None) -> None:
    """Refuse a time without a time zone, because it cannot be compared with the server's times."""
    if isinstance(moment, datetime) and moment.tzinfo is None:
        raise OptionError(name, f"expected a time with a time zone, found {moment.isoformat()}, which has none")


@dataclass(frozen=True, kw_only=True)
class SyncOptions(FetchOptions):
    """Options of ``sync``, in addition to those of ``FetchOptions``.

    The function also accepts each field as a keyword argument.

    ``raw``: the folder or fsspec URL in which to keep the downloaded files; by default they are deleted. ``recheck``:
    whether to ask the server for the sizes of committed files, too, and convert each file again whose size has changed.
    ``convert``: the options of the conversion.

    >>> convert = wsparquet.ConvertOptions(jobs=2)
    >>> wsparquet.SyncOptions(account="75555851", credentials=credentials, raw="raw", convert=convert).recheck
    False
    """

    raw: str | None = None
    recheck: bool = False
    convert: ConvertOptions = field(default_factory=ConvertOptions)

    def __post_init__(self) -> None:
        """Reject invalid values."""
        super().__post_init__()
        check_kind("raw", self.raw, str, "a folder or a URL as text", optional=True)
        check_kind("recheck", self.recheck, bool, "True or False")
        check_kind("convert", self.convert, ConvertOptions, "ConvertOptions")
        self.convert.check_whole()

    @property
    def access(self) -> Access:
        """The options for access to the root."""
        return replace(self.convert.access, storage_options=self.storage_options or {})

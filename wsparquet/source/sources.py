"""What a source is: its identity, what may be written down about it, and how it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wsparquet.errors import WsparquetError
from wsparquet.source.names import account_of
from wsparquet.source.origins import Origin
from wsparquet.source.reader import SourceLimits, SourceReader, checksum
from wsparquet.urls import sayable

__all__ = ["Failed", "Source"]


@dataclass(frozen=True)
class Failed:
    """An argument, or a part of it, that is no source, and why; name and URL are as those of a ``Source``."""

    name: str
    url: str
    error: WsparquetError

    def __post_init__(self) -> None:
        _make_sayable(self)


@dataclass(frozen=True)
class Source:
    """One file, URL, zip member or standard input that may be read.

    ``name`` is the last path component as it is, but for bytes that are no UTF-8, which both it and ``url`` have as
    ``%XX``: they become text in columns and records. ``url`` has no user info, query or fragment. ``size`` is in stored
    bytes; ``etag`` and ``mtime`` are the file system's, as text, None where it has none. ``listing`` holds what the
    API's listing says of the file, as written.
    """

    name: str
    url: str
    origin: Origin = field(repr=False, compare=False)
    size: int | None = None
    etag: str | None = None
    mtime: str | None = None
    listing: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _make_sayable(self)

    @property
    def account(self) -> str | None:
        """The account in the URL's ``/account/<id>/``, if it is there."""
        return account_of(self.url)

    @property
    def rereadable(self) -> bool:
        """Whether it can be opened more than once; standard input cannot."""
        return self.origin.rereadable

    def open(self, limits: SourceLimits = SourceLimits()) -> SourceReader:  # noqa: B008 - frozen
        """The source's inflated bytes in chunks.

        Raises:
            SourceError: it is missing, unreadable, or an archive; from the reader also corrupt or past a limit.

        """
        return SourceReader(self.origin, name=self.name, limits=limits)

    def checksum(self) -> str:
        """The SHA-256 in hex of the stored bytes (of a zip member, as the archive unpacks it), not inflated.

        Raises:
            SourceError: it cannot be read, or not again.

        """
        return checksum(self.origin)


def _make_sayable(one: Source | Failed) -> None:
    for name in ("name", "url"):
        object.__setattr__(one, name, sayable(getattr(one, name)))

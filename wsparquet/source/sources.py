"""A source: its name, its URL without secrets for commit records and messages, and a way to open it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wsparquet.errors import WsparquetError
from wsparquet.redaction import utf8_text
from wsparquet.source.names import account_of
from wsparquet.source.origins import Origin
from wsparquet.source.reader import SourceLimits, SourceReader, checksum

__all__ = ["Failed", "Source"]


@dataclass(frozen=True)
class Failed:
    """An argument that is not a source, and the reason. ``name`` and ``url`` follow the rules of ``Source``."""

    name: str
    url: str
    error: WsparquetError

    def __post_init__(self) -> None:
        _make_sayable(self)


@dataclass(frozen=True)
class Source:
    """One readable input: a file, a URL, a member of a zip archive, or standard input.

    ``name``: the last component of the path. In ``name`` and ``url``, bytes that are not valid UTF-8 are written as
    ``%XX``, because columns and commit records contain both as text. ``url``: without user info, query, and fragment.
    ``size``: in stored bytes. ``etag``, ``mtime``: from the file system, as text, or None if the file system does not
    report them. ``listing``: the file's entry in the API's list, unchanged.
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
        """The account in the ``/account/<id>/`` part of the URL; None if the URL has no such part."""
        return account_of(self.url)

    @property
    def rereadable(self) -> bool:
        """Whether the source can be opened more than once. Standard input cannot."""
        return self.origin.rereadable

    def open(self, limits: SourceLimits = SourceLimits()) -> SourceReader:  # noqa: B008 - frozen
        """Open the source and return a reader of its decompressed bytes, in chunks.

        Raises:
            SourceError: the source is missing, cannot be read, or is an archive. The returned reader raises SourceError
                if the source is corrupt or exceeds a limit.

        """
        return SourceReader(self.origin, name=self.name, limits=limits)

    def checksum(self) -> str:
        """Compute the SHA-256 of the stored bytes, in hex, without decompressing them.

        The stored bytes of a zip member are its bytes without the archive's own compression.

        Raises:
            SourceError: the source cannot be read, or cannot be read a second time.

        """
        return checksum(self.origin)


def _make_sayable(one: Source | Failed) -> None:
    for name in ("name", "url"):
        object.__setattr__(one, name, utf8_text(getattr(one, name)))

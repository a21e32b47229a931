"""Downloads a file: resumes interrupted transfers, and gives the file its final name only when it is complete."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import aiohttp
from isal import igzip, igzip_lib

from wsparquet.api.faults import Transient
from wsparquet.errors import ApiError
from wsparquet.redaction import printable_url

__all__ = ["Downloaded", "Transfer"]

GZIP = b"\x1f\x8b"
# The type stubs of isal declare its exception class as an instance.
GZIP_ERRORS: tuple[type[Exception], ...] = (EOFError, OSError, zlib.error, igzip_lib.IsalError)  # type: ignore[assignment]
CHUNK = 1 << 18
SMALL = 1 << 20
"""Files up to this size in bytes are checked in the calling thread, because starting another thread takes longer."""
RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A complete downloaded file.

    ``size``: in bytes. ``url``: without secrets, so messages and commit records may contain it.

    ``resumed``: how often the download continued after an interruption. ``restarted``: how often it started over.
    """

    path: Path
    url: str
    size: int
    etag: str | None = None
    last_modified: str | None = None
    resumed: int = 0
    restarted: int = 0


class Transfer:
    """One download in progress. When the context of the download ends, either the complete file exists or no file.

    Send a request with ``headers``, pass the response to ``receive``, then call ``finished``. After a failure, repeat
    these steps. ``total``: the size of the file in bytes, as the server announced it; None if the server did not
    announce it.
    """

    def __init__(
        self, name: str, url: str, to: Path, *, on_bytes: Callable[[int], None] | None = None, durable: bool = False
    ) -> None:
        self._name = name
        self._place = printable_url(url)
        self._to = to
        self._partial = to.with_name(f".{secrets.token_hex(8)}.partial")
        self._on_bytes = on_bytes
        self._durable = durable
        self._file: BinaryIO | None = None
        self._received = 0
        self.total: int | None = None
        self._etag: str | None = None
        self._last_modified: str | None = None
        self._resumed = 0
        self._restarted = 0

    def __enter__(self) -> Self:
        try:
            self._file = self._partial.open("x+b", buffering=0)
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        with suppress(FileNotFoundError):
            self._partial.unlink()

    def _unwritable(self, error: OSError) -> ApiError:
        return ApiError(
            f"{self._name}: expected to write it to {self._to.parent}, but: {error.strerror or error}; "
            "free space there, or choose another folder"
        )

    def headers(self) -> dict[str, str]:
        """Return the headers of the next request.

        The headers request only the missing bytes, unless the file has changed on the server in the meantime.
        """
        if not self._received:
            return {}
        headers = {"Range": f"bytes={self._received}-"}
        validator = self._etag if self._etag and not self._etag.startswith("W/") else self._last_modified
        return {**headers, "If-Range": validator} if validator else headers

    async def receive(self, response: aiohttp.ClientResponse) -> None:
        """Receive the body of a response with status 200, 206, or 416.

        Raises:
            Transient: the response does not continue where the received bytes end. ApiError: the disk is full.

        """
        if response.status == 416:
            self._check_end(response)
            return
        if response.status == 200:
            self._begin(response)
        else:
            self._go_on(response)
        async for chunk in response.content.iter_chunked(CHUNK):
            self._write(chunk)

    def _begin(self, response: aiohttp.ClientResponse) -> None:
        if self._received:
            self.restart()
        self.total = response.content_length
        self._etag = response.headers.get("ETag")
        self._last_modified = response.headers.get("Last-Modified")

    def _go_on(self, response: aiohttp.ClientResponse) -> None:
        """Check that a 206 response contains the missing bytes of the same file."""
        found = RANGE.fullmatch(response.headers.get("Content-Range", ""))
        first, total = (found[1], found[3]) if found else (None, None)
        same = self._etag is None or response.headers.get("ETag", self._etag) == self._etag
        if first is None or int(first) != self._received or not same or not self._agrees(total):
            self.restart()
            raise self._failure("the rest of the file", "other bytes of it, or bytes of another file")
        self._resumed += 1
        if total and total != "*":
            self.total = int(total)

    def _agrees(self, total: str | None) -> bool:
        # The total in Content-Range replaces an earlier length, which may have been wrong.
        return total in {None, "*"} or self.total is None or int(total or 0) >= self._received

    def _check_end(self, response: aiohttp.ClientResponse) -> None:
        """Check that a 416 response means a complete download: the requested range began at the end of the file."""
        found = RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or found[3] != str(self._received):
            self.restart()
            raise self._failure("the rest of the file", "that the file has another length")
        self.total = self._received

    def _write(self, chunk: bytes) -> None:
        if self._file is None:
            raise ApiError(f"{self._name}: expected a transfer under way, found none")
        try:
            # Writing to an unbuffered file may write only a part of the data.
            view = memoryview(chunk)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise self._unwritable(error) from error
        self._received += len(chunk)
        if self._on_bytes is not None:
            self._on_bytes(len(chunk))

    def restart(self) -> None:
        """Discard the bytes downloaded so far."""
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()
        self._received, self.total, self._etag, self._last_modified = 0, None, None, None
        self._restarted += 1

    async def finished(self) -> Downloaded:
        """Give the complete file its final name.

        Raises:
            Transient: the file is incomplete. ApiError: the file cannot be written.

        """
        if self.total is not None and self._received != self.total:
            found = f"{self._received} of {self.total} bytes"
            if self._received > self.total:
                self.restart()
            raise self._failure("the whole file", found)
        size = self._received
        fault = self._fault() if size <= SMALL else await asyncio.to_thread(self._fault)
        if fault:
            self.restart()
            raise self._failure("complete gzip", fault)
        try:
            if self._durable and self._file is not None:
                await asyncio.to_thread(os.fsync, self._file.fileno())
            self._partial.replace(self._to)
        except OSError as error:
            raise self._unwritable(error) from error
        return Downloaded(self._to, self._place, size, self._etag, self._last_modified, self._resumed, self._restarted)

    def _fault(self) -> str | None:
        if self._file is None:
            raise ApiError(f"{self._name}: expected a transfer under way, found none")
        self._file.seek(0)
        fault = _fault(self._file)
        self._file.seek(0, os.SEEK_END)
        return fault

    def _failure(self, expected: str, found: str) -> Transient:
        return Transient(
            ApiError(f"{self._place}: expected {expected}, found {found}; the download was discarded, try again later")
        )


def _fault(file: BinaryIO) -> str | None:
    """Return what is wrong with a downloaded file; None if it is complete gzip or has another plausible format."""
    head = file.read(256)
    file.seek(0)
    if not head:
        return "nothing"
    if head.lstrip().startswith(b"<"):
        return "a page of markup, such as a proxy's page or an error message"
    # The API's documentation also mentions zip files. The conversion decides which formats it can read.
    if head.startswith(GZIP):
        try:
            with igzip.open(file) as inflated:  # type: ignore[no-untyped-call]
                while inflated.read(SMALL):
                    pass
        except GZIP_ERRORS as error:
            return f"it truncated or corrupt ({error})"
    return None

"""Origins of stored bytes: local files, remote files, standard input, and zip members.

Each time a source is read, its origin is opened again.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from wsparquet.source.archive import Member, MemberStream
from wsparquet.source.failures import Place
from wsparquet.source.interruption import open_interruptibly

__all__ = ["LocalFile", "MemberOf", "Once", "Origin", "Remote", "Spool", "Stream", "speaks", "spool"]

# Limit the read buffer of an open file: some file systems buffer 50 MiB by default.
REMOTE_BLOCK = 4 << 20


class Stream(Protocol):
    """The stream that an origin opens."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most ``size``. At the end, return no bytes."""
        ...

    def close(self) -> None:
        """Close the stream."""
        ...


class Origin(Protocol):
    """Stored bytes that can be opened."""

    @property
    def place(self) -> Place:
        """The location for messages."""
        ...

    @property
    def rereadable(self) -> bool:
        """Whether the origin can be opened more than once."""
        ...

    def open(self) -> Stream:
        """Open the stored bytes at their beginning. Raises SourceError if this fails."""
        ...


class Seekable(Protocol):
    """An origin that supports seeking."""

    def open_seekable(self) -> BinaryIO:
        """Open the stored bytes as a seekable stream."""
        ...


@dataclass(frozen=True)
class LocalFile:
    """A file on a local disk."""

    path: Path
    rereadable: bool = True

    @property
    def place(self) -> Place:
        """The path of the file."""
        return Place(str(self.path))

    def open(self) -> Stream:
        """Open the file without buffering."""
        return self.open_seekable()

    def open_seekable(self) -> BinaryIO:
        """Open the file without buffering."""
        with self.place.translated():
            return cast("BinaryIO", self.path.open("rb", buffering=0))


@dataclass(frozen=True)
class Remote:
    """A file on an fsspec file system. ``path``: the path on that file system; it may contain secrets."""

    filesystem: Any
    path: str
    place: Place
    rereadable: bool = True

    @property
    def is_http(self) -> bool:
        """Whether the file comes from an HTTP server, which may not support byte ranges."""
        return speaks(self.filesystem, "http")

    def open(self) -> Stream:
        """Open the file at its beginning."""
        if not self.is_http:
            return self.open_seekable()
        return self._opened(0)

    def open_seekable(self) -> BinaryIO:
        """Open the file as a seekable stream."""
        return self._opened(REMOTE_BLOCK)

    def _opened(self, block_size: int) -> BinaryIO:
        with self.place.translated():
            return open_interruptibly(
                self.place.label, lambda: self.filesystem.open(self.path, "rb", block_size=block_size)
            )


def speaks(filesystem: Any, protocol: str) -> bool:
    """Return whether an fsspec file system handles this protocol. A file system may have several protocols."""
    names = filesystem.protocol
    return protocol in ((names,) if isinstance(names, str) else names)


class Once:
    """A stream that can be read only once, such as standard input.

    ``head``: the bytes that were already read from it.
    """

    rereadable = False

    def __init__(self, head: bytes, stream: Stream, place: Place) -> None:
        self.place = place
        self._head = head
        self._stream: Stream | None = stream

    def open(self) -> Stream:
        """Open the stream, which starts with ``head``. A second call fails."""
        if self._stream is None:
            raise self.place.error("expected to be read once, found a second attempt; save it to a file first")
        stream, self._stream = self._stream, None
        return _Rejoined(self._head, stream)


class _Rejoined:
    def __init__(self, head: bytes, stream: Stream) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        if not self._head:
            return self._stream.read(size)
        piece, self._head = self._head[:size], self._head[size:]
        return piece

    def close(self) -> None:
        """Do nothing, because the stream belongs to the caller."""


class Spool:
    """An unnamed temporary file.

    Each reader has its own position; the file is deleted when the last reader is closed.
    """

    rereadable = True

    def __init__(self, file: BinaryIO, place: Place) -> None:
        self.place = place
        self._file = file
        weakref.finalize(self, file.close)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._file.fileno()

    def open(self) -> Stream:
        """Open the file at its beginning."""
        return self.open_seekable()

    def open_seekable(self) -> BinaryIO:
        """Open the file at its beginning."""
        return cast("BinaryIO", _At(self))


class _At(io.RawIOBase):
    """One reader of a spool, with its own position. The reader keeps the spool alive."""

    def __init__(self, file: Spool) -> None:
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = (0, self._at, self._size)[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        data = os.pread(self._file.fileno(), len(buffer), self._at)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def spool(stream: Stream, place: Place) -> Spool:
    """Copy ``stream`` to an unnamed temporary file, which no other process can open."""
    with place.translated("room for a copy in the temporary folder"):
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the spool keeps it
        shutil.copyfileobj(cast("BinaryIO", stream), file, 1 << 20)
        file.flush()
    return Spool(cast("BinaryIO", file), place)


@dataclass(frozen=True)
class MemberOf:
    """A member of a zip archive."""

    archive: Seekable = field(repr=False)
    member: Member
    place: Place
    rereadable: bool = True

    def open(self) -> MemberStream:
        """Open the decompressed bytes of the member."""
        return MemberStream(self.archive.open_seekable(), self.member, self.place)

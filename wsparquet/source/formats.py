"""Detects gzip and zstd by their first bytes, and decompresses them in pieces of limited size."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from isal import igzip_lib

from wsparquet.errors import SourceError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["BLOCK", "CODECS", "RAW_DEFLATE", "Codec", "Feeder", "Format", "inflate", "inflate_one", "sniff"]

Format = Literal["gzip", "zstd", "zip", "plain"]
BLOCK = 256 << 10
FIRST_PIECE = 1 << 10
MAX_WINDOW_LOG = 27
MAGIC: tuple[tuple[bytes, Format], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
# The type stubs of isal declare its exception class as an instance.
CODEC_ERRORS: tuple[type[Exception], ...] = (igzip_lib.IsalError, zstd.ZstdError)  # type: ignore[assignment]
REMEDY = "fetch or make the file again"


def sniff(head: bytes) -> Format:
    """Return the format that the first four bytes indicate. The name of the file does not matter.

    Skippable zstd frames begin with 0x184D2A50 to 0x184D2A5F.
    """
    if len(head) >= 4 and head[0] & 0xF0 == 0x50 and head[1:4] == b"\x2a\x4d\x18":
        return "zstd"
    return next((name for magic, name in MAGIC if head.startswith(magic)), "plain")


class Decompressor(Protocol):
    """The interface that the decompressors of isal and zstd share."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes | memoryview, max_length: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class Codec:
    """A compression format, its decompressor, and its word for one of several concatenated streams."""

    name: str
    part: str
    decompressor: Callable[[], Decompressor]


def _gzip() -> Decompressor:
    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)


def _deflate() -> Decompressor:
    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE)


def _zstd() -> Decompressor:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: MAX_WINDOW_LOG})


CODECS = {"gzip": Codec("gzip", "member", _gzip), "zstd": Codec("zstd", "frame", _zstd)}
RAW_DEFLATE = Codec("deflate", "stream", _deflate)


class Feeder:
    """Reads stored bytes in pieces of a requested size and tracks the offset. The caller can return unused bytes."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._data = b""
        self._at = 0
        self._count = 0

    @property
    def offset(self) -> int:
        """The number of stored bytes consumed so far."""
        return self._count - len(self._data) + self._at

    def peek(self, size: int) -> bytes:
        """Return the next ``size`` bytes without consuming them. At the end of the file, there may be fewer."""
        while len(self._data) - self._at < size and self._fill():
            pass
        return self._data[self._at : self._at + size]

    def take(self, size: int) -> memoryview:
        """Consume and return between one and ``size`` bytes. At the end of the file, return no bytes."""
        if self._at == len(self._data):
            self._fill()
        piece = memoryview(self._data)[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def give_back(self, data: bytes) -> None:
        """Put back the most recently consumed bytes, which the caller did not use."""
        self._data = data + self._data[self._at :] if len(data) > self._at else self._data
        self._at = max(self._at - len(data), 0)

    def skip_zeros(self) -> None:
        """Skip zero bytes."""
        size = FIRST_PIECE
        while self.peek(1) == b"\0":
            self.give_back(bytes(self.take(size)).lstrip(b"\0"))
            size = min(size * 2, BLOCK)

    def _fill(self) -> bool:
        block = self._read(BLOCK)
        self._count += len(block)
        self._data = self._data[self._at :] + block
        self._at = 0
        return bool(block)


def inflate(feeder: Feeder, codec: Codec, *, where: str, chunk: int) -> Iterator[bytes]:
    """Yield the decompressed text of all members or frames, in pieces of at most ``chunk`` bytes.

    Zeros after the last gzip member are padding, which tapes and block devices add. Any other bytes after the last
    member are an error.

    Raises:
        SourceError: the stored bytes are corrupt or truncated. Offsets in the message refer to the stored bytes.

    """
    number = 0
    while True:
        if number and codec.name == "gzip":
            feeder.skip_zeros()
        head = feeder.peek(4)
        if not head and number:
            return
        if number and sniff(head) != codec.name and not _may_begin(head, codec):
            raise SourceError(
                f"{where}: expected the end of the file or another {codec.name} {codec.part} at byte {feeder.offset}, "
                f"found other bytes after {codec.part} {number}; cut the file there, or {REMEDY}"
            )
        number += 1
        label = f"{where}: {codec.name} {codec.part} {number}, which starts at byte {feeder.offset},"
        yield from inflate_one(feeder, codec, label=label, chunk=chunk)


def _may_begin(head: bytes, codec: Codec) -> bool:
    """Return whether a file that is too short for ``sniff`` begins like a compressed file."""
    return len(head) < 4 and any(magic.startswith(head) for magic, name in MAGIC if name == codec.name)


def inflate_one(feeder: Feeder, codec: Codec, *, label: str, chunk: int) -> Iterator[bytes]:
    """Yield the decompressed text of one member, frame, or stream. Every message starts with ``label``."""
    decompressor = codec.decompressor()
    inflated = 0
    # Bytes that a member does not use are put back, which copies them. A small first piece keeps the copy short.
    size = FIRST_PIECE
    while not decompressor.eof:
        piece = feeder.take(size) if decompressor.needs_input else memoryview(b"")
        if decompressor.needs_input and not piece:
            raise SourceError(
                f"{label} is truncated: expected more at byte {feeder.offset}, found the end of the file, after "
                f"{inflated} inflated bytes; {REMEDY}"
            )
        size = min(size * 2, BLOCK)
        try:
            text = decompressor.decompress(piece, chunk)
        except CODEC_ERRORS as error:
            raise SourceError(f"{label} {_complaint(error, feeder.offset, inflated)}") from error
        if text:
            inflated += len(text)
            yield text
    feeder.give_back(decompressor.unused_data)


def _complaint(error: Exception, offset: int, inflated: int) -> str:
    if "too much memory" in str(error):
        return (
            f"needs a larger window than {1 << MAX_WINDOW_LOG >> 20} MiB; compress it again with a smaller one "
            f"(zstd --long={MAX_WINDOW_LOG} at most)"
        )
    return f"is corrupt before byte {offset}, after {inflated} inflated bytes: {error}; {REMEDY}"

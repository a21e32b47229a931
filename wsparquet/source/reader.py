"""Reads a source in chunks: counts, hashes and decompresses its bytes, and detects decompression bombs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from types import TracebackType
from typing import Self

from blake3 import blake3

from wsparquet.errors import SourceError
from wsparquet.options import check_number
from wsparquet.source.archive import MemberStream
from wsparquet.source.failures import Place
from wsparquet.source.formats import BLOCK, CODECS, Feeder, Format, inflate, sniff
from wsparquet.source.names import wrong_suffix
from wsparquet.source.origins import Origin, Stream

__all__ = ["SourceLimits", "SourceReader", "checksum"]

MOST_LAYERS = 2
"""The maximum number of compressions of a source: one when the file was made, and one when a server sent it."""


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """Limits on the decompressed size of one source. A source that exceeds a limit fails.

    ``max_inflated``: the largest inflated size in bytes. ``max_ratio``: the largest number of inflated bytes for each
    stored byte, checked after ``ratio_floor`` inflated bytes. The ratio of repetitive JSON is about 300; the maximum of
    deflate is 1,032, and that of zstd is far higher. ``chunk``: the largest piece in bytes that a reader returns.

    >>> tables = wsparquet.read("session.gz", source_limits=wsparquet.SourceLimits(max_inflated=1 << 30))

    Raises:
        OptionError: a limit is not a whole number, or is negative.

    """

    max_inflated: int = 64 << 30
    max_ratio: int = 500
    chunk: int = 1 << 20
    ratio_floor: int = 64 << 20

    def __post_init__(self) -> None:
        """Reject invalid values."""
        for name in ("max_inflated", "max_ratio", "chunk", "ratio_floor"):
            check_number(name, getattr(self, name), minimum=0)


class _Stored:
    """Reads stored bytes, counts and hashes them, and translates errors."""

    def __init__(self, stream: Stream, place: Place) -> None:
        self._stream = stream
        self._place = place
        self.count = 0
        self.digest = hashlib.sha256()

    @property
    def packed(self) -> int:
        """The number of bytes read from the file; for a zip member, the number of compressed bytes read."""
        return self._stream.packed if isinstance(self._stream, MemberStream) else self.count

    def read(self, size: int) -> bytes:
        with self._place.translated(f"more at byte {self.count}"):
            block = self._stream.read(size)
        self.count += len(block)
        self.digest.update(block)
        return block

    def close(self) -> None:
        with self._place.translated():
            self._stream.close()


def checksum(origin: Origin) -> str:
    """Compute the SHA-256 of the stored bytes, in hex. The source is read in chunks, and not decompressed."""
    stored = _Stored(origin.open(), origin.place)
    try:
        while stored.read(BLOCK):
            pass
    finally:
        stored.close()
    return stored.digest.hexdigest()


class SourceReader:
    """The decompressed bytes of a source, as an iterator of chunks and a context manager.

    ``format`` is ``gzip``, ``zstd``, or ``plain``; for a zip member ``zip``, ``zip+gzip``, or ``zip+zstd``. If the
    inflated text is itself compressed, for example by a web server, ``+gzip`` or ``+zstd`` is appended once the first
    chunk is read. ``stored_bytes`` and ``inflated_bytes`` count the bytes read so far. The stored bytes of a zip member
    are its bytes without the archive's own compression.

    Raises:
        SourceError: the source is corrupt, truncated or unreadable, or exceeds a limit; raised during iteration.

    """

    def __init__(self, origin: Origin, *, name: str, limits: SourceLimits) -> None:
        self._place = origin.place
        self._limits = limits
        self._stored = _Stored(stream := origin.open(), origin.place)
        self._feeder = Feeder(self._stored.read)
        self._failure: SourceError | None = None
        self._whole = False
        self._text = blake3()
        self.inflated_bytes = 0
        try:
            self._pieces = self._open(archived=isinstance(stream, MemberStream))
        except BaseException:
            self.close()
            raise
        self._name = name

    @property
    def wrong_suffix(self) -> str | None:
        """The suffix of the name if the format does not match it, such as ``.gz`` on plain text; otherwise None."""
        return wrong_suffix(self._name, self.format)

    def _open(self, *, archived: bool) -> Iterator[bytes]:
        found = sniff(self._feeder.peek(4))
        if found == "zip":
            raise self._place.error(
                "expected a Web Session file, found a zip archive "
                + ("in an archive; unpack it first" if archived else "that changed after it was listed; run again")
            )
        self.format = found if not archived else "zip" if found == "plain" else f"zip+{found}"
        return self._plain() if found == "plain" else self._inflated(self._feeder, [found], self._place.label)

    def _plain(self) -> Iterator[bytes]:
        while piece := self._feeder.take(self._limits.chunk):
            yield bytes(piece)

    def _inflated(self, feeder: Feeder, layers: list[Format], where: str) -> Iterator[bytes]:
        """Yield the inflated text of the last of ``layers``. If this text is itself compressed, inflate it, too."""
        pieces = inflate(feeder, CODECS[layers[-1]], where=where, chunk=self._limits.chunk)
        head = b""
        while len(head) < 4 and (piece := next(pieces, None)) is not None:
            head += piece
        found = sniff(head[:4])
        if found == "plain":
            yield from chain([head] if head else [], pieces)
            return
        self._check_layers(layers, found)
        self.format += f"+{found}"
        inner = self._limited(chain((head,), pieces))
        yield from self._inflated(
            Feeder(lambda _size: next(inner, b"")), [*layers, found], f"{where}: in its {layers[-1]} text"
        )

    def _check_layers(self, layers: list[Format], found: Format) -> None:
        """Reject an archive in a compressed file, and a file that is compressed too many times."""
        if found == "zip" or len(layers) == MOST_LAYERS:
            raise self._place.error(
                f"expected text that is compressed at most {MOST_LAYERS} times by gzip or zstd, found "
                f"{' in '.join([found, *reversed(layers)])}; unpack it first"
            )

    def _limited(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the inflated pieces of an outer layer of compression. The limits apply to them, too."""
        size = 0
        for piece in pieces:
            size += len(piece)
            self._check(size)
            yield piece

    @property
    def stored_bytes(self) -> int:
        """The number of stored bytes read so far."""
        return self._stored.count

    @property
    def sha256(self) -> str:
        """The SHA-256 of the stored bytes, in hex.

        Raises:
            SourceError: the source was not read to its end.

        """
        self._check_whole()
        return self._stored.digest.hexdigest()

    @property
    def text_blake3(self) -> str:
        """The BLAKE3 hash of the inflated text, in hex: equal for all copies, however they are compressed.

        Raises:
            SourceError: the source was not read to its end.

        """
        self._check_whole()
        return self._text.hexdigest()

    def _check_whole(self) -> None:
        if not self._whole:
            raise self._place.error(
                f"expected a source that is completely read before its checksum, found {self.stored_bytes} bytes read"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        # After an error, a resumed generator would just stop, which would look like the end of the source.
        if self._failure is not None:
            raise self._failure
        try:
            piece = next(self._pieces, None)
            self.inflated_bytes += len(piece or b"")
            self._check(self.inflated_bytes)
        except SourceError as error:
            self._failure = error
            raise
        if piece is None:
            self._whole = True
            raise StopIteration
        self._text.update(piece)
        return piece

    def _check(self, inflated: int) -> None:
        limits = self._limits
        if inflated > limits.max_inflated:
            raise self._place.error(
                f"expected at most {limits.max_inflated} inflated bytes, found more after stored byte "
                f"{self.stored_bytes}; if the source is valid, raise `max_inflated`"
            )
        if inflated > limits.ratio_floor and inflated > limits.max_ratio * self._stored.packed:
            raise self._place.error(
                f"expected at most {limits.max_ratio} times as many inflated bytes as stored ones, found {inflated} "
                f"from {self._stored.packed}; if the source is valid, raise `max_ratio`"
            )

    def close(self) -> None:
        """Close the source."""
        self._stored.close()

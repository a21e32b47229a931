"""How a source is read: its stored bytes counted and hashed, inflated in bounded chunks, bombs refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from wsparquet.errors import SourceError
from wsparquet.source.archive import MemberStream
from wsparquet.source.failures import Place
from wsparquet.source.formats import BLOCK, CODECS, Feeder, inflate, sniff
from wsparquet.source.names import wrong_suffix
from wsparquet.source.origins import Origin, Stream

__all__ = ["SourceLimits", "SourceReader", "checksum"]


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """How much one source may inflate to, in bytes; past any of them it fails.

    ``max_inflated`` bounds the whole. ``max_ratio`` is inflated to stored bytes, checked once more than
    ``ratio_floor`` bytes are inflated: repetitive JSON reaches about 300, deflate can reach 1,032, zstd far more.
    ``chunk`` bounds each piece that a reader hands out.
    """

    max_inflated: int = 64 << 30
    max_ratio: int = 500
    chunk: int = 1 << 20
    ratio_floor: int = 64 << 20


class _Stored:
    """The stored bytes of a source as they are read: translated errors, count and checksum."""

    def __init__(self, stream: Stream, place: Place) -> None:
        self._stream = stream
        self._place = place
        self.count = 0
        self.digest = hashlib.sha256()

    @property
    def packed(self) -> int:
        """How many bytes the stored ones take where they lie; fewer in an archive."""
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
    """The SHA-256 of an origin's stored bytes in hex, read in pieces and not inflated."""
    stored = _Stored(origin.open(), origin.place)
    try:
        while stored.read(BLOCK):
            pass
    finally:
        stored.close()
    return stored.digest.hexdigest()


class SourceReader:
    """The inflated bytes of a source as an iterator of chunks; a context manager.

    ``format`` is ``gzip``, ``zstd`` or ``plain``, of a zip member ``zip``, ``zip+gzip`` or ``zip+zstd``.
    ``stored_bytes`` and ``inflated_bytes`` count what was read so far, of a zip member as the archive unpacks it.

    Raises:
        SourceError: from iteration, before its end: corrupt, truncated, unreadable, past a limit.

    """

    def __init__(self, origin: Origin, *, name: str, limits: SourceLimits) -> None:
        self._place = origin.place
        self._limits = limits
        self._stored = _Stored(stream := origin.open(), origin.place)
        self._feeder = Feeder(self._stored.read)
        self._failure: SourceError | None = None
        self._whole = False
        self.inflated_bytes = 0
        try:
            self._pieces = self._open(archived=isinstance(stream, MemberStream))
        except BaseException:
            self.close()
            raise
        self.wrong_suffix = wrong_suffix(name, self.format)
        """The suffix of the name that promises another format than was found (``.gz`` on plain text), or None."""

    def _open(self, *, archived: bool) -> Iterator[bytes]:
        found = sniff(self._feeder.peek(4))
        if found == "zip":
            raise self._place.error(
                "expected a Web Session file, found a zip archive "
                + ("in an archive; unpack it first" if archived else "that was none when it was listed; run again")
            )
        self.format = found if not archived else "zip" if found == "plain" else f"zip+{found}"
        if found == "plain":
            return self._plain()
        return inflate(self._feeder, CODECS[found], where=self._place.label, chunk=self._limits.chunk)

    def _plain(self) -> Iterator[bytes]:
        while piece := self._feeder.take(self._limits.chunk):
            yield bytes(piece)

    @property
    def stored_bytes(self) -> int:
        """How many stored bytes were read so far."""
        return self._stored.count

    @property
    def sha256(self) -> str:
        """The SHA-256 of the stored bytes in hex.

        Raises:
            SourceError: not all of the source was read, or it failed.

        """
        if not self._whole:
            raise self._place.error(
                f"expected all to be read before its checksum is asked for, found {self.stored_bytes} bytes read"
            )
        return self._stored.digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        # A generator that has raised just stops when it is asked again, which would pass for the end.
        if self._failure is not None:
            raise self._failure
        try:
            piece = next(self._pieces, None)
            self._check(len(piece or b""))
        except SourceError as error:
            self._failure = error
            raise
        if piece is None:
            self._whole = True
            raise StopIteration
        return piece

    def _check(self, added: int) -> None:
        self.inflated_bytes += added
        inflated, limits = self.inflated_bytes, self._limits
        if inflated > limits.max_inflated:
            raise self._place.error(
                f"expected at most {limits.max_inflated} inflated bytes, found more by stored byte "
                f"{self.stored_bytes}; if that is right, raise --max-inflated"
            )
        if inflated > limits.ratio_floor and inflated > limits.max_ratio * self._stored.packed:
            raise self._place.error(
                f"expected at most {limits.max_ratio} times as many inflated bytes as stored ones, found {inflated} "
                f"from {self._stored.packed}; if that is right, raise --max-ratio"
            )

    def close(self) -> None:
        """Close the source."""
        self._stored.close()

"""Reads zip archives: lists the members, and decompresses and checks each member in pieces of limited size.

``zipfile`` only reads the archive's directory. This module decompresses the members itself, because ``zipfile`` is
slower, reads the directory again for each member, and does not limit how much bzip2 and LZMA decompress at once.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from isal import isal_zlib

from wsparquet.source.failures import Place
from wsparquet.source.formats import BLOCK, RAW_DEFLATE, REMEDY, Feeder, inflate_one

__all__ = ["EMPTY_ARCHIVE", "SMALLEST_ARCHIVE", "Member", "MemberStream", "list_members"]

SMALLEST_ARCHIVE = 22
EMPTY_ARCHIVE = "expected a zip archive with files in it, found an empty one; leave it out"
ENCRYPTED = 0x1 | 0x40
# APPNOTE.TXT 4.3.7: signature, version, flags, method, time, date, CRC, two sizes, lengths of name and extra field.
LOCAL_HEADER = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True)
class Member:
    """One file of an archive, as the directory describes it. ``path`` is used only as a name. Sizes are in bytes."""

    path: str
    offset: int
    packed: int
    size: int
    crc: int
    method: int
    flags: int


def list_members(archive: BinaryIO, place: Place) -> list[Member]:
    """Return the files of a seekable archive, in archive order. Omit folders, and ``__MACOSX/``, which macOS adds.

    Raises:
        SourceError: the archive is corrupt or truncated, or contains no file.

    """
    with place.translated("a zip archive"), zipfile.ZipFile(archive) as opened:
        infos = opened.infolist()
    members = [
        Member(info.filename, info.header_offset, info.compress_size, info.file_size, info.CRC, method, info.flag_bits)
        for info in infos
        for method in (info.compress_type,)
        if not info.is_dir() and not info.filename.startswith("__MACOSX/")
    ]
    if not members:
        raise place.error(EMPTY_ARCHIVE)
    return members


class MemberStream:
    """The decompressed bytes of one member. ``packed`` counts the compressed bytes read so far.

    ``read`` raises SourceError if the member is encrypted, compressed by an unknown method, corrupt, or truncated.
    """

    def __init__(self, archive: BinaryIO, member: Member, place: Place) -> None:
        self._archive = archive
        self._member = member
        self._place = place
        self._pieces = self._unpack()
        self.packed = 0

    def read(self, _size: int = BLOCK) -> bytes:
        """Return the next bytes, at most 256 KiB. At the end, check the size and the CRC, and return no bytes."""
        return next(self._pieces, b"")

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()

    def _unpack(self) -> Iterator[bytes]:
        member, crc, size = self._member, 0, 0
        self._check_supported()
        self._seek()
        feeder = Feeder(self._read)
        for piece in self._inflated(feeder):
            crc, size = isal_zlib.crc32(piece, crc), size + len(piece)
            # Stop as soon as a member exceeds its size in the directory: it must not fill the disk or memory.
            if size > member.size:
                break
            yield piece
        if (crc, size, feeder.offset) != (member.crc, member.size, member.packed):
            raise self._place.error(
                f"expected {member.size} bytes with CRC {member.crc:08x} from {member.packed} compressed ones, found "
                f"{size} with CRC {crc:08x} from {feeder.offset}; the archive is corrupt, {REMEDY}"
            )

    def _inflated(self, feeder: Feeder) -> Iterator[bytes]:
        if self._member.method == zipfile.ZIP_DEFLATED:
            label = f"{self._place.label}: its data, compressed at byte {self._member.offset} of the archive,"
            yield from inflate_one(feeder, RAW_DEFLATE, label=label, chunk=BLOCK)
            return
        while piece := feeder.take(BLOCK):
            yield bytes(piece)

    def _check_supported(self) -> None:
        if self._member.flags & ENCRYPTED:
            raise self._place.error("expected a member without a password, found an encrypted one; unpack it first")
        if self._member.method not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self._place.error(
                f"expected a member that is stored or deflated, found compression method {self._member.method}; "
                "unpack it first"
            )

    def _seek(self) -> None:
        with self._place.translated("a zip archive"):
            self._archive.seek(self._member.offset)
            fields = LOCAL_HEADER.unpack(self._archive.read(LOCAL_HEADER.size))
            self._archive.seek(fields[-2] + fields[-1], 1)
        if fields[0] != b"PK\x03\x04":
            raise self._place.error(
                f"expected a member of the archive at byte {self._member.offset}, found other bytes; {REMEDY}"
            )

    def _read(self, size: int) -> bytes:
        with self._place.translated("a zip archive"):
            block = self._archive.read(min(size, self._member.packed - self.packed))
        self.packed += len(block)
        return block

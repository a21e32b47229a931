"""Whether stored bytes are inflated whole, and every damage is told before the end."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from tests.scale import scaled
from wsparquet.errors import SourceError
from wsparquet.source import Source, SourceLimits, expand
from wsparquet.source.failures import Place
from wsparquet.source.formats import CODECS, Feeder, inflate, sniff
from wsparquet.source.origins import Once

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = bytes(random.Random(1).choices(b'abcdefghij{}":,\n', k=300_000))
MEMBER = gzip.compress(TEXT, mtime=0)
FRAME = zstd.compress(TEXT, options={zstd.CompressionParameter.checksum_flag: 1})
SKIPPABLE = b"\x5a\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"hello"


def source(tmp_path: Path, content: bytes, name: str = "a.gz") -> Source:
    """A file as a source."""
    path = tmp_path / name
    path.write_bytes(content)
    (found,) = expand([path])
    assert isinstance(found, Source)
    return found


def read(found: Source, limits: SourceLimits | None = None) -> bytes:
    """All of a source."""
    with found.open(limits or SourceLimits()) as reader:
        return b"".join(reader)


def failure(found: Source, limits: SourceLimits | None = None) -> tuple[bytes, str]:
    """What a failing source gives before it fails, and its message."""
    pieces: list[bytes] = []
    with found.open(limits or SourceLimits()) as reader:
        with pytest.raises(SourceError) as caught:
            pieces.extend(reader)
        with pytest.raises(SourceError):
            next(reader)
        with pytest.raises(SourceError):
            _ = reader.sha256
    return b"".join(pieces), str(caught.value)


def flipped(content: bytes, at: int) -> bytes:
    """``content`` with one bit changed."""
    at %= len(content)
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def with_header(flags: int, extra: bytes = b"") -> bytes:
    """A gzip member with other flags in its header."""
    return MEMBER[:3] + bytes([flags]) + MEMBER[4:10] + extra + MEMBER[10:]


HEADER_CRC = struct.pack("<H", zlib.crc32(MEMBER[:3] + b"\x02" + MEMBER[4:10]) & 0xFFFF)
EMPTY = gzip.compress(b"", mtime=0)


@pytest.mark.parametrize(
    ("content", "found", "text"),
    [
        pytest.param(b"", "plain", b"", id="empty"),
        pytest.param(b"{", "plain", b"{", id="one byte"),
        pytest.param(TEXT, "plain", TEXT, id="plain"),
        pytest.param(b"\x1f", "plain", b"\x1f", id="half a magic"),
        pytest.param(MEMBER, "gzip", TEXT, id="gzip"),
        pytest.param(MEMBER * 3, "gzip", TEXT * 3, id="three members"),
        pytest.param(EMPTY, "gzip", b"", id="empty member"),
        pytest.param(EMPTY + MEMBER + EMPTY * 2, "gzip", TEXT, id="empty members around"),
        pytest.param(MEMBER + bytes(1), "gzip", TEXT, id="one zero behind"),
        pytest.param(MEMBER + bytes(1_000_000), "gzip", TEXT, id="zeros behind"),
        pytest.param(MEMBER + bytes(512) + MEMBER, "gzip", TEXT * 2, id="zeros between"),
        pytest.param(with_header(0x08, b"name\0"), "gzip", TEXT, id="header with name"),
        pytest.param(with_header(0x04, b"\x03\0abc"), "gzip", TEXT, id="header with extra field"),
        pytest.param(with_header(0x02, HEADER_CRC), "gzip", TEXT, id="header with CRC"),
        pytest.param(FRAME, "zstd", TEXT, id="zstd"),
        pytest.param(FRAME * 2, "zstd", TEXT * 2, id="two frames"),
        pytest.param(SKIPPABLE + FRAME + SKIPPABLE, "zstd", TEXT, id="skippable frames"),
        pytest.param(SKIPPABLE, "zstd", b"", id="skippable frame alone"),
        pytest.param(zstd.compress(b""), "zstd", b"", id="empty frame"),
    ],
)
def test_formats(tmp_path: Path, content: bytes, found: str, text: bytes) -> None:
    """Every format is told by its bytes, inflated whole, counted and hashed as it is stored."""
    made = source(tmp_path, content, "misnamed.zip")
    with made.open() as reader:
        pieces = list(reader)
        assert len(b"".join(pieces)) == len(text)
        assert b"".join(pieces) == text
        assert (reader.format, reader.stored_bytes, reader.inflated_bytes) == (found, len(content), len(text))
        assert reader.sha256 == hashlib.sha256(content).hexdigest()
        assert reader.wrong_suffix == ".zip"
    assert made.checksum() == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("content", "whole", "says"),
    [
        pytest.param(MEMBER[:-1], 1, "member 1, which starts at byte 0, is truncated", id="trailer cut"),
        pytest.param(MEMBER[:-8], 1, "member 1, which starts at byte 0, is truncated", id="no trailer"),
        pytest.param(MEMBER[: len(MEMBER) // 2], 0, "truncated: expected more at byte", id="data cut"),
        pytest.param(MEMBER[:5], 0, "expected more at byte 5, found the end", id="header cut"),
        pytest.param(b"\x1f\x8b", 0, "expected more at byte 2, found the end", id="magic alone"),
        pytest.param(with_header(0x08)[:12], 0, "truncated", id="name cut"),
        pytest.param(flipped(MEMBER, -8), 1, "corrupt before byte", id="wrong CRC"),
        pytest.param(flipped(MEMBER, -1), 1, "corrupt before byte", id="wrong length"),
        pytest.param(with_header(0x02, b"\0\0"), 0, "corrupt before byte", id="wrong header CRC"),
        pytest.param(MEMBER[:2] + b"\x07" + MEMBER[3:], 0, "corrupt before byte", id="unknown method"),
        pytest.param(MEMBER + b"<error/>", 1, f"at byte {len(MEMBER)}, found other bytes after member 1", id="garbage"),
        pytest.param(MEMBER + b"x", 1, f"at byte {len(MEMBER)}, found other bytes", id="one byte of garbage"),
        pytest.param(MEMBER + bytes(9) + b"x", 1, f"at byte {len(MEMBER) + 9}, found other bytes", id="zeros, garbage"),
        pytest.param(MEMBER + FRAME, 1, "found other bytes after member 1", id="zstd behind gzip"),
        pytest.param(
            MEMBER + MEMBER[:-1], 2, f"member 2, which starts at byte {len(MEMBER)}, is trunc", id="second cut"
        ),
        pytest.param(
            MEMBER + MEMBER[:1], 1, f"member 2, which starts at byte {len(MEMBER)}, is trunc", id="one byte of it"
        ),
        pytest.param(MEMBER + MEMBER[:9], 1, f"expected more at byte {len(MEMBER) + 9}", id="second header cut"),
        pytest.param(
            MEMBER + flipped(MEMBER, -8),
            2,
            f"member 2, which starts at byte {len(MEMBER)}, is corrupt",
            id="second CRC wrong",
        ),
        pytest.param(FRAME[:-1], 1, "zstd frame 1, which starts at byte 0, is truncated", id="zstd cut"),
        pytest.param(FRAME[:4], 0, "zstd frame 1, which starts at byte 0, is truncated", id="zstd magic alone"),
        pytest.param(flipped(FRAME, -1), None, "zstd frame 1, which starts at byte 0, is corrupt", id="zstd checksum"),
        pytest.param(
            FRAME + FRAME[:-4], 2, f"zstd frame 2, which starts at byte {len(FRAME)}, is trunc", id="2nd frame cut"
        ),
        pytest.param(FRAME + b"rest", 1, f"at byte {len(FRAME)}, found other bytes after frame 1", id="zstd garbage"),
        pytest.param(SKIPPABLE[:-1], 0, "zstd frame 1, which starts at byte 0, is truncated", id="skippable cut"),
    ],
)
def test_damage(tmp_path: Path, content: bytes, whole: int | None, says: str) -> None:
    """Damage fails the source with file, offset and remedy, after no more than the text before it, and stays failed."""
    text, message = failure(source(tmp_path, content))
    assert says in message
    assert str(tmp_path / "a.gz") in message
    assert "fetch or make the file again" in message
    assert (TEXT * 2).startswith(text)
    # What comes to light at a checksum may take the last piece with it.
    if whole and "corrupt" not in says:
        assert len(text) == whole * len(TEXT)
    elif whole:
        assert len(text) >= (whole - 1) * len(TEXT)


def test_every_truncation(tmp_path: Path) -> None:
    """A gzip file cut anywhere fails, also within its header and its trailer."""
    content = gzip.compress(b'{"recordCollection": []}\n' * 20) + gzip.compress(b"second")
    border = len(gzip.compress(b'{"recordCollection": []}\n' * 20))
    lengths = [length for length in range(2, len(content)) if length != border]
    assert lengths
    for length in lengths:
        _, message = failure(source(tmp_path, content[:length]))
        assert "truncated" in message


def test_every_flipped_bit_of_the_data(tmp_path: Path) -> None:
    """Any changed byte of the compressed data or the trailer is noticed: nothing is delivered changed as if whole."""
    text = random.Random(2).randbytes(200)
    content = gzip.compress(text)
    for at in range(10, len(content)):
        with source(tmp_path, flipped(content, at)).open() as reader:
            try:
                assert b"".join(reader) == text
            except SourceError:
                continue


def test_zstd_window(tmp_path: Path) -> None:
    """A window of 128 MiB is read, a larger one is refused with what to do."""
    for log in (27, 28):
        compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: log})
        found = source(tmp_path, compressor.compress(TEXT[:9]) + compressor.flush(), f"{log}.zst")
        if log == 27:
            assert read(found) == TEXT[:9]
        else:
            assert "larger window than 128 MiB; compress it again" in failure(found)[1]


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress, bytes])
def test_chunks_are_bounded(tmp_path: Path, compress: object) -> None:
    """No piece is longer than a chunk, whatever the ratio."""
    assert callable(compress)
    found = source(tmp_path, compress(b"a" * 3_000_000))
    with found.open(SourceLimits(chunk=70_000)) as reader:
        sizes = [len(piece) for piece in reader]
    assert sum(sizes) == 3_000_000
    assert min(sizes) > 0
    assert max(sizes) <= 70_000


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress, bytes])
def test_max_inflated(tmp_path: Path, compress: object) -> None:
    """A source of exactly the limit is read; one byte more fails it, in any format."""
    assert callable(compress)
    found = source(tmp_path, compress(TEXT))
    assert read(found, SourceLimits(max_inflated=len(TEXT))) == TEXT
    text, message = failure(found, SourceLimits(max_inflated=len(TEXT) - 1))
    assert "`max_inflated`" in message
    assert len(text) < len(TEXT)


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress])
def test_max_ratio(tmp_path: Path, compress: object) -> None:
    """A bomb is refused by its ratio, but only past the floor."""
    assert callable(compress)
    found = source(tmp_path, compress(bytes(8 << 20)))
    assert len(read(found)) == 8 << 20
    assert "`max_ratio`" in failure(found, SourceLimits(ratio_floor=4 << 20))[1]
    assert len(read(found, SourceLimits(ratio_floor=4 << 20, max_ratio=40_000))) == 8 << 20


def test_repetitive_json_is_no_bomb(tmp_path: Path) -> None:
    """JSON that compresses 200 to 400 times passes the default ratio, a true bomb past the default floor does not."""
    line = b'{"header":{"visitId":{"string":"%07d"}},"body":{"x":{"referrerUrl":{"string":"%s"}}}}\n'
    text = b"".join(line % (number, b"https://example.com/" * 200) for number in range(1000))
    content = gzip.compress(text, 9)
    assert 200 < len(text) / len(content) < 400
    assert read(source(tmp_path, content), SourceLimits(ratio_floor=1 << 20)) == text
    bomb = source(tmp_path, gzip.compress(bytes(80 << 20), 9), "bomb.gz")
    text, message = failure(bomb)
    assert "`max_ratio`" in message
    assert len(text) <= 65 << 20


@given(
    text=st.binary(max_size=3000),
    data=st.data(),
)
def test_members_and_borders(text: bytes, data: DataObject) -> None:
    """Bytes split in any number of members come back whole, however the stored bytes arrive."""
    codec = CODECS[data.draw(st.sampled_from(["gzip", "zstd"]))]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    stored = b"".join(gzip.compress(part) if codec.name == "gzip" else zstd.compress(part) for part in parts)
    step = data.draw(st.integers(1, 40))
    blocks = iter([stored[at : at + step] for at in range(0, len(stored), step)])
    feeder = Feeder(lambda _: next(blocks, b""))
    chunk = data.draw(st.integers(1, 500))
    pieces = list(inflate(feeder, codec, where="it", chunk=chunk))
    assert b"".join(pieces) == text
    assert all(0 < len(piece) <= chunk for piece in pieces)
    assert feeder.offset == len(stored)


@given(head=st.binary(max_size=4))
def test_sniff_needs_no_more_than_four_bytes(head: bytes) -> None:
    """Any first bytes are one of the four formats."""
    assert sniff(head) in {"gzip", "zstd", "zip", "plain"}


class Copying(Feeder):
    """Counts what is copied to be given back."""

    copied = 0

    def give_back(self, data: bytes) -> None:
        """Count."""
        self.copied += len(data)
        super().give_back(data)


@pytest.mark.parametrize("padding", [b"", b"\0"])
def test_many_tiny_members(padding: bytes) -> None:
    """Members of a few bytes cost little each: what is behind them is not copied over and over."""
    count = scaled(500_000, 50_000)
    stored = io.BytesIO((gzip.compress(b"x") + padding) * count)
    feeder = Copying(stored.read)
    assert b"".join(inflate(feeder, CODECS["gzip"], where="it", chunk=1 << 20)) == b"x" * count
    assert feeder.copied < count * 2048


def test_once() -> None:
    """A stream that is gone after one reading says so."""
    made = Once(b"", io.BytesIO(), Place("standard input"))
    stream = made.open()
    with pytest.raises(SourceError, match=r"standard input: expected to be read once.*save it to a file"):
        made.open()
    stream.close()


MEMORY = """
import resource, sys
from wsparquet.source import expand
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "linux" else 1 << 20)
(source,) = expand(sys.argv[1:])
before = peak()
with source.open() as reader:
    print(sum(map(len, reader)), peak() - before)
"""


def test_it_streams(tmp_path: Path) -> None:
    """Reading a large file takes no more memory than a few pieces of it."""
    line = b"".join(b'{"visitId": "%d"}' % number for number in range(60_000))
    path = tmp_path / "large.gz"
    times = scaled(1_000, 200)
    with path.open("wb") as file:
        member = gzip.compress(line, 1)
        for _ in range(times):
            file.write(member)
    done = subprocess.run([sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True)
    size, grown = map(int, done.stdout.split())
    assert size == times * len(line)
    assert grown < 24


# --- Compressed twice -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", [MEMBER, FRAME, MEMBER + MEMBER], ids=["gzip", "zstd", "members"])
@pytest.mark.parametrize("outer", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_compressed_twice(tmp_path: Path, inner: bytes, outer: Any) -> None:
    """A file that a server compressed once more is read whole, its checksum that of the stored bytes."""
    content = outer(inner)
    found = source(tmp_path, content)
    with found.open(SourceLimits(chunk=1000)) as reader:
        text = b"".join(reader)
        assert reader.sha256 == hashlib.sha256(content).hexdigest()
        assert (reader.stored_bytes, reader.inflated_bytes) == (len(content), len(text))
        assert reader.format.count("+") == 1
    assert text == (TEXT + TEXT if inner == MEMBER + MEMBER else TEXT)


def test_compressed_twice_byte_by_byte(tmp_path: Path) -> None:
    """The inner format is known even if its first bytes come in single pieces."""
    content = b"".join(gzip.compress(MEMBER[at : at + 1], mtime=0) for at in range(8)) + gzip.compress(MEMBER[8:])
    assert read(source(tmp_path, content), SourceLimits(chunk=1)) == TEXT


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(MEMBER[:-5]), "a.gz: in its gzip text: gzip member 1, which starts at byte 0, is truncated"),
        (gzip.compress(MEMBER + b"tail"), "found other bytes after member 1"),
        (gzip.compress(gzip.compress(MEMBER)), "found gzip in gzip in gzip; unpack it first"),
        (gzip.compress(b"PK\x03\x04" + bytes(30)), "found zip in gzip; unpack it first"),
    ],
    ids=["truncated", "tail", "three times", "archive"],
)
def test_damage_in_the_inner_layer(tmp_path: Path, content: bytes, said: str) -> None:
    """Damage below the first layer fails the source and says in which layer it is."""
    assert said in failure(source(tmp_path, content))[1]


def test_a_bomb_in_the_outer_layer(tmp_path: Path) -> None:
    """The limits hold for each layer: text that becomes nothing, a gigabyte of it, is not inflated to its end."""
    limits = SourceLimits(max_inflated=1 << 20)
    found = source(tmp_path, gzip.compress(EMPTY * 200_000))
    assert "expected at most 1048576 inflated bytes" in failure(found, limits)[1]
    limits = SourceLimits(max_ratio=10, ratio_floor=1 << 16)
    assert "expected at most 10 times as many inflated bytes" in failure(found, limits)[1]

"""Whether a zip archive is one source a member, each unpacked whole or refused."""

from __future__ import annotations

import gzip
import hashlib
import os
import random
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from wsparquet.errors import SourceError
from wsparquet.source import Failed, Source, SourceLimits, expand

TEXT = bytes(random.Random(3).choices(b'abcdefghij{}":,\n', k=600_000))
FIRST = "WebSession.1467291600000.1467295200000.part-00000-0.gz"


def made(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An archive of ``members``."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def expanded(*arguments: Path) -> list[Source]:
    """The sources of arguments of which none fails."""
    found = expand(arguments)
    assert not [failed for failed in found if isinstance(failed, Failed)]
    return [source for source in found if isinstance(source, Source)]


def failed(path: Path) -> str:
    """The message of the one source or argument that fails."""
    (found,) = expand([path])
    if isinstance(found, Failed):
        return str(found.error)
    with pytest.raises(SourceError) as caught, found.open() as reader:
        for _ in reader:
            pass
    with pytest.raises(SourceError):
        found.checksum()
    return str(caught.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_members(tmp_path: Path, method: int) -> None:
    """Every file is a source, inflated twice where it is compressed itself; folders and macOS's additions are none."""
    members = {
        "folder/": b"",
        f"folder/{FIRST}": gzip.compress(TEXT),
        "plain.json": TEXT,
        "empty.json": b"",
        "__MACOSX/plain.json": b"x",
        "../../etc/passwd": b"{}",
        "/absolute": b"{}",
        "back\\slash.json": b"{}",
    }
    path = made(tmp_path / "no suffix", members, method)
    sources = expanded(path)
    names = [FIRST, "plain.json", "empty.json", "passwd", "absolute", "slash.json"]
    assert [source.name for source in sources] == names
    urls = [f"{path.as_uri()}!/folder/{FIRST}", f"{path.as_uri()}!/plain.json"]
    assert [source.url for source in sources[:2]] == urls
    formats = ["zip+gzip", "zip", "zip", "zip", "zip", "zip"]
    stored = [content for name, content in members.items() if not name.endswith("/") and "MACOSX" not in name]
    for source, content, form in zip(sources, stored, formats, strict=True):
        text = gzip.decompress(content) if form == "zip+gzip" else content
        with source.open() as reader:
            assert b"".join(reader) == text
            assert (reader.format, reader.stored_bytes, reader.inflated_bytes) == (form, len(content), len(text))
            assert reader.sha256 == hashlib.sha256(content).hexdigest() == source.checksum()
        assert source.size == len(content)
        assert source.rereadable
    assert len({(source.etag, source.size) for source in sources}) == 4


def test_members_are_told_apart(tmp_path: Path) -> None:
    """Two members of one name are two sources, each with its own content."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.json", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.json", b"second")
    texts = []
    for source in expanded(path):
        with source.open() as reader:
            texts.append(b"".join(reader))
    assert texts == [b"first", b"second"]


@pytest.mark.parametrize("members", [{}, {"folder/": b""}])
def test_archive_without_files(tmp_path: Path, members: dict[str, bytes]) -> None:
    """An archive with nothing in it is a failure."""
    path = made(tmp_path / "a.zip", members)
    assert failed(path) == f"{path}: expected a zip archive with files in it, found an empty one; leave it out"


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
def test_truncated_archive(tmp_path: Path, keep: float) -> None:
    """A cut archive fails alone, and other sources go on."""
    path = made(tmp_path / "a.zip", {"a.json": TEXT})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    (tmp_path / "b.json").write_bytes(TEXT)
    broken, good = expand([path, tmp_path / "b.json"])
    assert isinstance(good, Source)
    assert isinstance(broken, Failed)
    assert (broken.name, broken.url) == ("a.zip", path.as_uri())
    assert str(path) in str(broken.error)
    assert "fetch or make the archive again" in str(broken.error)


def patched(path: Path, old: bytes, new: bytes) -> None:
    """Replace bytes wherever they stand: in the local header and in the directory."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_wrong_crc(tmp_path: Path, method: int) -> None:
    """A member that does not have its CRC fails, its URL in the message."""
    path = made(tmp_path / "a.zip", {"a.json": TEXT}, method)
    crc = zlib.crc32(TEXT)
    patched(path, crc.to_bytes(4, "little"), (crc ^ 1).to_bytes(4, "little"))
    message = failed(path)
    assert message.startswith(f"{path}!/a.json: ")
    assert f"CRC {crc ^ 1:08x}" in message
    assert f"CRC {crc:08x}" in message


@pytest.mark.parametrize("size", [len(TEXT) - 1, len(TEXT) + 1, 0])
def test_wrong_size(tmp_path: Path, size: int) -> None:
    """A member that is longer or shorter than the directory says fails."""
    path = made(tmp_path / "a.zip", {"a.json": TEXT})
    patched(path, len(TEXT).to_bytes(4, "little"), size.to_bytes(4, "little"))
    assert f"expected {size} bytes" in failed(path)
    (source,) = expanded(path)
    pieces: list[bytes] = []
    with pytest.raises(SourceError), source.open() as reader:
        pieces.extend(reader)
    assert sum(map(len, pieces)) <= size


def test_damaged_data(tmp_path: Path) -> None:
    """Data that does not inflate fails."""
    path = made(tmp_path / "a.zip", {"a.json": TEXT})
    content = bytearray(path.read_bytes())
    content[40:5000] = bytes(4960)
    path.write_bytes(content)
    message = failed(path)
    assert message.startswith(f"{path}!/a.json: ")
    assert "corrupt" in message


def test_moved_members(tmp_path: Path) -> None:
    """An archive that changed since it was listed fails rather than giving other bytes."""
    path = made(tmp_path / "a.zip", {"a.json": TEXT, "b.json": TEXT[:-1]})
    _, second = expanded(path)
    made(path, {"c.json": TEXT * 3, "d.json": b""}, zipfile.ZIP_STORED)
    with pytest.raises(SourceError, match="expected a member of the archive at byte"), second.open() as reader:
        list(reader)


def test_encrypted_member(tmp_path: Path) -> None:
    """A member with a password fails with what to do."""
    path = made(tmp_path / "a.zip", {"a.json": TEXT})
    content = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + at] |= 1
    path.write_bytes(content)
    assert "expected a member without a password, found an encrypted one; unpack it first" in failed(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unsupported_method(tmp_path: Path, method: int) -> None:
    """A member that is neither stored nor deflated fails with what to do."""
    path = made(tmp_path / "a.zip", {"a.json": TEXT}, method)
    assert f"found compression method {method}; unpack it first" in failed(path)


def test_archive_in_an_archive(tmp_path: Path) -> None:
    """An archive in an archive is refused, not taken for text."""
    inner = made(tmp_path / "inner.zip", {"a.json": TEXT})
    path = made(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes()})
    (source,) = expanded(path)
    with pytest.raises(SourceError, match="found a zip archive in an archive; unpack it first"):
        source.open()


def test_bombs(tmp_path: Path) -> None:
    """The ratio of a member is to its bytes in the archive, through both compressions."""
    zeros = bytes(8 << 20)
    path = made(tmp_path / "a.zip", {"plain.json": zeros, "twice.json.gz": gzip.compress(zeros)})
    limits = SourceLimits(ratio_floor=4 << 20)
    for source in expanded(path):
        with source.open(limits) as reader, pytest.raises(SourceError, match="`max_ratio`"):
            list(reader)


def test_prefixed_and_large_offsets(tmp_path: Path) -> None:
    """A second member far into the archive is found by its offset."""
    path = made(tmp_path / "a.zip", {"a": TEXT, "b": TEXT[1:], "c": b"{}"}, zipfile.ZIP_STORED)
    *_, last = expanded(path)
    with last.open() as reader:
        assert b"".join(reader) == b"{}"


STDIN = """
import sys
from wsparquet.source import expand
sources = expand(["-", "-"])
readers = [source.open() for source in sources]
for source, reader in zip(sources, readers, strict=True):
    with reader:
        print(source.name, source.url, source.rereadable, len(b"".join(reader)), reader.sha256)
"""


def run_with(stdin: bytes, tmp_path: Path) -> list[list[str]]:
    """What the sources of a process are whose standard input is ``stdin``."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", STDIN],
        input=stdin,
        capture_output=True,
        check=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    assert not done.stderr
    assert not list(temporary.iterdir())
    return [line.split() for line in done.stdout.decode().splitlines()]


@pytest.mark.parametrize("content", [gzip.compress(TEXT, mtime=0) * 2, TEXT * 2, b"{}", b""])
def test_stdin(tmp_path: Path, content: bytes) -> None:
    """Standard input is one source that can be read once, whatever its format, also if it is named twice."""
    text = gzip.decompress(content) if content.startswith(b"\x1f") else content
    checksum = hashlib.sha256(content).hexdigest()
    assert run_with(content, tmp_path) == [["stdin", "stdin", "False", str(len(text)), checksum]]


def test_zip_on_stdin(tmp_path: Path) -> None:
    """An archive on standard input is spooled and gives its members, read side by side; no copy is left behind."""
    compressed = gzip.compress(TEXT)
    path = made(tmp_path / "a.zip", {"a.json": TEXT, "b.json.gz": compressed})
    assert run_with(path.read_bytes(), tmp_path) == [
        ["a.json", "stdin!/a.json", "True", str(len(TEXT)), hashlib.sha256(TEXT).hexdigest()],
        ["b.json.gz", "stdin!/b.json.gz", "True", str(len(TEXT)), hashlib.sha256(compressed).hexdigest()],
    ]

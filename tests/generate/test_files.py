"""Whether generated files are named, compressed and broken as asked."""

from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.generate.test_defects import assert_agrees
from tests.generate.test_text import text_of
from wsparquet.decode import DecoderOptions
from wsparquet.decode.reference.decoder import ReferenceDecoder
from wsparquet.errors import SourceError, WsparquetError
from wsparquet.generate import GenerateOptions, broken_files, generate

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MEMBERS_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
CONVERTING = {"cut_json", "hostile_account", "first_account", "second_account"}


def members_of(data: bytes) -> list[bytes]:
    """The text of each gzip member."""
    found = []
    while data:
        inflater = zlib.decompressobj(wbits=31)
        found.append(inflater.decompress(data))
        assert inflater.eof
        data = inflater.unused_data
    return found


def test_files_have_the_server_s_names(tmp_path: Path) -> None:
    """Files are named after their hours, two parts an hour, and returned in order."""
    paths = generate(tmp_path / "new" / "folder", GenerateOptions(files=3, records=3))
    assert [path.name for path in paths] == [
        "WebSession.1467291600000.1467295200000.part-00000-0.gz",
        "WebSession.1467291600000.1467295200000.part-00001-0.gz",
        "WebSession.1467295200000.1467298800000.part-00000-0.gz",
    ]
    assert sorted(tmp_path.rglob("*.gz")) == paths


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_file_holds_the_text(tmp_path: Path, compression: Any) -> None:
    """Inflated by the standard library, each file is the text of its number, and files are written the same again."""
    options = GenerateOptions(files=2, records=60, compression=compression, gzip_members=3)
    inflates: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "zstd": zstd.decompress, "none": bytes}
    inflate = inflates[compression]
    stored = [path.read_bytes() for path in generate(tmp_path, options)]
    assert [inflate(data) for data in stored] == [text_of(options, number) for number in range(2)]
    assert [path.read_bytes() for path in generate(tmp_path, options)] == stored


@pytest.mark.parametrize("members", [1, 2, 7])
@pytest.mark.parametrize("amount", [{"records": 100}, {"size": 150_000}])
def test_members(tmp_path: Path, members: int, amount: dict[str, Any]) -> None:
    """A file has as many gzip members as asked, none empty, cut in the middle of lines too."""
    options = GenerateOptions(gzip_members=members, **amount)
    (path,) = generate(tmp_path, options)
    found = members_of(path.read_bytes())
    assert len(found) == members
    assert all(found)
    assert b"".join(found) == text_of(options)


def test_files_compress_like_real_ones(tmp_path: Path) -> None:
    """Lines compress 8 to 15 times with gzip, as tagged JSON with real values does."""
    (path,) = generate(tmp_path, GenerateOptions(size=3_000_000))
    assert 8 < 3_000_000 / path.stat().st_size < 15


def test_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    """Where no folder can be, the error names the file and says what to do."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SourceError, match=r"file/below/WebSession.*Not a directory.*name a folder"):
        generate(tmp_path / "file" / "below", GenerateOptions(records=1))


def decode(data: bytes) -> Any:
    """The reference decoder's report of a text."""
    decoder = ReferenceDecoder(DecoderOptions("broken"))
    decoder.feed(data)
    decoder.finish()
    return decoder.report


def read(path: Path) -> bytes:
    """A file's text as the standard library inflates it, formats told by magic bytes."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return zstd.decompress(data)
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.read(archive.namelist()[0])
    return data


def test_broken_files_fail_as_a_whole(tmp_path: Path) -> None:
    """Each failing file cannot be inflated, or holds no container of Web Session; all have names of their own."""
    failing = [broken for broken in broken_files(tmp_path, seed=1).values() if broken.fails]
    assert len({broken.path for broken in failing}) == len(failing) == 15
    assert {broken.path.parent for broken in failing} == {tmp_path}
    passed = [broken.reason for broken in failing if decodes(broken.path)]
    assert passed == []


def decodes(path: Path) -> bool:
    """Whether a file can be inflated and decoded."""
    try:
        decode(read(path))
    except (*MEMBERS_ERRORS, zstd.ZstdError, zipfile.BadZipFile, WsparquetError):
        return False
    return True


def test_broken_archives_were_good(tmp_path: Path) -> None:
    """What is wrong with the truncated ones is only that: the beginning inflates to good text."""
    broken = broken_files(tmp_path)
    for name in ("truncated_gzip", "truncated_trailer", "second_member_cut", "wrong_crc", "wrong_length"):
        head = zlib.decompressobj(wbits=31)
        try:
            text = head.decompress(broken[name].path.read_bytes()[:-8])
        except zlib.error as error:
            pytest.fail(f"{name}: {error}")
        assert text.startswith(b'{"dataType":{')


def test_other_files_convert(tmp_path: Path) -> None:
    """The others decode to the counts that they come with; the cut one leaves an item."""
    converting = {name: broken for name, broken in broken_files(tmp_path).items() if not broken.fails}
    assert set(converting) == CONVERTING
    for broken in converting.values():
        assert broken.expected is not None
        text = read(broken.path)
        assert len(text) == broken.expected.size
        assert_agrees(broken.expected, decode(text))
    cut = converting["cut_json"].expected
    assert cut is not None
    assert (cut.records, cut.items) == (39, 1)


def test_accounts(tmp_path: Path) -> None:
    """Two accounts' files have one name and other content; a hostile account is in the text as it is."""
    broken = broken_files(tmp_path)
    first, second, hostile = (broken[name] for name in ("first_account", "second_account", "hostile_account"))
    assert first.path.name == second.path.name
    found = [json.loads(read(entry.path).splitlines()[0])["metaData"] for entry in (first, second, hostile)]
    accounts = [entry["com.liveperson.dataaccess.MetaData"]["accountId"]["string"] for entry in found]
    assert accounts == ["75555851", "89995382", "../../x"]

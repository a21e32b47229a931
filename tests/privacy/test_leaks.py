"""No masked value is anywhere in a root, or in what commands say: not in pages, statistics, filters, or other files."""

from __future__ import annotations

import gzip
import logging
import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

import wsparquet
from tests.cli.program import run
from tests.parquet.thrift import _Reader, footer
from tests.privacy.sources import ADDRESSES, LEAK, NUMBERS, VISITORS, policy_masks, source
from wsparquet import Policy, SecretKey
from wsparquet.decode import native_decoder

KEY = "00112233445566778899aabbccddeeff"
DECODERS = ["reference"] if native_decoder() is None else ["reference", "native"]


def pieces(path: Path) -> Iterator[bytes]:
    """Every page of a Parquet file, decompressed, data pages and dictionaries; and last, all that is not in a page."""
    data = path.read_bytes()
    outside, last = [], 0
    for start, end, page in sorted(_pages(data, path)):
        outside.append(data[last:start])
        last = end
        yield page
    yield b"".join([*outside, data[last:]])


def _pages(data: bytes, path: Path) -> Iterator[tuple[int, int, bytes]]:
    """For each page of the file: where its body begins and ends, and the decompressed body."""
    codec = pa.Codec("zstd")
    for group in footer(path)[4]:
        for column in group[1]:
            facts = column[3]
            at, values = facts.get(11, facts[9]), 0
            while values < facts[5]:
                reader = _Reader(data)
                reader.at = at
                head = reader.struct()
                start, at = reader.at, reader.at + head[3]
                body = data[start:at]
                values += head[5][1] if 5 in head else head[8][1] if 8 in head else 0
                # The levels of a page of version 2 are not compressed.
                levels = head[8][5] + head[8][6] if 8 in head else 0
                packed = facts[4] == 6 and len(body) > levels and head.get(8, {}).get(7, True)
                unpacked = bytes(codec.decompress(body[levels:], head[2] - levels)) if packed else body[levels:]
                yield start, at, body[:levels] + unpacked


def texts(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every byte that a root has, decompressed if it is in a page or in a block of a manifest.

    Compressed bytes are not searched: they have the four bytes of some number by chance.
    """
    for path in sorted(root.rglob("*")):
        yield str(path), str(path).encode()
        if path.suffix == ".parquet":
            yield from ((str(path), piece) for piece in pieces(path))
        elif path.suffix == ".avro":
            data = path.read_bytes()
            # Each block ends with the marker that ends the header, too.
            yield str(path), data[: data.index(data[-16:])]
            yield str(path), repr(_manifest(path)).encode()
        elif path.is_file():
            yield str(path), path.read_bytes()


def _manifest(path: Path) -> Any:
    from pyiceberg.avro.file import AvroFile
    from pyiceberg.io.pyarrow import PyArrowFileIO

    opened: AvroFile[Any] = AvroFile(PyArrowFileIO().new_input(str(path)))
    with opened as file:
        return [[str(value) for value in record._data] for record in file]


def numbers() -> list[bytes]:
    """The masked numbers as they would be in a Parquet page, and in text."""
    forms = (lambda number: struct.pack("<d", number + 0.5), lambda number: struct.pack("<i", number))
    return [form(number) for number in NUMBERS.values() for form in (*forms, lambda number: str(number).encode())]


def assert_clean(where: str, data: bytes) -> None:
    """No masked text, address or number is in some bytes."""
    lower = data.lower()
    for secret in (LEAK, *ADDRESSES):
        assert secret.encode() not in lower, where
    found = [secret for secret in numbers() if secret in data]
    assert not found, where


def excludes(path: Path, column: str, value: str) -> bool:
    """Whether each Bloom filter of a column says that a value is not in the file."""
    query = "SELECT bloom_filter_excludes FROM parquet_bloom_probe(?, ?, ?)"
    rows = duckdb.execute(query, [str(path), column, value]).fetchall()
    assert rows
    return all(excluded for (excluded,) in rows)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two files of the same form, whose names say nothing."""
    folder = tmp_path / "raw"
    folder.mkdir()
    for hour in (0, 1):
        start = 1_467_291_600_000 + hour * 3_600_000
        name = f"WebSession.{start}.{start + 3_600_000}.part-00000-0.gz"
        (folder / name).write_bytes(gzip.compress(source(hour), mtime=0))
    return folder


def test_the_search_finds_what_is_there(raw: Path, tmp_path: Path) -> None:
    """Without masks, each text, address and number is found; otherwise the other tests would show nothing."""
    wsparquet.convert(raw, to=tmp_path / "lake")
    whole = b"\0".join(data for _, data in texts(tmp_path / "lake"))
    lower = whole.lower()
    words = ["visit 0", "beside", "city", "url", "contact", "@x", "body", "record", "quarantine", "scalar", "header"]
    words += ["metadata", "container", "item", "line"]
    assert [
        word for word in words if f"{LEAK} {word}".encode() not in lower and f"{LEAK}{word}".encode() not in lower
    ] == []
    assert all(address.encode() in lower for address in ADDRESSES)
    present = [
        struct.pack("<d", number + 0.5) in whole or struct.pack("<i", number) in whole for number in NUMBERS.values()
    ]
    assert all(present)
    with pytest.raises(AssertionError):
        assert_clean("", whole)


@pytest.mark.parametrize("decoder", DECODERS)
def test_no_masked_value_is_in_a_root_or_in_what_commands_say(
    raw: Path, tmp_path: Path, decoder: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After a conversion, a compaction and a publication; in files, Bloom filters, output and the log."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("WSPARQUET_KEY", KEY)
    lake = tmp_path / "lake"
    masks = [f"--mask={path}={action}" for path, action in policy_masks().items()]
    said = [run("convert", raw, "--to", lake, "--decoder", decoder, "--verbose", *masks)]
    assert said[0].code == 3
    assert dict(Policy.make(policy_masks()).masks)["geo.visitorId"] == "hash"
    clean = [(where, data) for where, data in texts(lake)]
    said += [
        run("compact", lake, "--older-than", "0d", "--min-files", "2"),
        run("publish", lake),
        run("verify", lake, raw, "--output", "json"),
        run("drift", lake),
        run("status", lake),
        run("report", lake, "--html", tmp_path / "report.html"),
        run("sql", "--root", lake, "SELECT * FROM geo, navigation"),
        run("convert", raw, "--to", lake, "--output", "json", "--again"),
    ]
    assert said[3].code == 0, said[3].out
    clean += [*texts(lake), ("report", (tmp_path / "report.html").read_bytes())]
    clean += [("output", f"{each.out}{each.err}".encode()) for each in said]
    clean += [("log", "\n".join(record.getMessage() for record in caplog.records).encode())]
    assert len(clean) > 100
    for where, data in clean:
        assert_clean(where, data)
        assert KEY.encode() not in data
        assert bytes.fromhex(KEY) not in data


def test_bloom_filters_have_hashes_only(raw: Path, tmp_path: Path) -> None:
    """A merged file's filter has the hash of a visitor, by which a reader finds the visitor, and not the visitor."""
    lake, key = tmp_path / "lake", SecretKey(bytes.fromhex(KEY))
    wsparquet.convert(raw, to=lake, policy=Policy.make(policy_masks()), key_file=key)
    assert not wsparquet.compact(lake, min_files=2, older_than=timedelta(0)).failures
    merged = sorted((lake / "record_type=geo").rglob("*.parquet"))
    assert merged
    for path in merged:
        assert all(excludes(path, "visitorId", visitor) for visitor in VISITORS)
        assert not all(excludes(path, "visitorId", key.digest(visitor.encode())) for visitor in VISITORS)

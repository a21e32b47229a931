"""Sources with a person's ids in every place where an id can be, and a search for the ids in all bytes of a root."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import wsparquet

VISITOR, VISIT, CUSTOMER = "PERSONvisitor7f3a", "PERSONvisit19bc", "PERSONcustomer55de"
NUMBER = "8675309420"
"""An id of a visitor that a source writes as a number."""

KEY = "5e" * 32
START = 1_467_330_600_000
"""Ten minutes before midnight."""

PREFIX = "com.liveperson.dataaccess"
NAMES = [f"WebSession.{START + hour * 3_600_000}.{START + (hour + 1) * 3_600_000}.part-00000-0.gz" for hour in range(3)]


def text(value: str) -> dict[str, str]:
    """A text in Avro's JSON encoding."""
    return {"string": value}


def record(tag: str, visitor: object, visit: str, **body: Any) -> dict[str, Any]:
    """A record of a visit."""
    header = {"visitId": text(visit), "visitorId": visitor if isinstance(visitor, dict) else text(str(visitor))}
    return {"body": {f"{PREFIX}.{tag}": {"header": {f"{PREFIX}.VisitorHeader": header}, **body}}}


def geo(visitor: object, visit: str, **more: Any) -> dict[str, Any]:
    """A record of the table ``geo``."""
    return record("WebSessionGeoData", visitor, visit, city=text(f"city of {visit}"), **more)


def pages(visitor: object, visit: str, time: int) -> dict[str, Any]:
    """A record of the table ``navigation``."""
    page = {"timestamp": {"long": time}, "url": text(f"https://shop.example/{visit}")}
    return record("WebSessionNavigationData", visitor, visit, navigationData={"array": [page, page]})


def customer(visitor: str, visit: str, customer_id: str, time: int) -> dict[str, Any]:
    """A record of the table ``engagement_attributes``."""
    other = {f"{PREFIX}.Lead": {"topic": text("nothing")}}
    info = {f"{PREFIX}.CustomerInfo": {"customerId": text(customer_id), "userName": text("name")}}
    attributes = [{"timestamp": {"long": time}, "data": each} for each in (other, info)]
    return record("WebSessionEngAttrsData", visitor, visit, engagementAttributes={"array": attributes})


def container(*records: object, **values: object) -> str:
    """A line with a container; records that are text are written as they are."""
    shown = ",".join(each if isinstance(each, str) else json.dumps(each) for each in records)
    metadata = {f"{PREFIX}.MetaData": {"accountId": text("75555851"), "startTime": {"long": START}, **values}}
    head = json.dumps({"dataType": "WebSession", "metaData": metadata})
    return f'{head[:-1]},"recordCollection":{{"array":[{shown}]}}}}'


def others(number: int) -> Iterator[dict[str, Any]]:
    """Records of other people, on two days."""
    for each in range(4):
        visitor, visit, time = f"other{number}{each}", f"stay{number}{each}", START + each * 300_000
        yield geo(visitor, visit)
        yield pages(visitor, visit, time)
        yield customer(visitor, visit, f"C{number}{each}", time)
        yield record("WebSessionNewlyInvented", visitor, visit, something=text("new"))


def person(number: int) -> Iterator[object]:
    """Records of the person: in each table, in values that are rescued, and in records that are not valid."""
    visit = f"{VISIT}{number}"
    yield geo(VISITOR, visit)
    yield pages(VISITOR, visit, START + 900_000)
    yield pages(VISITOR, visit, START)
    yield record("WebSessionNewlyInvented", VISITOR, visit, something=text("new"))
    # Rescued: an id in a field that no table has, in a record of somebody else.
    yield geo(f"stranger{number}", f"{VISIT}stranger", unknown={"visitor_Id": [text(VISITOR)]})
    yield [{"x": 1, "visitorId": VISITOR}]
    yield json.dumps(geo(VISITOR, visit))[:-3]


def write_sources(folder: Path) -> Path:
    """Write three files; the second one has neither the person nor the customer."""
    folder.mkdir(parents=True)
    lines = {
        0: [container(*others(0), *person(0), *others(5)), container(geo({"long": int(NUMBER)}, "by number"))],
        1: [container(*others(1))],
        2: [
            container(*others(2), visitorId=VISITOR, note="kept"),
            container(
                customer("unknown", f"{VISIT}of-customer", CUSTOMER, START), geo("unknown", f"{VISIT}of-customer")
            ),
        ],
    }
    for number, name in enumerate(NAMES):
        (folder / name).write_bytes(gzip.compress("\n".join([*lines[number], ""]).encode(), mtime=0))
    return folder


def rows(lake: Path | str, **options: Any) -> list[str]:
    """All rows that count, each as text, sorted."""
    found = wsparquet.open_dataset(lake, **options)
    return sorted(f"{name} {row!r}" for name in found.tables for row in found.table(name).to_table().to_pylist())


def without(found: Iterable[str], *ids: str) -> list[str]:
    """The rows in which none of the ids is."""
    return [row for row in found if not any(each in row for each in ids)]


# --- The search -------------------------------------------------------------------------------------------------------


def traces(root: Path, *ids: str) -> set[str]:
    """The paths of all files that have one of the ids: in their bytes, in inflated pages, or in Bloom filters."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and any(_has(path, ids))}


def _has(path: Path, ids: Iterable[str]) -> Iterator[bool]:
    data = path.read_bytes()
    pieces = [data]
    if data[:4] == b"PAR1":
        pieces += pages_of(data, pq.read_metadata(path))
        if path.suffix == ".parquet":
            yield from _blooms(path, ids)
    elif data[:4] == b"Obj\x01":
        pieces += blocks_of(data)
    for each in ids:
        yield any(each.encode() in piece for piece in pieces)


def _blooms(path: Path, ids: Iterable[str]) -> Iterator[bool]:
    """Whether a Bloom filter may have an id, as DuckDB reads it; a row group without a filter has none."""
    for name in ("visitId", "visitorId"):
        # A row group without a filter may have any value, a nonsense one too.
        filtered = [*_may_have(path, name, "no such id")]
        for each in ids:
            yield any(may and not other for may, other in zip(_may_have(path, name, each), filtered, strict=True))


def _may_have(path: Path, column: str, value: str) -> Iterator[bool]:
    query = "SELECT NOT bloom_filter_excludes FROM parquet_bloom_probe(?, ?, ?)"
    return (may for (may,) in duckdb.execute(query, [str(path), column, value]).fetchall())


def pages_of(data: bytes, footer: pq.FileMetaData) -> Iterator[bytes]:
    """The inflated dictionary and data pages of a Parquet file."""
    for group in range(footer.num_row_groups):
        for index in range(footer.num_columns):
            column = footer.row_group(group).column(index)
            at = column.dictionary_page_offset or column.data_page_offset
            end = at + column.total_compressed_size
            while at < end:
                header, at = _struct(data, at)
                body = data[at : at + header[3]]
                at += header[3]
                levels = sum(header[8].get(field, 0) for field in (5, 6)) if 8 in header else 0
                assert column.compression in {"ZSTD", "UNCOMPRESSED"}
                if column.compression == "ZSTD" and header[2] > levels:
                    inflated = pa.decompress(body[levels:], header[2] - levels, codec="zstd")
                    body = body[:levels] + inflated.to_pybytes()
                yield body


def _struct(data: bytes, at: int) -> tuple[dict[int, Any], int]:
    """A struct in Thrift's compact protocol, and where it ends."""
    found: dict[int, Any] = {}
    field = 0
    while (head := data[at]) != 0:
        at += 1
        delta, kind = head >> 4, head & 15
        if delta:
            field += delta
        else:
            field, at = _number(data, at)
        found[field], at = _value(data, at, kind)
    return found, at + 1


def _value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind in {1, 2}:
        return kind == 1, at
    if kind == 3:
        return data[at], at + 1
    if kind in {4, 5, 6}:
        return _number(data, at)
    if kind == 7:
        return None, at + 8
    if kind == 8:
        size, at = _varint(data, at)
        return data[at : at + size], at + size
    if kind in {9, 10}:
        size, inner = data[at] >> 4, data[at] & 15
        at += 1
        if size == 15:
            size, at = _varint(data, at)
        items = []
        for _ in range(size):
            item, at = _value(data, at, inner)
            items.append(item)
        return items, at
    return _struct(data, at)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def _number(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def blocks_of(data: bytes) -> Iterator[bytes]:
    """The inflated blocks of an Avro file, which the marker at its end separates."""
    for block in data.split(data[-16:]):
        for start in range(2, min(len(block), 12)):
            try:
                yield zlib.decompress(block[start:], -15)
            except zlib.error:
                continue


def is_quarantine(path: str) -> bool:
    """Whether a path is that of a quarantine file."""
    return re.match("_wsparquet/quarantine/", path) is not None

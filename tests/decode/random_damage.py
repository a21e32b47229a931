"""Small damaged sources by the hundred thousand, each made from a number alone, and what a decoder makes of them.

Hypothesis finds the smallest failing input but takes ten milliseconds for each. Here an input takes a few hundred
microseconds, so that `make test-full` can try a million.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import pyarrow as pa

from wsparquet.decode import DecoderOptions, Limits, make_decoder
from wsparquet.errors import DecodeError

__all__ = ["cut", "damage", "damaged_source", "damaged_sources", "disagreement", "outcome"]

RECORDS = (
    '{"body":{"a.Geo":{"geo":{"city":"%d"}}}}',
    '{"body":{"com.x.WebSessionGeoData":{"header":{"visitId":"%d"},"geo":{"city":"\\"]}é"}}}}',
    '{ "Bo_dy" : { "a.GEO" : { "country" : "%d" } } }',
    '{"body":{"a.Navigation":{"navigationData":[{"url":"%d"},{"url":"u"}]}}}',
    '{"body":{"a.Unheard":{"n":[%d,true,null]}}}',
    '{"x":%d,"body":{"a.Geo":{}}}',
    '{"body":{"Geo":{"city":"%d"}}}',
    '{"body":{"a.Geo":{"x":[%d,@],"y":"z"}}}',
    '{"body":{"a.Geo":{"x":"%d,@"}}}',
    "%d",
    '"s%d"',
)
HEADS = (
    ('{"recordCollection":[', "]}"),
    ('{"metaData":{"accountId":"7"},"recordCollection":[', "]}"),
    ('{"dataType":"WebSession","recordCollection":{"array":[', "]}}"),
    ('{"recordCollection":[', '],"metaData":{"accountId":"8"}}'),
    ('{"recordCollection":[', '],"x":[1.5,"]"]}'),
)
SEPARATORS = ("\n", "\n", "", " ", "\n\ufeff", "\x00\x00", ",\n", ",")
STRUCTURE = b'{}[]",:'
GAINED = (
    *(byte.to_bytes(1, "little") for byte in b'{}[]",:\n\\ 1.-\x00\xff'),
    *(b"]}", b"}}", b"},", b",{", b"]},", b"[1,", b'{"a":', b',"', b"],", b"\xef\xbb\xbf", b",,", b"]]"),
    *(b'\n{"metaData":', b'{"recordCollection":[', b',{"body":{"a.Geo":{', b'{"body":', b"\n[", b"nul", b"1e"),
)


def _record(random: Random, number: int, depth: int = 0) -> str:
    text = random.choice(RECORDS) % number
    if "@" not in text:
        return text
    inner = _record(random, number + 100, depth + 1) if depth < 2 else "1"
    in_string = text.count('"', 0, text.index("@")) % 2 == 1
    return text.replace("@", inner.replace("\\", "").replace('"', random.choice(["'", '\\"', '"']))
                        if in_string and "recordCollection" not in inner else inner)  # fmt: skip


def _container(random: Random, number: int) -> str:
    head, tail = random.choice(HEADS)
    records = [_record(random, number * 10 + index) for index in range(random.randrange(5))]
    return head + ",".join(records) + tail


def _undamaged(random: Random) -> bytes:
    containers = [_container(random, number) for number in range(random.randrange(1, 4))]
    if random.random() < 0.15:
        return ("[" + random.choice([",", ",\n", "\n,"]).join(containers) + "]").encode()
    start = random.choice(["", "", "\ufeff"])
    return (start + "".join(one + random.choice(SEPARATORS) for one in containers)).encode()


def damage(random: Random, text: bytes) -> bytes:
    """The text with one loss, one gain, one copy, or one cut."""
    places = [at for at, byte in enumerate(text) if byte in STRUCTURE] or [0]
    at = random.choice(places) if random.random() < 0.8 else random.randrange(len(text) + 1)
    match random.randrange(9):
        case 0 | 1 | 2:  # lost
            return text[:at] + text[at + random.choice([1, 1, 1, 2, 3, 4]) :]
        case 3 | 4 | 5:  # gained
            return text[:at] + random.choice(GAINED) + text[at:]
        case 6:  # copied to another place
            end = random.choice(places)
            to = random.choice(places)
            return text[:to] + text[min(at, end) : max(at, end)] + text[to:]
        case 7:  # moved
            piece = text[at : at + random.randrange(30)]
            text = text[:at] + text[at + len(piece) :]
            to = random.randrange(len(text) + 1)
            return text[:to] + piece + text[to:]
        case _:
            return text[:at]


def damaged_source(number: int) -> bytes:
    """The source of a number: up to three containers with up to four changes."""
    random = Random(number)
    text = _undamaged(random)
    for _ in range(random.choice([0, 1, 1, 1, 2, 2, 3, 4])):
        text = damage(random, text)
    return text


def damaged_sources(numbers: range) -> bytes:
    """The sources of many numbers as one source. Between them is a line that ends whatever is open."""
    start = b"\xef\xbb\xbf" if numbers.start % 3 == 0 else b""
    line = b'\n{"metaData":{},"recordCollection":[]}\n'
    return start + b"".join(line + damaged_source(number) for number in numbers)


def disagreement(numbers: range) -> bytes | None:
    """A source, of one number if possible, of which the decoders make different things, in one piece or cut."""
    text = damaged_sources(numbers)
    expected = outcome([text], "reference")
    pieces = cut(numbers.start, text)
    found = [outcome([text], "native"), outcome(pieces, "native")]
    if numbers.start // len(numbers) % 4 == 0:  # the slow one not so often
        found.append(outcome(pieces, "reference"))
    if all(one == expected for one in found):
        return None
    alone = (disagreement(range(number, number + 1)) for number in numbers if len(numbers) > 1)
    return next((one for one in alone if one is not None), text)


def cut(number: int, text: bytes) -> list[bytes]:
    """The text in up to four pieces, which the number determines."""
    random = Random(number)
    ends = [0, *sorted(random.randrange(len(text) + 1) for _ in range(random.randrange(1, 4))), len(text)]
    return [text[start:end] for start, end in pairwise(ends)]


def outcome(pieces: list[bytes], decoder: str, limits: Limits | None = None) -> Any:
    """Rows by table, quarantine without reasons, and the report; the message if the source fails."""
    machine = make_decoder(DecoderOptions("s", limits or Limits()), decoder=decoder)
    try:
        decoded = [*(machine.feed(piece) for piece in pieces), machine.finish()]
    except DecodeError as error:
        return str(error).partition("found b")[0]
    batches: dict[str, list[pa.RecordBatch]] = {}
    for table, batch in (pair for one in decoded for pair in one.batches):
        batches.setdefault(table, []).append(batch)
    rows = {table: pa.Table.from_batches(some).combine_chunks() for table, some in sorted(batches.items())}
    quarantined = [
        (one.kind, one.start, one.container, one.record_number, one.path, one.data)
        for some in decoded
        for one in some.quarantined
    ]
    return rows, quarantined, machine.report.to_dict()

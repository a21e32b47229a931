"""Whether containers and records are found at the same places however the text comes, in bounded work and pieces."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.decode.mutations import chunked, chunks
from tests.scale import FULL, scaled
from wsparquet.decode.model import Limits
from wsparquet.decode.reference.elements import PIECE, TOO_DEEP
from wsparquet.decode.reference.events import ContainerEnd, ContainerStart, ContainerValue, Event, Item, Record
from wsparquet.decode.reference.splitter import Splitter
from wsparquet.errors import DecodeError

MIB = 1 << 20


def split(*pieces: bytes, limits: Limits | None = None) -> list[Event]:
    """All events of the pieces fed one after the other."""
    splitter = Splitter(limits or Limits())
    return [event for piece in pieces for event in splitter.feed(piece)] + list(splitter.finish())


def shape(events: list[Event]) -> list[str]:
    """Each event in a word or two: what it is, and its text."""
    words = []
    for event in events:
        match event:
            case Record():
                words.append(f"{'record' if event.reason is None else 'bad'} {event.raw.decode('latin-1')}")
            case Item():
                words.append(f"item {event.raw.decode('latin-1')}")
            case ContainerStart():
                words.append(f"start {' '.join(key for key, _ in event.values)}".strip())
            case ContainerValue():
                words.append(f"value {event.key}")
            case ContainerEnd():
                words.append("end")
    return words


# --- States -----------------------------------------------------------------------------------------------------------

CASES = {
    "plain": ('{"recordCollection":[{"a":1} , {"b":2}]}', ["start", 'record {"a":1}', 'record {"b":2}', "end"]),
    "tagged": ('{"recordCollection":{"array":[{}]},"x":1.5e1}', ["start", "record {}", "value x", "end"]),
    "tagged by any type": ('{"recordCollection":{"a.B":[ ]}}', ["start", "end"]),
    "null": ('{"metaData":1,"recordCollection":null}', ["start metaData", "end"]),
    "tagged null": ('{"recordCollection":{"array":null}}', ["start", "end"]),
    "no list": ('{"recordCollection":{"a":[{}]}}', ["start", "value recordCollection", "end"]),
    "key in other case": ('{"Record_Collection":[1]}', ["start", "record 1", "end"]),
    "key with escapes": ('{"record\\u0043ollection":[1]}', ["start", "record 1", "end"]),
    "collection twice": ('{"recordCollection":[],"recordCollection":[{}]}', ["start", "value recordCollection", "end"]),
    "two on a line": ('{"recordCollection":[]}{"recordCollection":[]}', ["start", "end", "start", "end"]),
    "byte order mark": ('\ufeff{"recordCollection":[]}', ["start", "end"]),
    "byte order mark later": ('{"recordCollection":[]}\n\ufeff\n', ["start", "end"]),
    "numbers at every border": ('{"n":-1.5E+2,"recordCollection":[1e1,2],"m":0.1}',
                                ["start n", "record 1e1", "record 2", "value m", "end"]),
    "strings at every border": ('{"k\\"":"\\\\","recordCollection":["\\u00e9\\n"],"z":"}]"}',
                                ['start k"', 'record "\\u00e9\\n"', "value z", "end"]),
    "a comma too many": ('{"recordCollection":[{},,{}]}', ["start", "record {}", "item ,", "record {}", "end"]),
    "a comma first": ('{"recordCollection":[,{}]}', ["start", "item ,", "record {}", "end"]),
    "a comma last": ('{"recordCollection":[{},]}', ["start", "record {}", "item ,", "end"]),
    "a comma alone": ('{"recordCollection":[,]}', ["start", "item ,", "end"]),
    "a bad record": ('{"recordCollection":[{"a":},{"b":[}]"]},{}]}',
                     ["start", 'bad {"a":}', 'item {"b":[}]"]},{}]}', "end"]),
    "no comma": ('{"recordCollection":[{} {},{}]}', ["start", "bad {} {}", "record {}", "end"]),
    "cut in a record": ('{"recordCollection":[{},{"a', ["start", "record {}", 'item {"a', "end"]),
    "cut behind a comma": ('{"recordCollection":[{},', ["start", "record {}", "item ", "end"]),
    "cut behind the records": ('{"recordCollection":[{}]', ["start", "record {}", "item ", "end"]),
    "cut in the head": ('{"metaData":{"a', ['item {"metaData":{"a']),
    "cut in a tag": ('{"recordCollection":{"arr', ['item {"recordCollection":{"arr']),
    "more behind the tagged list": ('{"recordCollection":{"array":[1],"x":2}}',
                                    ["start", "record 1", 'item ,"x":2}}', "end"]),
    "no comma behind the records": ('{"recordCollection":[1] "x":2}', ["start", "record 1", 'item "x":2}', "end"]),
    "a border in a record": ('{"recordCollection":[{"a":\n{"recordCollection":[1]}',
                             ["start", 'item {"a":', "end", "start", "record 1", "end"]),
    "a border in a head": ('{"x":\n{"dataType" : 1,"recordCollection":[1]}',
                           ['item {"x":', "start dataType", "record 1", "end"]),
    "a border behind the records": ('{"recordCollection":[1]\n{\n"metaData"\r:1,"recordCollection":[2]}',
                                    ["start", "record 1", "item ", "end", "start metaData", "record 2", "end"]),
    "a border in an item": ('x}\n{"y":\n{"metaData":1,"recordCollection":[]}',
                            ["item x}", 'item {"y":', "start metaData", "end"]),
    "no border": ('{"recordCollection":[[\n{"meta":1},\n{"metaDat\\u0061":1},\n {"dataType":1}\n]]}',
                  ["start", 'record [\n{"meta":1},\n{"metaDat\\u0061":1},\n {"dataType":1}\n]', "end"]),
    "a border that never ends": ('{"recordCollection":[1,\n{"metaData"',
                                 ["start", "record 1", 'item {"metaData"', "end"]),
    "values outside": ('1 "a\\"" null\n[1,\n[2]] {"k":[]}\n1.\nabc def \n{"recordCollection":[]}',
                       ["item 1", 'item "a\\""', "item null", "item [1,\n[2]]", 'item {"k":[]}', "item 1", "item .",
                        "item abc def", "start", "end"]),
    "text over a line's end": ('{"recordCollection":[{"a":"x\ny"},{}]}\n{"dataType":0,"recordCollection":[]}',
                               ["start", 'item {"a":"x\ny"},{}]}', "end", "start dataType", "end"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_states(name: str) -> None:
    """A text in one piece gives the events that stand beside it."""
    text, expected = CASES[name]
    assert shape(split(text.encode())) == expected


@pytest.mark.parametrize("name", CASES)
def test_states_at_chunk_borders(name: str) -> None:
    """Cut at any one byte, or between all of them, a text gives the same events, reasons too."""
    text = CASES[name][0].encode()
    whole = split(text)
    assert split(*(text[at : at + 1] for at in range(len(text)))) == whole
    for at in range(1, len(text)):
        assert split(text[:at], text[at:]) == whole, (text[:at], text[at:])
        assert split(text[:at], *(text[i : i + 1] for i in range(at, len(text)))) == whole, text[:at]


FRAGMENTS = [
    *('{"metaData":1.5,"recordCollection":[', '{"recordCollection":{"array":[', '{ "dataType" :"x",'),
    *(
        '{"body":{"N":{"a":"x\\n\\"y"}}}',
        '{"a":[1.5e3,{"b":null}]}',
        "[1,[2]]",
        '"s"',
        "-1e-5",
        "true",
        '"recordCollection":[',
    ),
    *('\n{"metaData":', "\n{", '\n{"record', '\n{ \n"dataType"\t', '"x":{"y":1}', ',"x":1e5}', "\ufeff", '\\ud800"'),
    *("]}", "]}}", "1.", "e+", "nul", "abc", *'}][{:"\\\n\n \ré😀\udcff\udcc3\x00,,,'),
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map(
    lambda parts: "".join(parts).encode("utf-8", "surrogateescape")
)


@settings(max_examples=scaled(20_000, 350), deadline=None, derandomize=not FULL, database=None)
@given(text=TEXTS, cuts=chunks())
@example(text=b'{"recordCollection":[1]\n{"metaData":1,"recordCollection":[]}', cuts=[4200])
@example(text=b'{"recordCollection":["a\\n"]}', cuts=[8500])
def test_fragments_in_any_order(text: bytes, cuts: list[int]) -> None:
    """Whatever stands in it, chunks do not matter, and no byte is handed out changed or twice."""
    events = split(text)
    assert split(*chunked(text, cuts)) == events
    spans = sorted((one.start, one.start + len(one.raw)) for one in events if isinstance(one, Record | Item))
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    for event in events:
        if isinstance(event, Record | Item):
            assert text[event.start : event.start + len(event.raw)] == event.raw
    numbers = [event.number for event in events if isinstance(event, Record)]
    assert numbers == list(range(len(numbers)))
    opened = [type(event) for event in events if isinstance(event, ContainerStart | ContainerEnd)]
    assert opened == [ContainerStart, ContainerEnd] * (len(opened) // 2)


# --- Depth ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [129, 600, 10_000])
@pytest.mark.parametrize("core", [b"1", b'"\\ud800"'])
def test_values_that_are_nested_too_deep(levels: int, core: bytes) -> None:
    """A container's value deeper than a record may be ends the container, whole in an item; no depth is an error."""
    deep = b"[" * levels + core + b"]" * levels
    text = b'{"recordCollection":[1],"x":' + deep + b'}\n{"metaData":' + deep + b',"recordCollection":[]}'
    events = split(text + b'\n{"metaData":2,"recordCollection":[]}')
    found = ["start", "record 1", f'item ,"x":{deep.decode()}}}', "end"]
    found += [f'item {{"metaData":{deep.decode()},"recordCollection":[]}}', "start metaData", "end"]
    assert shape(events) == found
    assert all(
        "128 levels" in event.reason or "too deep" in event.reason for event in events if isinstance(event, Item)
    )


@pytest.mark.parametrize("levels", [600, 10_000])
def test_deep_records_with_lone_surrogates(levels: int) -> None:
    """A record too deep to be looked through for surrogates is a bad record, alone."""
    deep = b"[" * levels + b'"\\ud800"' + b"]" * levels
    events = split(b'{"recordCollection":[1,' + deep + b",2]}")
    assert shape(events) == ["start", "record 1", f"bad {deep.decode()}", "record 2", "end"]
    assert [event.reason for event in events if isinstance(event, Record)] == [None, TOO_DEEP, None]


# --- Items in pieces --------------------------------------------------------------------------------------------------

LONG = {
    "a line": b"x" * (3 * MIB) + b"\n",
    "a string": b'"' + b"x" * (3 * MIB) + b'"\n',
    "a list": b"[" + b'"%s",' % (b"x" * 2000) * 1600 + b"1]\n",
    "an object": b'{"k":"' + b"x" * (3 * MIB) + b'"}\n',
    "a container": b'{"recordCollection":[{]' + b"y" * (3 * MIB) + b"\n",
    "whole pieces": b"z" * (3 * MIB) + b"\n",
}


@pytest.mark.parametrize("name", LONG)
@pytest.mark.parametrize("chunk", [100_003, MIB, 64 * MIB])
def test_long_items_come_in_pieces(name: str, chunk: int) -> None:
    """An item of 3 MiB comes in pieces of at most 1 MiB that join to its exact text; only the first is no sequel."""
    text = LONG[name] + b'{"metaData":1,"recordCollection":[7]}'
    events = split(*(text[at : at + chunk] for at in range(0, len(text), chunk)))
    pieces = [event for event in events if isinstance(event, Item)]
    assert len(pieces) in {3, 4}
    assert [piece.continued for piece in pieces] == [False] + [True] * (len(pieces) - 1)
    assert all(len(piece.raw) == PIECE for piece in pieces[:3])
    assert b"".join(piece.raw for piece in pieces) == LONG[name].strip().removeprefix(b'{"recordCollection":[')
    assert all(one.start + len(one.raw) == other.start for one, other in pairwise(pieces))
    assert [event.raw for event in events if isinstance(event, Record)] == [b"7"]


# --- Limits -----------------------------------------------------------------------------------------------------------

SMALL = Limits(max_record=1000, max_line=5000)
TOO_LONG = {
    "a record": (b'{"recordCollection":[{"a":"' + b"x" * 1000 + b'"}]}', "max_record"),
    "a container value": (b'{"metaData":"' + b"x" * 1000 + b'","recordCollection":[]}', "max_record"),
    "a value behind": (b'{"recordCollection":[],"metaData":"' + b"x" * 1000 + b'"}', "max_record"),
    "a list outside": (b"[" + b"1," * 500 + b"1]", "max_record"),
    "a line": (b"x" * 5001 + b"\n", "max_line"),
    "a stretch": (b'{"recordCollection":[{]' + b"x\n" * 2500 + b"\n", "max_line"),
}


@pytest.mark.parametrize("name", TOO_LONG)
@pytest.mark.parametrize("chunk", [37, 1 << 20])
def test_limits_name_their_parameter(name: str, chunk: int) -> None:
    """What is longer than a limit fails the source, and the message names the limit, the place and the parameter."""
    text, parameter = TOO_LONG[name]
    limit = {"max_record": "1000", "max_line": "5000"}[parameter]
    with pytest.raises(DecodeError, match=rf"at byte \d+ is longer than {limit} bytes.*`{parameter}`"):
        split(*(text[at : at + chunk] for at in range(0, len(text), chunk)), limits=SMALL)


@pytest.mark.parametrize("chunk", [37, 1 << 20])
def test_limits_allow_what_they_say(chunk: int) -> None:
    """A record and a line just as long as their limits are fine, and records together may be longer."""
    record, line = b'"' + b"x" * 998 + b'"', b"x" * 5000
    text = b'{"recordCollection":[' + b",".join([record] * 9) + b"]}\n" + line + b"\n"
    events = split(*(text[at : at + chunk] for at in range(0, len(text), chunk)), limits=SMALL)
    assert [event.raw for event in events if isinstance(event, Record)] == [record] * 9
    assert [event.raw for event in events if isinstance(event, Item)] == [line]


def test_an_endless_record_does_not_fill_the_memory() -> None:
    """A record without end fails as soon as more than its limit is there."""
    splitter = Splitter(Limits(max_record=2 * MIB))
    list(splitter.feed(b'{"recordCollection":["'))
    chunks_of_it = (list(splitter.feed(b"x" * MIB)) for _ in range(6))
    with pytest.raises(DecodeError, match="max_record"):
        list(chunks_of_it)


# --- Work -------------------------------------------------------------------------------------------------------------


class _Counting(Splitter):
    """Counts the bytes that lie before it whenever it tries to read a record or a container's head."""

    tried = 0

    def _record(self) -> Sequence[Event] | None:
        self.tried += self.buffer.limit - self.buffer.position
        return super()._record()

    def _head(self) -> Sequence[Event] | None:
        self.tried += self.buffer.limit - self.buffer.position
        return super()._head()


FILLERS = {"one string": b"abcdefghijk,", "many objects": b'"},{"x":"'}


@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize("where", ["record", "head"])
def test_a_long_record_costs_linear_work(where: str, filler: str) -> None:
    """However small the chunks, a long record is tried so rarely that all tries see a few times its bytes."""
    size, chunk = scaled(20 * MIB, 6 * MIB if filler == "one string" else MIB // 2), 1 << 16
    value = b'[{"x":"' + FILLERS[filler] * (size // len(FILLERS[filler])) + b'"}]'
    text = b'{"recordCollection":[%s]}' if where == "record" else b'{"x":%s,"recordCollection":[]}'
    text %= value
    splitter = _Counting(Limits())
    events = [event for at in range(0, len(text), chunk) for event in splitter.feed(text[at : at + chunk])]
    events += splitter.finish()
    assert [type(event) for event in events if not isinstance(event, Record)] == [ContainerStart, ContainerEnd]
    assert [event.raw for event in events if isinstance(event, Record)] == ([value] if where == "record" else [])
    assert len(value) <= splitter.tried < 4 * len(text)

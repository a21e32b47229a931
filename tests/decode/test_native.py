"""Whether the native decoder makes of every source exactly what the reference decoder makes of it."""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.decode.contract import load_cases
from tests.decode.groups import check_each, in_groups
from tests.decode.mutations import (
    SMALL_RECORDS,
    chunked,
    chunks,
    damaged_text,
    defective_text,
    each_change,
    good_text,
    mutated_text,
)
from tests.decode.random_damage import disagreement
from tests.scale import FULL, scaled
from wsparquet.decode import DecoderOptions, Limits, Quarantined, active_decoder, make_decoder, native_decoder
from wsparquet.decode.masks import Masks
from wsparquet.decode.plan import Leaf, compiled
from wsparquet.errors import DecodeError
from wsparquet.generate import GenerateOptions, generate_text, records
from wsparquet.schema import DOCUMENTED, TABLES, Schema

HAS_NATIVE = native_decoder() is not None
needs_native = pytest.mark.skipif(not HAS_NATIVE, reason="the native decoder is not built here")
CASES = load_cases()

many = settings(
    max_examples=scaled(3000, 120),
    deadline=None,
    derandomize=not FULL,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@dataclass(frozen=True)
class Outcome:
    """What a decoder made of a source: tables, quarantine with pieces joined and reasons left out, and report."""

    tables: dict[str, pa.Table]
    rescued: dict[str, list[Any]]
    quarantined: list[Quarantined]
    report: dict[str, Any]


class _Members(tuple[tuple[str, Any], ...]):
    """An object's members in their order, duplicates and all."""

    __slots__ = ()


def _parsed(text: str | None) -> Any:
    """JSON whose numbers are literals, and which is equal whatever its spacing and escapes."""
    if text is None:
        return None
    return json.loads(text, object_pairs_hook=_Members, parse_int=lambda n: ("n", n), parse_float=lambda n: ("n", n))


def _joined(quarantined: Iterable[Quarantined]) -> list[Quarantined]:
    whole: list[Quarantined] = []
    for one in quarantined:
        if one.continued:
            first = whole.pop()
            assert first.end == one.start
            whole.append(replace(first, end=one.end, data=first.data + one.data))
        else:
            whole.append(replace(one, reason=""))  # its words are each decoder's own
    return whole


def _report(report: dict[str, Any]) -> dict[str, Any]:
    entries = [
        {**entry, "values": {path: _parsed(text) for path, text in entry["values"].items()}}
        for entry in report["container_values"]
    ]
    return {**report, "container_values": entries}


def outcome(
    pieces: Iterable[bytes],
    *,
    decoder: str,
    limits: Limits | None = None,
    schema: Schema = DOCUMENTED,
    masks: Masks | None = None,
) -> Outcome | str:
    """What the decoder makes of the pieces; where the source fails, the message."""
    options = DecoderOptions("source.gz", limits or Limits(), schema=schema, masks=masks)
    machine = make_decoder(options, decoder=decoder)
    try:
        decoded = [*(machine.feed(piece) for piece in pieces), machine.finish()]
    except DecodeError as error:
        return str(error)
    batches: dict[str, list[pa.RecordBatch]] = {}
    for table, batch in (pair for some in decoded for pair in some.batches):
        assert batch.schema.equals(schema.tables[table].schema, check_metadata=True)
        batch.validate(full=True)
        batches.setdefault(table, []).append(batch)
    tables = {name: pa.Table.from_batches(some) for name, some in batches.items()}
    return Outcome(
        {name: table.drop_columns("rescued") for name, table in tables.items()},
        {name: table["rescued"].to_pylist() for name, table in tables.items()},
        _joined(one for some in decoded for one in some.quarantined),
        _report(machine.report.to_dict()),
    )


def _plain(table: pa.Table) -> str:
    """The table's values as text in which every NaN equals every other."""
    return repr([table.num_rows, table.combine_chunks().to_pydict()])


def assert_same(reference: Outcome | str, native: Outcome | str) -> None:
    """Hold the native decoder's outcome against the reference's: counts before values."""
    if isinstance(reference, str) or isinstance(native, str):
        assert native == reference
        return
    assert {name: table.num_rows for name, table in native.tables.items()} == {
        name: table.num_rows for name, table in reference.tables.items()
    }
    assert native.quarantined == reference.quarantined
    assert native.report == reference.report
    assert native.rescued == reference.rescued
    for name, table in reference.tables.items():
        assert native.tables[name].equals(table) or _plain(native.tables[name]) == _plain(table)


def check(text: bytes, cuts: list[int] | None = None, limits: Limits | None = None) -> None:
    """Decode the text with both, the native one also in pieces."""
    reference = outcome([text], decoder="reference", limits=limits)
    assert_same(reference, outcome([text], decoder="native", limits=limits))
    if cuts is not None:
        assert_same(reference, outcome(chunked(text, cuts), decoder="native", limits=limits))


def test_native_is_built_where_it_has_to_be() -> None:
    """Where a build is required the native decoder is there."""
    if os.environ.get("WSPARQUET_REQUIRE_NATIVE") == "1":
        assert HAS_NATIVE


def test_a_decoder_that_is_not_there_is_refused_with_a_remedy() -> None:
    """Asking for the native decoder gives it, or says what to do; without asking comes the one that is there."""
    if HAS_NATIVE:
        assert active_decoder("native") == active_decoder() == "native"
    else:
        assert active_decoder() == "reference"
        with pytest.raises(DecodeError, match="`decoder` reference"):
            active_decoder("native")


@needs_native
@pytest.mark.parametrize("names", in_groups(name for name, case in CASES.items() if case.error is None))
def test_contract_cases(names: tuple[str, ...]) -> None:
    """Of every contract case both make the same, batch borders aside."""
    check_each(names, lambda name: check(CASES[name].data, limits=Limits(**CASES[name].limits)))


@needs_native
@pytest.mark.parametrize("form", ["lines", "document"])
@pytest.mark.parametrize("defects", [False, True], ids=["good", "defective"])
def test_generated_files(form: Any, defects: bool) -> None:
    """Of generated files, good and defective, both make the same, in chunks of any size and batches of any size."""
    size = scaled(20_000_000, 700_000)
    text = b"".join(generate_text(GenerateOptions(size=size, seed=7, form=form, defects=defects, line_size=50_000)))
    reference = outcome([text], decoder="reference")
    for step, batch in ((len(text), 1 << 20), (65_536, 1), (997, 40_000)):
        pieces = (text[start : start + step] for start in range(0, len(text), step))
        assert_same(reference, outcome(pieces, decoder="native", limits=Limits(batch_bytes=batch)))


@needs_native
@many
@given(good_text() | defective_text() | mutated_text(), chunks())
def test_changed_members(text: bytes, cuts: list[int]) -> None:
    """Of well-formed JSON in which members were changed, both make the same, in one piece and in chunks."""
    check(text, cuts)


@needs_native
@many
@given(damaged_text(), chunks())
def test_damaged_bytes(text: bytes, cuts: list[int]) -> None:
    """Of text in which bytes were damaged, both make the same, in one piece and in chunks."""
    check(text, cuts)


@needs_native
@pytest.mark.parametrize("part", range(scaled(100, 1)))
def test_random_damage(part: int) -> None:
    """Of sources with brackets, quotes and commas lost, gained, copied and moved, both make the same, chunks or not."""
    size = scaled(10_000, 800)
    found = (disagreement(range(at, at + 50)) for at in range(part * size, (part + 1) * size, 50))
    assert next((text for text in found if text is not None), None) is None


@needs_native
@pytest.mark.parametrize("text", [b'\xef\xbb\xbf"text"', b"\xef\xbb\xbf{}", b" \xe2\x82\xac", b"%PDF-1.7", b" \n[1"])
def test_the_kind_of_content_does_not_depend_on_chunks(text: bytes) -> None:
    """The message about a source without containers is the same wherever the text is cut, and skips a mark."""
    whole = outcome([text], decoder="reference")
    for decoder in ("reference", "native"):
        assert {str(outcome([text[:at], text[at:]], decoder=decoder)) for at in range(len(text))} == {whole}
    assert "binary data" not in str(whole)


@needs_native
def test_a_brace_instead_of_a_comma_is_damage() -> None:
    """A missing comma after a header is an error, even after a record whose payload directly follows a brace."""
    first = b'{"body":{"a.Geo":{"geo":{"city":"1"}}}}'
    second = b'{"body":{"a.Geo":{"header":{"visitId":"2"},"geo":{"city":"2"}}}}'
    text = b'{"recordCollection":[%b]}' % b",".join([first, second, second.replace(b"},", b"}{"), first])
    check(text)
    found = outcome([text], decoder="native")
    assert isinstance(found, Outcome)
    assert found.tables["geo"].num_rows == 3
    assert len(found.quarantined) == 1


@needs_native
@pytest.mark.parametrize("part", range(scaled(20, 1)))
def test_random_damage_at_the_end(part: int) -> None:
    """The same, for each source alone, whose damage can be at the end of the text."""
    size = scaled(1_000, 150)
    found = (disagreement(range(at, at + 1)) for at in range(part * size, (part + 1) * size))
    assert next((text for text in found if text is not None), None) is None


@pytest.mark.long
@needs_native
def test_each_change_of_a_record() -> None:
    """Of every kind of change at every place of a record of every table, both make the same."""
    length = scaled(4_000, 1_300)  # work grows with the square
    seen: dict[str, list[Any]] = defaultdict(list)
    for table, record in islice(records(random.Random(5)), 200):
        seen[table].append(record)
    assert len(seen) == len(TABLES) - 1
    for some in seen.values():
        record = min(some, key=lambda record: abs(len(json.dumps(record)) - length))
        changed = list(each_change(record, odds=scaled(12, 1)))
        good = json.dumps(record)
        # Each between good ones, so that what was learned of them is there, and has to be unlearned.
        text = '{"recordCollection":[' + ",".join(f"{good},{one}" for one in changed) + "]}"
        check(text.encode())


SMALL = (
    json.dumps({"metaData": {"accountId": {"string": "1"}}, "x": [1], "recordCollection": {"array": SMALL_RECORDS}}),
    (
        '\ufeff{"recordCollection":[{"body":{"x.Geo":{"geo":{"city":"\u00e9\\n"}}}},],"y":NaN,"metaData":{}}\n\n'
        ' garbage \n{"metaData":{},"recordCollection":[{"body" : {"a.Geo":{"header":{},"geo":{"A":1}}}}, {"a":}, 1.]}'
    ),
    '{"recordCollection":[{"body":{"x.Geo":{"country":"a"}}}, {"body":"\n{"dataType":"WebSession","recordCollection":[',
)


PIECES = [
    b'{"recordCollection":[',
    b'\n{"metaData":{"startTime":{"long":1467291704468}},"recordCollection":{"array":[',
    b'{"body":{"x.WebSessionGeoData":{"header":{"x.Header":{"visitId":{"string":"',
    b'"}}},"geo":{"x.GEO":{"city":{"string":"',
    b'\\ud800\xff"}}}}}},',
    b"[" * 200,
    b'{"a":' * 200,
    b"]}}\n",
    b"\xef\xbb\xbf",
    b"-9223372036854775809e999999999",
]


@needs_native
@pytest.mark.parametrize("text", SMALL)
def test_cut_at_every_byte(text: str) -> None:
    """Cut in two at any byte, a small input leaves what the reference makes of it in one piece."""
    data = text.encode()
    reference = outcome([data], decoder="reference")
    for at in range(len(data) + 1):
        assert_same(reference, outcome([data[:at], data[at:]], decoder="native"))


@needs_native
@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_long_scalar_lines(size: int) -> None:
    """A line of about 1 MiB with a string between containers gives the same items and reason, in chunks too."""
    container = b'{"recordCollection":[1]}'
    text = container + b'\n"' + b"x" * (size - 2) + b'"\n' + container
    reasons = set()
    for decoder, step in (("reference", len(text)), ("reference", 65_536), ("native", len(text)), ("native", 65_537)):
        machine = make_decoder(DecoderOptions("s"), decoder=decoder)
        pieces = (text[at : at + step] for at in range(0, len(text), step))
        decoded = [*map(machine.feed, pieces), machine.finish()]
        items = [one for some in decoded for one in some.quarantined if one.kind == "item"]
        assert b"".join(item.data for item in items) == text[len(container) + 1 : -len(container) - 1]
        reasons.add((tuple(len(item.data) for item in items), items[0].reason))
    assert len(reasons) == 1


@needs_native
def test_limits_fail_with_the_same_words() -> None:
    """A source that asks for more than a limit fails with the same message from both."""
    record = '{"body":{"x.Geo":{"geo":{"city":"%s"}}}}' % ("a" * 4000)
    text = ('{"recordCollection":[' + ",".join([record] * 5) + '],"z":"%s"}' % ("b" * 3000)).encode()
    for limits in (Limits(max_record=1000), Limits(max_held=9000), Limits(max_container_values=2000)):
        reference = outcome([text], decoder="reference", limits=limits)
        assert isinstance(reference, str)
        assert outcome([text], decoder="native", limits=limits) == reference


@needs_native
def test_a_source_that_failed_stays_failed() -> None:
    """After an error the decoder takes nothing more of the source."""
    decoder = make_decoder(DecoderOptions("s"), decoder="native")
    with pytest.raises(DecodeError, match="found text of 13 characters in container 0"):
        decoder.feed(b'{"dataType":"AgentActivity","recordCollection":[]}\n')
    with pytest.raises(DecodeError, match="already failed"):
        decoder.feed(b'{"recordCollection":[]}\n')


@needs_native
@settings(max_examples=scaled(20_000, 400), deadline=None, derandomize=not FULL, database=None)
@given(st.lists(st.binary(max_size=200) | st.sampled_from(PIECES), max_size=12))
def test_no_bytes_make_it_panic(pieces: list[bytes]) -> None:
    """Whatever bytes come, Python sees outcomes or a DecodeError that does not ask to be reported."""
    found = outcome(pieces, decoder="native")
    assert not isinstance(found, str) or "report this" not in found


@needs_native
def test_only_payloads_have_enum_columns() -> None:
    """The native decoder counts undocumented values of payloads; no header or metaData has a column that lists any."""
    for part in (compiled().header, compiled().metadata):
        assert not [field.name for field in part.fields if isinstance(field.node, Leaf) and field.node.values]


@lru_cache(maxsize=1)
def _large() -> bytes:
    return b"".join(generate_text(GenerateOptions(size=30_000_000, seed=3)))


def _decode(text: bytes, done: threading.Event) -> None:
    make_decoder(DecoderOptions(), decoder="native").feed(text)
    done.set()


@needs_native
def test_python_goes_on_while_it_decodes() -> None:
    """A second Python thread runs while a large piece is decoded: the GIL is not held."""
    text = _large()
    done = threading.Event()
    thread = threading.Thread(target=_decode, args=(text, done))
    turns = 0
    thread.start()
    started = time.monotonic()
    while not done.is_set() and time.monotonic() - started < 60:
        turns += 1
        time.sleep(0.001)
    thread.join()
    assert turns >= 5

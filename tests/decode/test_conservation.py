"""Whether anything of a source is lost or invented, however it is damaged, cut into chunks or batched."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import islice
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.decode.mutations import (
    ODD,
    SMALL_RECORDS,
    chunked,
    chunks,
    damaged_text,
    defective_text,
    each_change,
    good_text,
    mutated_text,
)
from tests.decode.random_damage import damaged_source
from tests.drift import damaged_drifted, drifted, extension_schema
from tests.independent import (
    Container,
    Scalar,
    containers,
    microseconds,
    normal,
    number_key,
    parse,
    parse_strict,
    scalars,
    tokens,
    unwrapped,
)
from tests.scale import FULL, scaled
from wsparquet.decode import Decoded, DecoderOptions, Limits, Quarantined, Report, make_decoder
from wsparquet.errors import DecodeError
from wsparquet.generate import records
from wsparquet.schema import DOCUMENTED, TABLES, Schema

COMMON = {"metaData", "source_file", "record_number", "rescued"}
HEADER = ("visitId", "visitorId", "contextId", "appId")

many = settings(
    max_examples=scaled(3000, 45),
    deadline=None,
    derandomize=not FULL,
    database=None,
    # The decoder's name is the same for all examples of a run.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

# --- Where values end up ----------------------------------------------------------------------------------------------


@dataclass
class Sinks:
    """Every value found in one or more places: comparable as it is, or a value that has several spellings."""

    schema: Schema = DOCUMENTED
    exact: Counter[Scalar] = field(default_factory=Counter)
    doubles: Counter[float] = field(default_factory=Counter)
    times: Counter[int] = field(default_factory=Counter)
    infinities: Counter[float] = field(default_factory=Counter)

    def add(self, field: pa.Field, value: Any) -> None:
        """Take all leaves of a column's value; a union's ``type`` is a key of the source and no value."""
        if isinstance(value, dict):
            union = (field.metadata or {}).get(b"kind") == b"union"
            for child in field.type.fields:
                if not (union and child.name == "type"):
                    self.add(child, value[child.name])
        elif isinstance(value, list):
            for element in value:
                self.add(field.type.value_field, element)
        elif value is not None:
            self._leaf(value)

    def _leaf(self, value: Any) -> None:
        if isinstance(value, datetime):
            self.times[_exact_microseconds(value)] += 1
        elif isinstance(value, float) and math.isinf(value):
            self.infinities[value] += 1
        elif isinstance(value, float) and math.isnan(value):
            self.exact["s", "NaN"] += 1
        elif isinstance(value, float):
            self.doubles[value] += 1
        elif isinstance(value, bool | str):
            self.exact["b" if isinstance(value, bool) else "s", value] += 1
        else:
            self.exact[number_key(repr(value))] += 1

    def add_json(self, text: str) -> None:
        """Take all scalars of JSON text of a source."""
        self.exact.update(scalars(parse(text)))

    def add_strict(self, text: str) -> None:
        """Take all scalars that strict JSON text stands for."""
        self.exact.update(scalars(parse_strict(text)))

    def add_row(self, table: str, row: dict[str, Any]) -> None:
        """Take a row but for what its container and file gave it."""
        if table == "unrecognized":
            self.add_strict(row["record"])
            held = [row[name] for name in HEADER if row.get(name) is not None]
            assert not Counter(("s", text) for text in held) - self.exact
            return
        for column in self.schema.tables[table].schema:
            if column.name not in COMMON:
                self.add(column, row[column.name])
        if row["rescued"] is not None:
            self.add_strict(row["rescued"])


def _exact_microseconds(moment: datetime) -> int:
    whole = microseconds(moment.isoformat())
    assert whole is not None
    return whole


def _settle(source: Counter[Scalar], sinks: Sinks) -> tuple[Counter[Scalar], list[Any]]:
    """What of the source is in no sink, and what of the sinks is in no source."""
    left, invented = source - sinks.exact, list((sinks.exact - source).elements())
    for infinity in sinks.infinities.elements():
        names = [("s", name) for name in (("Infinity", "INF") if infinity > 0 else ("-Infinity", "-INF"))]
        _take(left, [name for name in names if left[name] > 0], infinity, invented)
    for double in sinks.doubles.elements():
        number = number_key(repr(double))
        others = (one for one in left if one[0] == "n" and left[one] > 0 and _spells(one, double))
        _take(left, [number] if left[number] > 0 else list(others), double, invented)
    for time in sinks.times.elements():
        number = number_key(f"{time}e-3")
        texts = [one for one in left if one[0] == "s" and left[one] > 0 and microseconds(one[1]) == time]
        _take(left, [number] if left[number] > 0 else texts, time, invented)
    return +left, invented


def _spells(one: Scalar, double: float) -> bool:
    """Whether a number is the double to within half a unit of its last digit."""
    _, digits, exponent = one
    if not digits or abs(exponent) > 400 or len(digits.removeprefix("-")) > 17:
        return False
    unit = Fraction(10) ** exponent
    return 2 * abs(int(digits) * unit - Fraction(double)) <= unit


def _take(left: Counter[Scalar], candidates: list[Scalar], found: Any, invented: list[Any]) -> None:
    if candidates:
        left[candidates[0]] -= 1
    else:
        invented.append(found)


# --- Decoding ---------------------------------------------------------------------------------------------------------

Row = tuple[str, dict[str, Any]]


@dataclass
class Outcome:
    """All that a decoder made of a source that did not fail."""

    rows: list[Row]
    quarantined: list[Quarantined]
    report: Report
    schema: Schema = DOCUMENTED


def _decode(
    pieces: Iterable[bytes], decoder_name: str, limits: Limits | None = None, *, schema: Schema = DOCUMENTED
) -> Outcome | None:
    """None where the source fails."""
    decoder = make_decoder(DecoderOptions("file", limits or Limits(), schema=schema), decoder=decoder_name)
    try:
        decoded = [*(decoder.feed(piece) for piece in pieces), decoder.finish()]
    except DecodeError:
        return None
    quarantined = [entry for one in decoded for entry in one.quarantined]
    outcome = Outcome(list(_rows(decoded, schema)), quarantined, decoder.report, schema)
    _check_counts(outcome)
    return outcome


def _rows(decoded: list[Decoded], schema: Schema) -> Iterator[Row]:
    """All rows, by table."""
    for name in schema.tables:
        for one in decoded:
            for table, batch in one.batches:
                if table == name:
                    yield from ((name, row) for row in batch.to_pylist())


def _check_counts(outcome: Outcome) -> None:
    report = outcome.report
    rows = Counter(table for table, _ in outcome.rows)
    kinds = Counter(entry.kind for entry in outcome.quarantined if not entry.continued)
    assert rows == report.rows
    assert (report.quarantined, report.items) == (kinds["record"], kinds["item"])
    assert report.records == rows.total() + report.quarantined
    numbers = [row["record_number"] for _, row in outcome.rows]
    for name in rows:
        own = [row["record_number"] for table, row in outcome.rows if table == name]
        assert own == sorted(own)
    numbers += [entry.record_number for entry in outcome.quarantined if entry.kind == "record"]
    assert sorted(numbers) == list(range(report.records))


# --- Well-formed sources: record by record ----------------------------------------------------------------------------


@many
@given(text=mutated_text() | good_text())
def test_each_record_keeps_its_values(text: bytes, decoder_name: str) -> None:
    """Each record's row, or its quarantined text, holds exactly the record's scalars; so it is with each container."""
    outcome, found = _decode([text], decoder_name), containers(text.decode())
    if outcome is None:
        event("fails")
        assert _may_fail(found, text)
        return
    report = outcome.report
    if (len(found), sum(len(one.records) for one in found)) != (report.containers, report.records):
        event("not read as containers")  # such as a deep value, or a member beside the tag of the collection
        assert report.items
        return
    event("compared")
    number = 0
    for index, container in enumerate(found):
        numbers = range(number, number + len(container.records))
        for number, record in zip(numbers, container.records, strict=True):
            _check_record(record, number, outcome)
        if not report.items:  # else some container's end may be one
            rows = [row for _, row in outcome.rows if row["record_number"] in numbers]
            _check_container(container, index, rows, report)
        number = numbers.stop


def _check_changes(record: Any, *, odds: int, decoder_name: str) -> None:
    """Hold every record that a change makes of a good one against its source, all in one container."""
    texts = list(each_change(record, odds=odds))
    outcome = _decode([b'{"recordCollection":[', ",".join(texts).encode(), b"]}"], decoder_name)
    assert outcome is not None
    assert (outcome.report.records, outcome.report.items) == (len(texts), 0)
    sinks = [Sinks() for _ in texts]
    for table, row in outcome.rows:
        sinks[row["record_number"]].add_row(table, row)
    for entry in outcome.quarantined:
        sinks[entry.record_number or 0].add_json(entry.data.decode())
    for text, found in zip(texts, sinks, strict=True):
        assert _settle(Counter(scalars(parse(text))), found) == (Counter(), []), text


@pytest.mark.parametrize("record", SMALL_RECORDS)
def test_no_single_change_loses_a_value(record: Any, decoder_name: str) -> None:
    """Each member and element of a small record dropped, doubled, renamed, replaced by anything: nothing is lost."""
    _check_changes(record, odds=len(ODD), decoder_name=decoder_name)


@pytest.mark.parametrize("table", [name for name in TABLES if name != "unrecognized"])
def test_no_single_change_loses_a_value_of_a_table(table: str, decoder_name: str) -> None:
    """The same, for a record of every table, with one odd thing at each place."""
    some = [record for name, record in islice(records(Random(1)), 100) if name == table]
    length = scaled(3000, 1000)  # work grows with the square
    record = min(some, key=lambda record: abs(len(json.dumps(record)) - length))
    _check_changes(record, odds=scaled(20, 1), decoder_name=decoder_name)


def test_each_drifted_record_keeps_its_values(decoder_name: str) -> None:
    """With an extension, too, each record's row, with what is rescued, holds exactly the record's scalars."""
    for seed in range(scaled(600, 60)):
        text = drifted(Random(seed))
        outcome = _decode([text.encode()], decoder_name, schema=extension_schema())
        assert outcome is not None
        (container,) = containers(text)
        for number, record in enumerate(container.records):
            _check_record(record, number, outcome)


def _may_fail(found: list[Container], text: bytes) -> bool:
    kinds = [next((value for key, value in one.values if normal(key) == "datatype"), None) for one in found]
    return not found or not all(map(_is_our_kind, kinds)) or b"[" * 128 in text


def _is_our_kind(value: Any) -> bool:
    kind = unwrapped(value, "datatype", "datatypeenum")
    return kind is None or (type(kind) is str and _is_web_session(("s", kind)))


def _is_web_session(one: Scalar) -> bool:
    return one[0] == "s" and normal(one[1].rpartition(".")[2]) == "websession"


def _check_record(record: Any, number: int, outcome: Outcome) -> None:
    sinks = Sinks(outcome.schema)
    for table, row in outcome.rows:
        if row["record_number"] == number:
            sinks.add_row(table, row)
    for entry in outcome.quarantined:
        if entry.record_number == number:
            sinks.add_json(entry.data.decode())
    assert _settle(Counter(scalars(record)), sinks) == (Counter(), []), outcome


def _check_container(container: Container, index: int, rows: list[dict[str, Any]], report: Report) -> None:
    """All but the type is in the rows' ``metaData`` or the report; without rows, the report has the four known ones."""
    sinks, metadata = Sinks(), [row["metaData"] for row in rows]
    assert all(one == metadata[0] for one in metadata)
    if metadata and metadata[0] is not None:
        sinks.add(TABLES["geo"].schema.field("metaData"), metadata[0])
    for entry in report.container_values:
        first, last = entry["containers"]
        for value in entry["values"].values() if first <= index <= last else ():
            sinks.add_strict(value)
    source = Counter(one for _, value in container.values for one in scalars(value))
    left, invented = _settle(source, sinks)
    assert invented == []
    left -= Counter([one for one in left if _is_web_session(one)][:1])  # its own type
    assert not (left if rows else [one for one in left if not _reported(one, report)])


def _reported(one: Scalar, report: Report) -> bool:
    if one[0] == "s" and one[1] in {*report.accounts.counts, *report.schema_versions.counts}:
        return True
    ends = (report.start_time, report.end_time)
    if None in ends:
        return False
    # Of containers without rows only the earliest and the latest time are kept.
    return bool(one[0] == "n" and one[1]) or (one[0] == "s" and microseconds(one[1]) is not None)


# --- Any bytes at all -------------------------------------------------------------------------------------------------


@many
@given(text=damaged_text() | defective_text())
def test_every_byte_is_read_or_quarantined(text: bytes, decoder_name: str) -> None:
    """What is not quarantined is JSON to the last byte, and all its scalars, and no others, are in rows or report."""
    event("fails" if not _check_bytes(text, decoder_name) else "compared")


@pytest.mark.parametrize("part", range(scaled(20, 1)))
def test_every_byte_of_random_damage_is_read_or_quarantined(part: int, decoder_name: str) -> None:
    """The same, for sources with brackets, quotes and commas lost, gained, copied and moved."""
    size = scaled(2_000, 200)
    compared = sum(
        _check_bytes(damaged_source(number), decoder_name) for number in range(part * size, part * size + size)
    )
    assert compared > size // 2


def test_every_byte_of_damaged_drifted_text_is_read_or_quarantined(decoder_name: str) -> None:
    """With an extension, too, nothing of damaged text is lost or invented."""
    count = scaled(600, 60)
    texts = (damaged_drifted(Random(seed)) for seed in range(count))
    assert sum(_check_bytes(text, decoder_name, extension_schema()) for text in texts) > count // 2


def _check_bytes(text: bytes, decoder_name: str, schema: Schema = DOCUMENTED) -> bool:
    """Check a text's bytes and scalars, unless its source fails; tell whether it does not."""
    outcome = _decode([text], decoder_name, schema=schema)
    if outcome is None:
        return False
    items = any(entry.kind == "item" for entry in outcome.quarantined)
    found = list(tokens(_unquarantined(text, outcome.quarantined), damaged=items))
    left, invented = _settle(Counter(token.value for token in found), _all_sinks(outcome))
    assert invented == [], text
    around = Counter(token.value for token in found if _is_around(token.keys))
    assert left - around == Counter(), text
    for metadata in (row["metaData"] for _, row in outcome.rows):
        sinks = Sinks()
        sinks.add(TABLES["geo"].schema.field("metaData"), metadata)
        assert _settle(around, sinks)[1] == [], text
    return True


def _unquarantined(text: bytes, quarantined: list[Quarantined]) -> str:
    """The text with blanks for what is quarantined, which is there byte for byte, and once."""
    left, end = bytearray(text), 0
    for entry in sorted(quarantined, key=lambda entry: (entry.start, entry.end)):
        assert entry.data == text[entry.start : entry.end]
        assert entry.start >= end
        assert len(entry.data) <= 1 << 20 or entry.kind == "record"
        left[entry.start : entry.end] = b" " * len(entry.data)
        end = max(end, entry.end)
    return left.decode()


def _all_sinks(outcome: Outcome) -> Sinks:
    """All but ``metaData``, which is in many rows."""
    sinks = Sinks(outcome.schema)
    for table, row in outcome.rows:
        sinks.add_row(table, row)
    for entry in outcome.report.container_values:
        first, last = entry["containers"]
        for value in entry["values"].values():
            for _ in range(first, last + 1):
                sinks.add_strict(value)
    return sinks


def _is_around(keys: tuple[str, ...]) -> bool:
    """Whether a scalar is of a container's ``metaData`` or its type; it counts what stands closest."""
    parts = [key for key in map(normal, keys) if key in {"recordcollection", "metadata", "datatype"}]
    return bool(parts) and parts[-1] != "recordcollection"


# --- Chunks and batches -----------------------------------------------------------------------------------------------

ANY_TEXT = mutated_text() | damaged_text() | defective_text() | good_text()


def _check_equal(one: Outcome | None, other: Outcome | None) -> None:
    if one is None or other is None:
        assert one is other
        return
    assert one.report.to_dict() == other.report.to_dict()
    assert one.quarantined == other.quarantined
    assert repr(one.rows) == repr(other.rows)  # NaN equals nothing, itself included


@many
@given(text=ANY_TEXT, cuts=chunks())
def test_chunks_do_not_matter(text: bytes, cuts: list[int], decoder_name: str) -> None:
    """However the text is cut into chunks, rows, quarantine and report are the same."""
    _check_equal(_decode([text], decoder_name), _decode(chunked(text, cuts), decoder_name))


@many
@given(text=ANY_TEXT, batch=st.sampled_from([1, 1000]))
def test_batch_size_does_not_matter(text: bytes, batch: int, decoder_name: str) -> None:
    """However few rows a batch has, they are the same rows in the same order."""
    _check_equal(_decode([text], decoder_name), _decode([text], decoder_name, Limits(batch_bytes=batch)))


@pytest.mark.parametrize("batch", [1, 500, 2000, 1 << 20])
def test_late_metadata_keeps_the_order(batch: int, decoder_name: str) -> None:
    """Rows that wait for their container's ``metaData``, few or many, stay behind earlier and ahead of later ones."""
    record = '{"body":{"Navigation":{"navigationData":[{"url":"https://x.example/"}]}}}'
    containers = [
        f'{{"metaData":{{"accountId":"0"}},"recordCollection":[{record}]}}',
        f'{{"recordCollection":[{",".join([record] * 40)}],"metaData":{{"accountId":"1"}}}}',
        f'{{"recordCollection":[{record},{record}]}}',
        f'{{"metaData":{{"accountId":"3"}},"recordCollection":[{record}]}}',
    ]
    outcome = _decode(["\n".join(containers).encode()], decoder_name, Limits(batch_bytes=batch))
    assert outcome is not None
    assert [row["record_number"] for _, row in outcome.rows] == list(range(44))
    accounts = [row["metaData"] and row["metaData"]["accountId"] for _, row in outcome.rows]
    assert accounts == ["0", *["1"] * 40, None, None, "3"]

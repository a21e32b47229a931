"""Both decoders: rows that are separated by day are the same rows, each with the day that its timestamps give."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.decode.conftest import DECODERS
from tests.decode.contract import load_cases
from tests.decode.groups import check_each, in_groups
from tests.scale import scaled
from wsparquet.decode import Days, DecoderOptions, Limits, make_decoder
from wsparquet.errors import DecodeError

CASES = load_cases()
COMMON = ("metaData", "source_file", "record_number", "rescued")
MIDNIGHT = 1_467_331_200_000
DAY = 86_400_000
FALLBACK = MIDNIGHT + 50 * DAY

Row = dict[str, Any]
Share = tuple[str, date | None, pa.RecordBatch]


def decode(
    pieces: Iterable[bytes], decoder: str, days: Days | None, limits: Limits
) -> tuple[dict[tuple[str, date | None], list[Row]], object, int]:
    """Rows by table and day, the report, and the number of batches; one day for all if days are not separated."""
    machine = make_decoder(DecoderOptions("s", limits, days), decoder=decoder)
    decoded = [*(machine.feed(piece) for piece in pieces), machine.finish()]
    rows: dict[tuple[str, date | None], list[Row]] = defaultdict(list)
    for one in decoded:
        assert len(one.days) == (0 if days is None else len(one.batches))
        plain: Iterator[Share] = ((table, None, batch) for table, batch in one.batches)
        for table, day, batch in plain if days is None else one.by_day():
            batch.validate(full=True)
            rows[table, day].extend(batch.to_pylist())
    return dict(rows), machine.report.to_dict(), sum(len(one.batches) for one in decoded)


def instants(value: Any) -> list[datetime]:
    """Every timestamp in a value."""
    if isinstance(value, datetime):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [instant for child in children for instant in instants(child)]


def expected_day(row: Row, fallback: int | None) -> date | None:
    """The rule of docs/datasets.md, word by word."""
    if own := [instant for name, value in row.items() if name not in COMMON for instant in instants(value)]:
        return min(own).date()
    if row["metaData"] and row["metaData"]["startTime"]:
        return row["metaData"]["startTime"].date()
    return datetime.fromtimestamp(fallback / 1000, UTC).date() if fallback is not None else None


def check(pieces: list[bytes], decoder: str, fallback: int | None, limits: Limits) -> int:
    """Hold the rows by day against those of the same text in one; return how many batches they came in."""
    whole, report, _ = decode(pieces, decoder, None, limits)
    found, same, count = decode(pieces, decoder, Days.of(fallback), limits)
    expected: dict[tuple[str, date | None], list[Row]] = defaultdict(list)
    for (table, _), rows in whole.items():
        for row in rows:
            expected[table, expected_day(row, fallback)].append(row)
    assert {share: len(rows) for share, rows in found.items()} == {share: len(rows) for share, rows in expected.items()}
    assert repr(sorted(found.items(), key=str)) == repr(sorted(expected.items(), key=str))
    assert same == report
    return count


# --- Sources that span days -------------------------------------------------------------------------------------------


def record(chance: Random, times: list[int]) -> object:
    """A record of some table, with timestamps or without."""
    header = {"visitId": str(chance.random())}

    def time() -> object:
        return chance.choice([{"long": chance.choice(times)}, None, chance.choice(times), "2016-07-02T00:00:00Z"])

    kind = chance.randrange(5)
    if kind == 0:
        pages = [{"timestamp": time(), "url": "u"} for _ in range(chance.randrange(4))]
        return {"body": {"a.Navigation": {"header": header, "navigationData": pages}}}
    if kind == 1:
        return {"body": {"a.SessionInfo": {"sessionInfo": {"sessionStartTime": time(), "x": chance.random()}}}}
    if kind == 2:
        data = {"a.CustomerInfo": {"customerInfo": {"role": "r", "balance": 1.5}}}
        attributes = [{"timestamp": time(), "data": data}, {"data": None}, None]
        return {"body": {"a.EngAttrs": {"header": header, "engagementAttributes": attributes}}}
    return {"body": {"a.Geo": {"geo": {"city": "c"}}}} if kind == 3 else {"body": {"a.Unheard": {"n": chance.random()}}}


def container(chance: Random, times: list[int]) -> str:
    """A container whose metaData comes before its records, after them, or not at all."""
    start = chance.choice([None, {"long": chance.choice(times)}])
    metadata = [] if chance.random() < 0.2 else [("metaData", {"startTime": start})]
    members = [*metadata, ("recordCollection", [record(chance, times) for _ in range(chance.randrange(8))])]
    return json.dumps(dict(members if chance.random() < 0.6 else members[::-1]))


@settings(max_examples=scaled(300, 40), deadline=None)
@given(
    seed=st.integers(0, 2**32),
    days=st.sampled_from([1, 2, 60]),
    batch_bytes=st.sampled_from([1, 20, 256 << 10]),
    fallback=st.sampled_from([None, FALLBACK]),
    pieces=st.sampled_from([1, 9]),
)
def test_rows_of_each_day_are_those_of_the_rule_in_their_order(
    seed: int, days: int, batch_bytes: int, fallback: int | None, pieces: int
) -> None:
    """Own timestamps, containers with late or no metaData, many days and small batches lose no row and no order."""
    chance = Random(seed)
    times = [MIDNIGHT + chance.randrange(-days, days) * DAY + chance.choice([0, -1, 1]) for _ in range(days * 3)]
    text = "\n".join(container(chance, times) for _ in range(chance.randrange(1, 25))).encode()
    size = len(text) // pieces + 1
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    for decoder in DECODERS:
        check(chunks, decoder, fallback, Limits(batch_bytes=batch_bytes))


@pytest.mark.parametrize("names", in_groups([*CASES][:: scaled(1, 6)]))
def test_cases_have_the_same_rows_by_day(names: tuple[str, ...], decoder_name: str) -> None:
    """Every case of the contract has the same rows, quarantine counts and report if its rows are separated by day."""

    def check_by_day(name: str) -> None:
        case = CASES[name]
        if case.error is None:
            check([case.data], decoder_name, FALLBACK, Limits(**case.limits))
            return
        with pytest.raises(DecodeError):
            decode([case.data], decoder_name, Days(), Limits(**case.limits))

    check_each(names, check_by_day)


def test_a_source_of_one_day_has_a_batch_for_each_table(decoder_name: str) -> None:
    """Days do not make batches smaller, if there is only one day."""
    chance = Random(1)
    text = "\n".join(container(chance, [MIDNIGHT + hour * 3_600_000 for hour in range(24)]) for _ in range(50))
    text = text.replace("2016-07-02T", "2016-07-01T")
    assert check([text.encode()], decoder_name, MIDNIGHT, Limits()) == 5


@pytest.mark.parametrize(
    ("milliseconds", "day"),
    [(946684800000, 10957), (946684799999, None), (4102444799999, 47481), (4102444800000, None), (None, None)],
)
def test_an_impossible_fallback_is_none(milliseconds: int | None, day: int | None) -> None:
    """The start in a file's name counts from 2000 to 2099 only, as timestamps in the file do."""
    assert Days.of(milliseconds) == Days(day)

"""Whether a decoder keeps docs/decoding.md, case by case, however its input is cut."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.decode.contract import SOURCE_FILE, Case, Obj, load_cases, mismatches, normal_path, parse
from tests.decode.groups import check_each, in_groups
from tests.independent import parse_strict
from tests.scale import FULL, scaled
from wsparquet.decode import make_decoder
from wsparquet.decode.model import Decoded, DecoderOptions, Limits, PathCounts, Quarantined
from wsparquet.errors import DecodeError
from wsparquet.schema import TABLES

CASES = load_cases()
BY_NAME = {case.name: case for case in CASES.values()}
COMMON = ("metaData", "source_file", "record_number")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WHITE = b" \t\r\n"
CUT_EVERYWHERE = ("containers", "input", "quarantine", "syntax")
TURNS = b"\\\r\n{}[],.-"
DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "decoding.md"


@dataclass(frozen=True)
class Outcome:
    """What a decoder made of a source, batch and piece borders forgotten."""

    rows: dict[str, list[dict[str, Any]]]
    quarantined: list[Quarantined]
    report: dict[str, Any]


def _microseconds(value: Any) -> Any:
    """The value with datetimes as microseconds since 1970."""
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, dict):
        return {key: _microseconds(child) for key, child in value.items()}
    return [_microseconds(child) for child in value] if isinstance(value, list) else value


def _merged(quarantined: Iterable[Quarantined]) -> list[Quarantined]:
    """Pieces of one item as one."""
    whole: list[Quarantined] = []
    for one in sorted(quarantined, key=lambda one: (one.start, one.end)):
        assert one.end - one.start == len(one.data)
        if not one.continued:
            whole.append(one)
            continue
        first = whole.pop()
        assert (first.kind, first.end, first.reason) == (one.kind, one.start, one.reason)
        whole.append(Quarantined(**{**_members(first), "end": one.end, "data": first.data + one.data}))
    return whole


def _members(one: Quarantined) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Quarantined.__dataclass_fields__}


def _rows(decoded: list[Decoded]) -> dict[str, list[dict[str, Any]]]:
    batches: dict[str, list[pa.RecordBatch]] = {}
    for one in decoded:
        for table, batch in one.batches:
            assert batch.schema.equals(TABLES[table].schema)
            batch.validate(full=True)
            batches.setdefault(table, []).append(batch)
    return {table: _microseconds(pa.Table.from_batches(some).to_pylist()) for table, some in batches.items()}


def decode(pieces: Iterable[bytes], case: Case, decoder_name: str) -> Outcome | str:
    """The outcome of feeding ``pieces`` one after the other; the message where the source fails."""
    options = DecoderOptions(source_file=SOURCE_FILE, limits=Limits(**case.limits))
    decoder = make_decoder(options, decoder=decoder_name)
    try:
        decoded = [*(decoder.feed(piece) for piece in pieces), decoder.finish()]
    except DecodeError as error:
        return str(error)
    quarantined = _merged(one for some in decoded for one in some.quarantined)
    return Outcome(_rows(decoded), quarantined, decoder.report.to_dict())


# --- What holds for every input ---------------------------------------------------------------------------------------


def _rescued_counts(rows: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, int]]:
    counts = {table: PathCounts() for table in rows}
    for table, some in rows.items():
        for path in (path for row in some if row["rescued"] for path in json.loads(row["rescued"], parse_int=str)):
            counts[table].add(normal_path(path))
    return {table: dict(paths.counts) for table, paths in counts.items() if paths.counts}


def check_counts(outcome: Outcome, data: bytes) -> None:
    """Hold the report against rows and quarantine, and quarantine against the source's bytes."""
    report = outcome.report
    records = [one for one in outcome.quarantined if one.kind == "record"]
    assert report["rows"] == {table: len(rows) for table, rows in outcome.rows.items()}
    assert report["quarantined"] == len(records)
    assert report["items"] == len(outcome.quarantined) - len(records)
    assert report["records"] == sum(report["rows"].values()) + report["quarantined"]
    numbers = [row["record_number"] for rows in outcome.rows.values() for row in rows]
    assert sorted([*numbers, *(one.record_number for one in records)]) == list(range(report["records"]))
    assert all(
        [row["record_number"] for row in rows] == sorted(row["record_number"] for row in rows)
        for rows in outcome.rows.values()
    )
    assert all(one.data == data[one.start : one.end] and one.reason for one in outcome.quarantined)
    assert all(row["source_file"] == SOURCE_FILE for rows in outcome.rows.values() for row in rows)
    assert {table: paths for table, paths in report["rescued"].items() if paths} == _rescued_counts(outcome.rows)
    for text in (
        row[name]
        for rows in outcome.rows.values()
        for row in rows
        for name in ("rescued", "record")
        if row.get(name) is not None
    ):
        parse_strict(text)


# --- What a case expects ----------------------------------------------------------------------------------------------


def _table_mismatches(case: Case, outcome: Outcome) -> Iterator[str]:
    for table, expected in case.tables.items():
        for index, (wanted, got) in enumerate(zip(expected, outcome.rows[table], strict=True)):
            left_out = {"rescued", *COMMON} - wanted.members.keys()
            seen = {key: value for key, value in got.items() if key not in left_out}
            yield from mismatches(wanted, seen, f"{table}[{index}]")


def _rescued_mismatches(case: Case, outcome: Outcome) -> Iterator[str]:
    for table, expected in case.rescued.items():
        for index, (wanted, row) in enumerate(zip(expected, outcome.rows[table], strict=True)):
            got = None if row["rescued"] is None else parse(row["rescued"])
            if got != (None if wanted is None else Obj(sorted(wanted.items()))):
                yield f"{table}[{index}] rescued: expected {wanted!r}, got {got!r}"


def _quarantine_mismatches(case: Case, outcome: Outcome) -> Iterator[str]:
    for wanted, got in zip(case.quarantine, outcome.quarantined, strict=True):
        seen = {**_members(got), "text": got.data.strip(WHITE)}
        for key, value in wanted.items():
            if seen[key] != value:
                yield f"quarantine: expected {key} {value!r}, got {got!r}"


def _expected_report(value: Any) -> Any:
    if isinstance(value, Obj):
        return {key: _expected_report(child) for key, child in value}
    return value if isinstance(value, str) else int(value.text)


def _container_values(report: dict[str, Any]) -> dict[str, Any]:
    """Values by container number; a run of containers with the same values is spelt out."""
    spread: dict[str, Any] = {}
    for entry in report["container_values"]:
        first, last = entry["containers"]
        for number in range(first, last + 1):
            assert str(number) not in spread
            spread[str(number)] = {path: parse(text) for path, text in entry["values"].items()}
    return spread


def _report_mismatches(case: Case, outcome: Outcome) -> Iterator[str]:
    values = case.report.get("container_values", Obj())
    if (got := _container_values(outcome.report)) != (wanted := {key: dict(some) for key, some in values}):
        yield f"container_values: expected {wanted!r}, got {got!r}"
    for key, expected in case.report.items():
        seen = outcome.report[key]
        if key == "accounts":
            if sorted(seen) != sorted(expected):
                yield f"accounts: expected {expected!r}, got {seen!r}"
        elif key != "container_values" and _expected_report(expected) != seen:
            yield f"report: expected {key} {expected!r}, got {seen!r}"


def check_case(case: Case, outcome: Outcome | str) -> None:
    """Hold an outcome against its case: failure first, then counts, then values."""
    if case.error is not None:
        assert isinstance(outcome, str), f"expected a DecodeError, got {outcome}"
        assert [word for word in case.error if word not in outcome] == [], outcome
        return
    assert isinstance(outcome, Outcome), f"unexpected DecodeError: {outcome}"
    assert {table: len(rows) for table, rows in outcome.rows.items()} == {
        table: len(rows) for table, rows in case.tables.items()
    }, outcome.quarantined
    assert len(outcome.quarantined) == len(case.quarantine), outcome.quarantined
    check_counts(outcome, case.data)
    parts = (_table_mismatches, _rescued_mismatches, _quarantine_mismatches, _report_mismatches)
    assert [line for part in parts for line in part(case, outcome)] == []


def _case_names(*, files: tuple[str, ...] = (), longest: int | None = None) -> list[str]:
    return [
        name
        for name, case in CASES.items()
        if (not files or name.split(":")[0] in files) and (longest is None or len(case.data) <= longest)
    ]


@pytest.mark.parametrize("names", in_groups(CASES))
def test_cases(names: tuple[str, ...], decoder_name: str) -> None:
    """A case's input in one piece leaves exactly the rows, rescued values, quarantine and counts that it expects."""

    def check(name: str) -> None:
        check_case(CASES[name], decode([CASES[name].data], CASES[name], decoder_name))

    check_each(names, check)


@pytest.mark.parametrize("names", in_groups(_case_names(longest=scaled(600, 350))))
def test_byte_by_byte(names: tuple[str, ...], decoder_name: str) -> None:
    """Input that arrives a byte at a time leaves what it leaves in one piece."""

    def check(name: str) -> None:
        case = CASES[name]
        pieces = (case.data[index : index + 1] for index in range(len(case.data)))
        check_same(case, decode(pieces, case, decoder_name), decoder_name)

    check_each(names, check)


def _borders(data: bytes) -> list[int]:
    """Where to cut: anywhere, or, to save time, only where the text takes a turn."""
    return [at for at in range(1, len(data)) if FULL or data[at - 1] in TURNS or data[at] in b"\n." or data[at] > 127]


@pytest.mark.parametrize("names", in_groups(_case_names(files=scaled((), CUT_EVERYWHERE), longest=scaled(600, 250))))
def test_two_pieces(names: tuple[str, ...], decoder_name: str) -> None:
    """Input cut in two at any byte leaves what it leaves in one piece."""

    def check(name: str) -> None:
        case = CASES[name]
        for border in _borders(case.data):
            outcome = decode([case.data[:border], case.data[border:]], case, decoder_name)
            check_same(case, outcome, decoder_name)

    check_each(names, check)


def check_same(case: Case, outcome: Outcome | str, decoder_name: str) -> None:
    """Hold an outcome against that of the same input in one piece."""
    whole = _in_one_piece(case.name, decoder_name)
    if isinstance(whole, str) or isinstance(outcome, str):
        assert type(whole) is type(outcome), outcome
        return
    assert outcome.report == whole.report
    assert repr(outcome.rows) == repr(whole.rows)  # NaN equals nothing, itself included
    assert _without_reason(outcome) == _without_reason(whole)


def _without_reason(outcome: Outcome) -> list[Quarantined]:
    """The quarantine; a reason's words may depend on how much of the text was there when it was found bad."""
    return [replace(one, reason="") for one in outcome.quarantined]


@cache
def _in_one_piece(name: str, decoder_name: str) -> Outcome | str:
    case = BY_NAME[name]
    return decode([case.data], case, decoder_name)


# --- The cases themselves ---------------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    """The text without its list marker and line borders."""
    return re.sub(r"\s+", " ", re.sub(r"^(- |\d\. )", "", text.strip()))


def _sentences() -> Iterator[str]:
    """The document's sentences, list items and table rows, its introduction and its tables' heads left out.

    A case has neither an extension nor a policy: `test_extended.py` and `test_masks.py` hold the rules of these.
    """
    _, *sections = re.split(r"^## ", DOCUMENT.read_text(), flags=re.MULTILINE)
    text = "\n## ".join(each for each in sections if not each.startswith(("Extensions\n", "Masks\n")))
    text = re.sub(r"^(Input|#.*)$|^\| (column|what) .*\n\| --- .*$", "", text, flags=re.MULTILINE)
    for block in filter(None, map(_plain, re.split(r"\n\s*\n|\n(?=- |\d\. |\|)", text))):
        yield from [block] if block.startswith("|") else re.split(r"(?<=[.])\s+(?=[A-Z`(])", block)


def test_every_sentence_has_a_case() -> None:
    """No sentence, list item or table row of docs/decoding.md is without a case that quotes it."""
    quotes = {_plain(case.says) for case in CASES.values()}
    assert [sentence for sentence in _sentences() if not any(quote in sentence for quote in quotes)] == []


def test_every_quote_is_in_the_document() -> None:
    """What a case says it pins does stand in docs/decoding.md, within one sentence, list item or table row."""
    sentences = list(_sentences())
    quotes = {_plain(case.says) for case in CASES.values() if not case.says.startswith("(")}
    assert sorted(quote for quote in quotes if not any(quote in sentence for sentence in sentences)) == []


def test_names_are_unique() -> None:
    """No two cases share a name, in whatever files they stand."""
    names = Counter(case.name for case in CASES.values())
    assert [name for name, count in names.items() if count > 1] == []

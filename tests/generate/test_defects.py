"""Whether each kind of defect comes out as the contract says, alone and all together."""

from __future__ import annotations

from collections import Counter
from typing import Any, Literal

import pytest

from tests.generate.test_text import FORMS, text_of
from wsparquet.decode import DecoderOptions, PathCounts, Report
from wsparquet.decode.reference.decoder import ReferenceDecoder
from wsparquet.generate import DEFECTS, Expected, GenerateOptions, expected, generate_text
from wsparquet.generate.templates import template

# What the contract and the list of bad input to be shown name inside a file that still converts.
NAMED = {
    "unknown_field", "unknown_branch", "unknown_body", "markup_field", "text_for_integer", "scalar_for_struct",
    "object_for_list", "past_int32", "past_int64", "past_double", "year_292278994", "bare_nan", "lone_surrogate",
    "duplicate_key", "colliding_key", "encrypted_double", "body_scalar", "body_null", "body_empty", "body_several_keys",
    "nested_200", "nested_10000", "invalid_utf8", "missing_value", "garbage_line", "stray_comma", "cut_line",
    "scalar_outside", "unknown_container_field", "unknown_metadata_field", "undocumented_values",
}  # fmt: skip


def decoded(options: GenerateOptions) -> tuple[Expected, Report]:
    """What the generator expects, and what the reference decoder reports."""
    counts = Expected()
    decoder = ReferenceDecoder(DecoderOptions("generated"))
    for piece in generate_text(options, counts=counts):
        decoder.feed(piece)
    decoder.finish()
    return counts, decoder.report


def by_path(found: dict[str, PathCounts]) -> dict[str, Counter[str]]:
    """Counts by table and path."""
    return {table: paths.counts for table, paths in found.items()}


def container_values(report: Report) -> Counter[str]:
    """Counts of container values by path."""
    found: Counter[str] = Counter()
    for entry in report.container_values:
        first, last = entry["containers"]
        found.update(dict.fromkeys(entry["values"], last - first + 1))
    return found


def assert_agrees(counts: Expected, report: Report) -> None:
    """Hold all counts of a report against the expected ones."""
    assert counts.records == sum(counts.rows.values()) + counts.quarantined
    numbers = ("containers", "records", "quarantined", "items")
    assert {name: getattr(report, name) for name in numbers} == {name: getattr(counts, name) for name in numbers}
    assert {table: rows for table, rows in report.rows.items() if rows} == counts.rows
    assert by_path(report.rescued) == counts.rescued
    assert by_path(report.undocumented) == counts.undocumented
    assert container_values(report) == counts.container_values


@pytest.mark.parametrize("name", DEFECTS)
def test_defect_alone(name: str) -> None:
    """One kind alone among good records is there once, in both forms, and decodes to what its entry says."""
    defect = DEFECTS[name]
    constant = max(template(defect.text).parts, key=len)
    for form in FORMS:
        options = GenerateOptions(records=8, form=form, defects=True, only=(name,))
        counts, report = decoded(options)
        assert_agrees(counts, report)
        assert (counts.quarantined, counts.items, counts.rescued) == (defect.quarantined, defect.items, defect.rescued)
        assert constant in text_of(options)


@pytest.mark.parametrize("form", FORMS)
def test_all_defects_together(form: Literal["lines", "document"]) -> None:
    """A file with defects holds every kind, and the counts are the sum of its parts."""
    counts, report = decoded(GenerateOptions(size=1_000_000, form=form, defects=True, line_size=50_000))
    assert_agrees(counts, report)
    for outcome, found in outcomes(counts).items():
        assert found >= sum(1 for defect in DEFECTS.values() if defect.outcome == outcome), outcome


def outcomes(counts: Expected) -> dict[str, int]:
    """How many values, records or items met each outcome."""
    return {
        "rescued": sum(paths.total() for paths in counts.rescued.values()),
        "quarantined record": counts.quarantined,
        "item": counts.items,
        "container value": counts.container_values.total(),
    }


@pytest.mark.parametrize("form", FORMS)
def test_small_files_hold_every_kind(form: Literal["lines", "document"]) -> None:
    """A file with defects goes on until each kind is in it once, whatever its size."""
    counts = expected(GenerateOptions(size=1, form=form, defects=True))
    assert counts.size < 1_000_000
    kinds = DEFECTS.values()
    assert outcomes(counts) == {
        "rescued": sum(len(defect.paths) for defect in kinds if defect.outcome == "rescued"),
        "quarantined record": sum(defect.quarantined for defect in kinds),
        "item": sum(defect.items for defect in kinds),
        "container value": sum(len(defect.paths) for defect in kinds if defect.outcome == "container value"),
    }


def test_table_is_complete() -> None:
    """Every kind of bad input that the contract names has an entry, and no two entries are alike."""
    assert set(DEFECTS) >= NAMED
    assert {defect.outcome for defect in DEFECTS.values()} == {
        "row", "rescued", "quarantined record", "item", "container value",
    }  # fmt: skip
    assert len({(defect.place, defect.text) for defect in DEFECTS.values()}) == len(DEFECTS)


@pytest.mark.parametrize("name", DEFECTS)
def test_entry_is_consistent(name: str) -> None:
    """An entry's counts fit its outcome: what is quarantined is no row, what is rescued is one."""
    defect = DEFECTS[name]
    rescued = defect.outcome in {"rescued", "container value"}
    assert defect.records == sum(defect.rows.values()) + defect.quarantined
    assert bool(defect.paths) is rescued
    assert defect.quarantined == (1 if defect.outcome == "quarantined record" else 0)
    assert defect.items == (1 if defect.outcome == "item" else 0)
    assert (defect.place == "between") or not defect.text.count(b"\n")


def test_unknown_name_is_refused() -> None:
    """A defect that does not exist is refused, with the names that do."""
    with pytest.raises(ValueError, match="found 'no_such'; the defects are: unknown_field, "):
        generate_text(GenerateOptions(defects=True, only=("unknown_field", "no_such")))


def test_only_needs_defects() -> None:
    """Without defects the names do not count."""
    options: dict[str, Any] = {"records": 10, "seed": 3}
    named = b"".join(generate_text(GenerateOptions(only=("stray_comma",), **options)))
    assert named == b"".join(generate_text(GenerateOptions(**options)))

"""What `wsparquet.inspect` says of a source."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import wsparquet
from wsparquet import InspectOptions, Limits, SourceLimits
from wsparquet.generate import GenerateOptions, broken_files, expected, generate
from wsparquet.inspection import inspect_source
from wsparquet.source import Source, expand

ODD = GenerateOptions(size=1, seed=5, defects=True)
EMPTY = b'{"dataType":"WebSession","metaData":{"accountId":"1"},"recordCollection":[]}'


def source_at(path: Path) -> Source:
    """The one source at a path."""
    (found,) = expand([path])
    assert isinstance(found, Source)
    return found


def text_source(folder: Path, text: bytes) -> Source:
    """A source with the given text."""
    path = folder / "text.json"
    path.write_bytes(text)
    return source_at(path)


@pytest.mark.parametrize("form", ["lines", "document"])
def test_the_counts_are_those_of_the_file(tmp_path: Path, form: str) -> None:
    """Form, compression, sizes, containers, accounts, versions and rows are as generated, over several batches."""
    options = GenerateOptions(records=400, form=form, line_size=30_000)  # type: ignore[arg-type]
    (path,) = generate(tmp_path, options)
    wanted = expected(options)
    found = inspect_source(source_at(path))
    assert (found.report.records, found.report.rows) == (wanted.records, wanted.rows)
    assert (found.form, found.format, found.report.containers) == (form, "gzip", wanted.containers)
    assert (found.stored_bytes, found.inflated_bytes) == (path.stat().st_size, wanted.size)
    assert found.report.accounts.counts == {"75555851": wanted.containers}
    assert found.report.schema_versions.counts == {"1.0.0.22": wanted.containers}
    assert (found.name, found.url) == (path.name, path.as_uri())


def test_the_times_are_those_of_all_own_timestamps(tmp_path: Path) -> None:
    """`first` and `last` are the earliest and latest timestamps of all rows, the container's left out."""
    (path,) = generate(tmp_path, GenerateOptions(records=200))
    moments: list[int] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            for key, child in value.items():
                if key != "metaData":
                    walk(child)
        elif isinstance(value, list):
            for child in value:
                walk(child)
        elif hasattr(value, "timestamp"):
            moments.append(round(value.timestamp() * 1000))

    for table in wsparquet.read(path).values():
        walk(table.to_pylist())
    found = inspect_source(source_at(path))
    assert len(moments) > 200
    assert (found.first, found.last) == (min(moments), max(moments))


def test_without_timestamps_there_is_no_span(tmp_path: Path) -> None:
    """A source without records has no first and no last time, and is no failure."""
    found = inspect_source(text_source(tmp_path, EMPTY))
    assert (found.first, found.last, found.report.records) == (None, None, 0)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (EMPTY, "lines"),
        (EMPTY + b"\n" + EMPTY, "lines"),
        (EMPTY + b"\n" + EMPTY + b"\n", "lines"),
        (json.dumps(json.loads(EMPTY), indent=2).encode(), "document"),
        (json.dumps(json.loads(EMPTY), indent=2).encode() * 2, "documents"),
    ],
)
def test_the_form_is_told_by_lines_and_containers(tmp_path: Path, text: bytes, form: str) -> None:
    """One container a line is `lines`, one over many lines `document`, several of those `documents`."""
    assert inspect_source(text_source(tmp_path, text)).form == form


def test_drift_and_quarantine_are_counted(tmp_path: Path) -> None:
    """Rescued and undocumented values by path, and every quarantined record and item under a reason."""
    (path,) = generate(tmp_path, ODD)
    wanted = expected(ODD)
    found = inspect_source(source_at(path))
    assert {table: paths.counts for table, paths in found.report.rescued.items()} == wanted.rescued
    assert {table: paths.counts for table, paths in found.report.undocumented.items()} == wanted.undocumented
    assert (found.report.quarantined, found.report.items) == (wanted.quarantined, wanted.items)
    assert sum(found.reasons.values()) == wanted.quarantined + wanted.items
    values = Counter(path for entry in found.report.container_values for path in entry["values"])
    assert values == wanted.container_values


def test_samples_are_there_only_if_asked_for(tmp_path: Path) -> None:
    """No sample by default; else the first rows of each table and the first quarantined texts, so many at most."""
    (path,) = generate(tmp_path, ODD)
    unasked = inspect_source(source_at(path))
    assert (unasked.samples, unasked.quarantine_samples) == ({}, [])
    found = inspect_source(source_at(path), options=InspectOptions(samples=3))
    tables = wsparquet.read(path, on_quarantined=lambda _: None)
    assert found.samples == {name: table.slice(0, 3).to_pylist() for name, table in tables.items() if table.num_rows}
    assert len(found.quarantine_samples) == 3


def test_a_sampled_text_is_cut(tmp_path: Path) -> None:
    """Of a long quarantined text only the beginning is shown, with the range of all of it."""
    text = EMPTY + b"\n\xff" + b"x" * 10_000 + b"\n" + EMPTY
    found = inspect_source(text_source(tmp_path, text), options=InspectOptions(samples=1))
    (sample,) = found.quarantine_samples
    assert (sample["start"], sample["end"] - sample["start"]) == (len(EMPTY) + 1, 10_001)
    assert sample["text"] == "\\xff" + "x" * 1999


def test_a_long_item_in_several_pieces_has_one_reason(tmp_path: Path) -> None:
    """A stretch of garbage of several MiB is one item, with one sample."""
    text = EMPTY + b"\n" + b"garbage " * 400_000 + b"\n" + EMPTY
    found = inspect_source(text_source(tmp_path, text), options=InspectOptions(samples=5))
    assert (found.report.items, sum(found.reasons.values()), len(found.quarantine_samples)) == (1, 1, 1)


def test_the_dictionary_is_plain_json(tmp_path: Path) -> None:
    """`to_dict` goes through JSON, samples with their times as text, and has every count."""
    (path,) = generate(tmp_path, ODD)
    found = inspect_source(source_at(path), options=InspectOptions(samples=1))
    values = json.loads(json.dumps(found.to_dict(), default=str))
    assert values["records"] == expected(ODD).records
    assert values["rows"] == expected(ODD).rows
    assert set(vars(found)) - {"report"} <= set(values)


def test_a_source_that_fails_raises(tmp_path: Path) -> None:
    """Corrupt and foreign files raise an error that names them."""
    for name, broken in broken_files(tmp_path).items():
        if broken.fails and broken.path.suffix != ".zip":
            with pytest.raises((wsparquet.SourceError, wsparquet.DecodeError)) as caught:
                inspect_source(source_at(broken.path))
            assert broken.path.name in str(caught.value), name


def test_limits_are_kept(tmp_path: Path) -> None:
    """Past a limit of the options the source fails."""
    (path,) = generate(tmp_path, GenerateOptions(records=50))
    with pytest.raises(wsparquet.SourceError, match="`max_inflated`"):
        inspect_source(source_at(path), options=InspectOptions(source_limits=SourceLimits(max_inflated=1000)))
    with pytest.raises(wsparquet.DecodeError, match="`max_record`"):
        inspect_source(source_at(path), options=InspectOptions(limits=Limits(max_record=100)))

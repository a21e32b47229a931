"""Whether the documentation's example gives its values, all of them, whatever form it comes in and whoever reads it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

import wsparquet
from tests import independent
from tests.scale import scaled
from wsparquet.generate import GenerateOptions, generate_text

EXAMPLE = Path(__file__).parent / "data" / "web-session-example.json"
NAME = "WebSession.1467291600000.1467295200000.part-00000-0.json"
NAMESPACE = "com.liveperson.dataaccess."
ROWS = {"navigation": 1, "eligibility": 1, "impression": 1, "goal_achieved": 1, "engagement_attributes": 1}

ADDED = {"record_number", "source_file", "record_type", "date"}

Leaves = Counter[independent.Leaf]


# --- The example in its forms -----------------------------------------------------------------------------------------


def _line(document: dict[str, Any], records: list[Any]) -> str:
    tagged = {
        "dataType": document["dataType"],
        "metaData": {NAMESPACE + "MetaData": document["metaData"]},
        "recordCollection": {"array": records},
    }
    return json.dumps(tagged, separators=(",", ":")) + "\n"


def _page() -> str:
    return EXAMPLE.read_text(encoding="utf-8")


def _field() -> str:
    document = json.loads(_page())
    return _line(document, document["recordCollection"])


def _field_in_lines() -> str:
    document = json.loads(_page())
    return "".join(_line(document, [record]) for record in document["recordCollection"])


FORMS = {"page": _page, "field": _field, "field_in_lines": _field_in_lines}


@pytest.fixture(params=FORMS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Give the example as a file, in each of its forms."""
    form: str = request.param
    path = tmp_path / form / NAME
    path.parent.mkdir()
    path.write_text(FORMS[form](), encoding="utf-8")
    return path


# --- The leaves of rows -----------------------------------------------------------------------------------------------


def _scalar(value: Any) -> independent.Scalar:
    if isinstance(value, datetime):
        return independent.number_key(f"{independent.microseconds(value.astimezone(UTC).isoformat())}e-3")
    if isinstance(value, bool | str):
        return independent.scalar(value)
    return independent.number_key(repr(value))


def _walk(value: Any, path: str) -> Iterator[tuple[str, independent.Scalar]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _walk(child, f"{path}.{independent.normal(key)}")
    elif isinstance(value, list):
        yield path, ("length", len(value))
        for index, child in enumerate(value):
            yield from _walk(child, f"{path}[{index}]")
    elif value is not None:
        yield path, _scalar(value)


def _leaves(tables: dict[str, list[dict[str, Any]]]) -> Leaves:
    """Every leaf of every row, in the words of ``independent.leaves``."""
    found: Leaves = Counter()
    for table, rows in tables.items():
        for row in rows:
            columns = {key: value for key, value in row.items() if key not in ADDED}
            found.update((table, row["record_number"], path, value) for path, value in _walk(columns, ""))
    return found


def _hold(tables: dict[str, list[dict[str, Any]]], text: str) -> None:
    """Counts first, then every leaf, with nothing over on either side."""
    expected = Counter(independent.leaves(text))
    records = {(table, number) for table, number, _, _ in expected}
    assert Counter(table for table, _ in records) == {table: len(rows) for table, rows in tables.items() if rows}
    found = _leaves(tables)
    assert found.total() == expected.total()
    assert expected - found == Counter()
    assert found - expected == Counter()


def _read(source: Path) -> dict[str, list[dict[str, Any]]]:
    return {table: rows.to_pylist() for table, rows in wsparquet.read(source).items()}


# --- In memory --------------------------------------------------------------------------------------------------------


def test_both_forms_give_equal_tables(tmp_path: Path) -> None:
    """The page's form and the field's, whole or a line a record, give the same tables, row for row."""
    read = {}
    for form, text in FORMS.items():
        path = tmp_path / form / NAME
        path.parent.mkdir()
        path.write_text(text(), encoding="utf-8")
        read[form] = wsparquet.read(path)
    assert {table: rows.num_rows for table, rows in read["page"].items() if rows.num_rows} == ROWS
    for table, rows in read["page"].items():
        assert read["field"][table].equals(rows)
        assert read["field_in_lines"][table].equals(rows)


def test_every_value_is_the_sources(source: Path) -> None:
    """Each value of the rows is that of the source at the same place, and no place of the source is without one."""
    tables = _read(source)
    assert {table: len(rows) for table, rows in tables.items() if rows} == ROWS
    _hold(tables, source.read_text(encoding="utf-8"))


def test_no_scalar_is_unaccounted_for(source: Path) -> None:
    """Every scalar of the text but the container's own type is in a row, once a record; nothing is rescued."""
    tables = _read(source)
    rescued = [row["rescued"] for rows in tables.values() for row in rows]
    assert rescued == [None] * 5
    found = _leaves(tables)
    invented = [path for _, _, path, value in found if path.endswith("data.type") or value[0] == "length"]
    values = Counter(value for _, _, _, value in found.elements())
    expected = Counter(_source_scalars(source.read_text(encoding="utf-8")))
    assert found.total() - len(invented) == expected.total()
    assert expected - values == Counter()


def _source_scalars(text: str) -> Iterator[independent.Scalar]:
    """Every scalar of the records, and with each record those of its container; the container's type is checked."""
    for container in independent.containers(text):
        around = dict(container.values)
        assert around.pop("dataType") == [(NAMESPACE + "DataTypeEnum", "WebSession")]
        for record in container.records:
            yield from independent.scalars(record)
            yield from independent.scalars(independent.Pairs(around.items()))


@pytest.mark.parametrize("form", ["lines", "document"])
def test_every_generated_value_is_the_sources(form: Any, tmp_path: Path) -> None:
    """In a generated file, too, each value of every table stands where the source has it."""
    options = GenerateOptions(seed=7, form=form, size=scaled(5_000_000, 300_000), compression="none")
    path = tmp_path / options.file_name(0)
    path.write_bytes(b"".join(generate_text(options)))
    _hold(_read(path), path.read_text(encoding="utf-8"))


# --- On disk ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lake(source: Path, tmp_path: Path) -> Path:
    """Give a root into which the example was converted."""
    root = tmp_path / "lake"
    summary = wsparquet.convert(source, to=root)
    assert (summary.records, summary.quarantined, summary.items) == (5, 0, 0)
    assert dict(summary.rows) == ROWS
    return root


def _folders(root: Path) -> dict[str, Path]:
    folders = {path.name.removeprefix("record_type="): path for path in root.glob("record_type=*")}
    assert set(folders) == set(ROWS)
    return folders


def test_committed_rows_hold_every_value(source: Path, lake: Path) -> None:
    """What ``open_dataset`` reads back is what the source holds."""
    dataset = wsparquet.open_dataset(lake)
    tables = {table: dataset.table(table).to_table().to_pylist() for table in dataset.tables}
    _hold(tables, source.read_text(encoding="utf-8"))


def test_pyarrow_reads_every_value(source: Path, lake: Path) -> None:
    """Plain pyarrow reads each table's folder to what the source holds."""
    tables = {table: ds.dataset(folder).to_table().to_pylist() for table, folder in _folders(lake).items()}
    _hold(tables, source.read_text(encoding="utf-8"))


def test_polars_reads_every_value(source: Path, lake: Path) -> None:
    """Polars reads each table's folder to what the source holds."""
    tables = {table: pl.read_parquet(folder).to_dicts() for table, folder in _folders(lake).items()}
    _hold(tables, source.read_text(encoding="utf-8"))


def test_duckdb_reads_every_value(source: Path, lake: Path) -> None:
    """DuckDB reads each table's folder to what the source holds."""
    tables = {}
    for table, folder in _folders(lake).items():
        tables[table] = pa.table(duckdb.read_parquet(f"{folder}/**/*.parquet").arrow()).to_pylist()
    _hold(tables, source.read_text(encoding="utf-8"))

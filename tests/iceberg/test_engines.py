"""Engines read published tables without options: the same values as ``open_dataset``, on a disk and on S3."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from polars.testing import assert_frame_equal

from tests.iceberg.helpers import TABLE_NAMES, comparable, properties, published
from tests.store.s3.lake import Lake
from wsparquet import convert, open_dataset, publish
from wsparquet.generate import GenerateOptions, generate

OTHER_ENGINES = os.environ.get("WSPARQUET_TEST_ENGINES")
"""The interpreter of an environment with DuckDB and its extensions, and chdb: see ``make engines``."""


@dataclass(frozen=True)
class Place:
    """A published root: where it is, and how wsparquet and pyiceberg reach it."""

    url: str
    storage_options: dict[str, Any] | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    def wanted(self, table: str) -> pa.Table:
        """The rows that count."""
        return open_dataset(self.url, storage_options=self.storage_options).table(table).to_table()

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables to read: on S3, where each request takes its time, those with all kinds of values."""
        return TABLE_NAMES if self.storage_options is None else ("navigation", "engagement_attributes")

    def folder(self, table: str) -> str:
        """Where engines find a table."""
        return f"{self.url}/_wsparquet/iceberg/{table}"


@pytest.fixture(params=["disk", "S3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A root with files of all kinds, one of which was replaced after the first publication."""
    files = generate(tmp_path / "raw", GenerateOptions(files=2, records=40))
    odd = tmp_path / "raw" / "a b#c?d%e ü[x].json.gz"
    files[1].rename(odd)
    if request.param == "disk":
        found = Place(str(tmp_path / "lake"))
    else:
        lake: Lake = request.getfixturevalue("bucket")
        found = Place(lake.url, lake.options, properties(lake))
    convert([files[0], odd], to=found.url, storage_options=found.storage_options).raise_for_failures()
    publish(found.url, storage_options=found.storage_options)
    again = convert(files[0], to=found.url, storage_options=found.storage_options, again=True)
    assert len(again.raise_for_failures().replaced) == 1
    return found


def test_pyiceberg_and_polars(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tables, in Polars with the types of ``scan`` and by its own reader.

    pyiceberg 0.12 returns an empty list for a null list of structs (apache/iceberg-python#3833).
    """
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")
    for name in place.tables:
        table = published(place.url, name, place.properties)
        assert comparable(table.scan().to_arrow(), lists=False) == comparable(place.wanted(name), lists=False)
        found = pl.scan_iceberg(
            table.metadata_location, storage_options=dict(place.properties), reader_override="native"
        ).collect()
        order = ["source_file", "record_number"]
        wanted = pl.DataFrame(place.wanted(name))
        assert_frame_equal(found.select(wanted.columns).sort(order), wanted.sort(order))


needs_engines = pytest.mark.skipif(OTHER_ENGINES is None, reason="needs `make engines`")


@needs_engines
@pytest.mark.parametrize("engine", ["duckdb", "clickhouse", "daft"])
def test_other_engines(place: Place, tmp_path: Path, engine: str) -> None:
    """All tables through ``iceberg_scan``, ``icebergLocal`` and ``icebergS3``, and Daft's ``read_iceberg``."""
    check(place, tmp_path, engine)


@needs_engines
@pytest.mark.parametrize("place", ["S3"], indirect=True)
def test_iceberg_rust(place: Place, tmp_path: Path) -> None:
    """Through DataFusion: on S3 only, because iceberg-rust takes no paths in metadata that are not URLs."""
    check(place, tmp_path, "datafusion")


def check(place: Place, folder: Path, engine: str) -> None:
    """Assert that an engine finds the values of all rows that count, and no other rows."""
    jobs = [
        {
            "engine": engine,
            "table": place.folder(name),
            "metadata": published(place.url, name, place.properties).metadata_location,
            "to": str(folder / f"{name}.parquet"),
            "s3": place.properties,
        }
        for name in place.tables
    ]
    (folder / "jobs.json").write_text(json.dumps(jobs))
    script = Path(__file__).with_name("other_engines.py")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(OTHER_ENGINES), str(script), str(folder / "jobs.json")]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for name in place.tables:
        found = pq.read_table(folder / f"{name}.parquet")
        wanted = place.wanted(name)
        assert found.num_rows == wanted.num_rows
        # ClickHouse has no null lists and no null structs: it reads an empty list, and a struct of nulls.
        assert plain(found, engine) == plain(wanted, engine), name


def plain(table: pa.Table, engine: str) -> list[str]:
    """The rows, with times as numbers, and without the differences of an engine's types."""
    return sorted(repr(_plain(row, engine)) for row in table.select(sorted(table.column_names)).to_pylist())


def _plain(value: Any, engine: str) -> Any:
    match value:
        case dict():
            found = {key: _plain(each, engine) for key, each in sorted(value.items())}
            return None if engine == "clickhouse" and not any(each is not None for each in found.values()) else found
        case list():
            return [_plain(each, engine) for each in value] or (None if engine == "clickhouse" else [])
        case bytes():
            return value.decode("utf-8")
    return value.timestamp() if hasattr(value, "timestamp") else value

"""Every engine reads every table of a converted root by its folder, with no options, and finds the same rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.system.helpers import EVENING_MS, convert, table_folders, table_name
from wsparquet import TABLES, open_dataset
from wsparquet.dataset import LakeDataset
from wsparquet.generate import GenerateOptions, generate

UNDATED = {
    "recordCollection": [
        {"body": {"WebSessionGeoData": {"header": {"visitId": "v"}, "geo": {"country": "Iceland"}}}},
        {"body": {"WebSessionNavigationData": {"navigationData": []}}},
        {"body": {"WebSessionNavigationData": {"navigationData": None}}},
    ]
}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LakeDataset]:
    """A root of several files: two days, both forms, every defect, rows without a date; and what it holds."""
    folder = tmp_path_factory.mktemp("engines")
    generate(folder / "in", GenerateOptions(files=6, size=60_000, seed=3, start_ms=EVENING_MS))
    generate(folder / "more", GenerateOptions(size=60_000, seed=4, defects=True, form="document", account="4711"))
    (folder / "in" / "undated.json").write_text(json.dumps(UNDATED))
    convert(folder / "lake", folder / "in", folder / "more", code=3)
    return folder / "lake", open_dataset(folder / "lake")


def by_parquet(folder: Path) -> pa.Table:
    """The function of pyarrow that reads at once."""
    return pq.read_table(folder)


def by_dataset(folder: Path) -> pa.Table:
    """The dataset of pyarrow."""
    return ds.dataset(folder).to_table()


def by_polars(folder: Path) -> pa.Table:
    """The function of Polars that reads at once."""
    return pl.read_parquet(folder).to_arrow()


def by_polars_lazily(folder: Path) -> pa.Table:
    """The lazy one."""
    return pl.scan_parquet(folder).collect().to_arrow()


def by_duckdb(folder: Path) -> pa.Table:
    """A glob in DuckDB."""
    with duckdb.connect() as connection:
        return connection.sql(f"FROM '{folder}/**/*.parquet'").to_arrow_table()


def ordered(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of ``schema`` as its types (engines have wider strings, lists, times), rows in one order."""
    cast = table.select(schema.names).cast(schema)
    return cast.sort_by([("source_file", "ascending"), ("record_number", "ascending")])


@pytest.mark.parametrize("read", [by_parquet, by_dataset, by_polars, by_polars_lazily, by_duckdb])
def test_every_table_by_its_folder(read: Callable[[Path], pa.Table], lake: tuple[Path, LakeDataset]) -> None:
    """Each table's columns come in the schema's order with every row and value, the partition's date with them."""
    root, held = lake
    folders = table_folders(root)
    assert [table_name(folder) for folder in folders] == sorted(TABLES)
    for folder in folders:
        name = table_name(folder)
        expected = held.table(name).to_table()
        found = read(folder)
        assert found.num_rows == expected.num_rows > 0
        schema = TABLES[name].schema.remove_metadata()
        assert found.column_names[: len(schema)] == schema.names
        assert ordered(found, schema).to_pylist() == ordered(expected, schema).to_pylist()
        if read is not by_dataset:
            # A bare dataset does not look at folders' names unless it is told to.
            assert dates(found) == dates(expected)


def dates(table: pa.Table) -> dict[str | None, int]:
    """Rows by date, as text."""
    counted: Any = pc.value_counts(table["date"].cast(pa.string()).combine_chunks())
    values = counted.to_pylist()
    return {value["values"]: value["counts"] for value in values}


def test_the_root_has_what_engines_could_stumble_over(lake: tuple[Path, LakeDataset]) -> None:
    """The tables that engines read above have two days, rows without a date, null columns and rescued values."""
    root, held = lake
    navigation = held.table("navigation").to_table()
    assert len(dates(navigation)) >= 3
    assert dates(navigation)[None] == 2
    assert navigation["rescued"].null_count < navigation.num_rows
    whole = [pq.read_metadata(path).row_group(0) for path in root.glob("record_type=navigation/**/*.parquet")]
    assert any(group.column(2).statistics.null_count == group.num_rows for group in whole), "contextId all null"

"""Engines read every table by its folder, with no options."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.dataset.helpers import make_rows, put
from tests.parquet.writers import WRITERS
from wsparquet.dataset import Root, open_dataset
from wsparquet.parquet import WriterPool
from wsparquet.parquet.row_days import partition_days
from wsparquet.schema import TABLES

COUNT = 60


@pytest.fixture(scope="module", params=WRITERS)
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with rows of all tables over several days, some without any."""
    path = tmp_path_factory.mktemp("root")
    put(Root.open(path, pool=WriterPool(writer=request.param)), tables=tuple(TABLES), count=COUNT)
    return path


def in_order(table: pa.Table, name: str) -> pa.Table:
    """The table's own columns as the schema has them, rows in the source's order."""
    schema = TABLES[name].schema
    assert set(table.column_names) - set(schema.names) <= {"date", "record_type"}
    return table.select(schema.names).sort_by("record_number").cast(schema).combine_chunks()


def assert_same(found: pa.Table, name: str) -> None:
    """The rows are those that were written: counts, then values, null and empty told apart."""
    expected = pa.Table.from_batches([make_rows(name, COUNT)])
    assert found.num_rows == COUNT
    for column in expected.column_names:
        assert repr(found[column].to_pylist()) == repr(expected[column].to_pylist()), column


@pytest.mark.parametrize("name", TABLES)
def test_pyarrow_reads_a_table_by_its_folder(root: Path, name: str) -> None:
    """All rows and values, by ``read_table`` and as a dataset."""
    folder = root / f"record_type={name}"
    assert_same(in_order(pq.read_table(folder), name), name)
    assert_same(in_order(ds.dataset(folder).to_table(), name), name)


@pytest.mark.parametrize("name", TABLES)
def test_polars_reads_a_table_by_its_folder(root: Path, name: str) -> None:
    """All rows and values, and the day as a column."""
    frame = pl.read_parquet(root / f"record_type={name}")
    assert "date" in frame.columns
    assert_same(in_order(frame.to_arrow(), name), name)


@pytest.mark.parametrize("name", TABLES)
def test_duckdb_reads_a_table_by_its_folder(root: Path, name: str) -> None:
    """All rows and values, and the day as a column."""
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT * FROM '{root}/record_type={name}/**/*.parquet'").to_arrow_table()
    assert "date" in found.column_names
    assert_same(in_order(found, name), name)


@pytest.mark.parametrize("name", TABLES)
def test_the_dataset_has_typed_columns_and_days(root: Path, name: str) -> None:
    """``open_dataset`` gives all rows, the full schema and the date of every row's partition."""
    dataset = open_dataset(root).table(name)
    assert dataset.schema.field("date").type == pa.date32()
    assert dataset.schema.names == [*TABLES[name].schema.names, "date"]
    found = dataset.to_table().sort_by("record_number")
    assert_same(in_order(found, name), name)
    days = partition_days(name, make_rows(name, COUNT), None)
    assert found["date"].to_pylist() == days.to_pylist()


def test_days_prune_files(root: Path) -> None:
    """A filter on ``date`` reads only that partition's files, the one without a day included."""
    dataset = open_dataset(root).table("navigation")
    days = partition_days("navigation", make_rows("navigation", COUNT), None)
    fragments = list(dataset.get_fragments(filter=ds.field("date") == days.drop_null()[0]))
    assert len(fragments) == 1
    count = dataset.to_table(filter=ds.field("date").is_null()).num_rows
    assert count == days.null_count > 0

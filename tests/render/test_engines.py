"""Real engines take the renderings: Avro moves rows through them, DuckDB reads real files as they say."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.render.leaves import write
from wsparquet.render import render
from wsparquet.schema import TABLES, Table
from wsparquet.schema.fields import TIMESTAMP

each_table = pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)

SAMPLES: dict[pa.DataType, Any] = {
    pa.string(): "ä\u2028'",
    pa.bool_(): True,
    pa.int32(): -(2**31),
    pa.int64(): 2**63 - 1,
    pa.float64(): 0.1,
    TIMESTAMP: dt.datetime(2016, 6, 30, 13, 1, 44, 525000, tzinfo=dt.UTC),
}


def sample(data_type: pa.DataType) -> Any:
    """A value of a type, with no part of it null."""
    if isinstance(data_type, pa.StructType):
        return {field.name: sample(field.type) for field in data_type.fields}
    if isinstance(data_type, pa.ListType):
        return [sample(data_type.value_type)]
    return SAMPLES[data_type]


def rows(table: Table) -> list[dict[str, Any]]:
    """A full row, one of nulls, one of empty lists and structs of nulls, one of lists of a null."""
    full = {field.name: sample(field.type) for field in table.schema}
    lists = {field.name for field in table.schema if pa.types.is_list(field.type)}
    structs = {field.name: dict.fromkeys(full[field.name]) for field in table.schema if pa.types.is_struct(field.type)}
    nulls: dict[str, Any] = dict.fromkeys(full)
    empty: dict[str, Any] = {name: [] for name in lists}
    return [full, nulls, nulls | empty | structs, nulls | {name: [None] for name in lists}]


def arrow_table(table: Table) -> pa.Table:
    """The rows as Arrow."""
    return pa.Table.from_pylist(rows(table), schema=table.schema)


# --- Avro -------------------------------------------------------------------------------------------------------------


@each_table
def test_avro_moves_rows(table: Table) -> None:
    """Rows written with the Avro schema come back equal: nulls, empty lists and microseconds too."""
    schema = fastavro.parse_schema(json.loads(render(table.name, "avro")))
    buffer = io.BytesIO()
    expected = arrow_table(table).to_pylist()
    fastavro.writer(buffer, schema, expected, strict=True)
    buffer.seek(0)
    found = list(fastavro.reader(buffer))
    assert len(found) == len(expected) == 4
    assert found == expected


@each_table
def test_avro_fields_are_null_by_default(table: Table) -> None:
    """A reader of this schema takes rows that lack every field."""
    schema = json.loads(render(table.name, "avro"))
    buffer = io.BytesIO()
    fastavro.writer(buffer, {**schema, "fields": []}, [{}])
    buffer.seek(0)
    found = list(fastavro.reader(buffer, reader_schema=fastavro.parse_schema(schema)))
    assert found == [dict.fromkeys(table.schema.names)]


# --- DuckDB -----------------------------------------------------------------------------------------------------------


def dataset(table: Table, root: Path) -> None:
    """A dataset of two parts, one of a day and one of the default partition."""
    for value in ("2016-06-30", "__HIVE_DEFAULT_PARTITION__"):
        folder = root / f"record_type={table.name}" / f"date={value}"
        folder.mkdir(parents=True)
        pq.write_table(arrow_table(table), folder / "part.parquet")


def describe(connection: duckdb.DuckDBPyConnection, what: str) -> list[tuple[str, str]]:
    """Names and types of the columns."""
    return [row[:2] for row in connection.execute(f"DESCRIBE {what}").fetchall()]


@each_table
def test_duckdb_s_types_are_those_of_the_files(table: Table, tmp_path: Path) -> None:
    """The table and the view have the columns and types that DuckDB finds in a file, and ``date`` behind them."""
    dataset(table, tmp_path)
    path = write(table, tmp_path)
    with duckdb.connect() as connection:
        connection.execute(render(table.name, "duckdb").replace("ROOT", str(tmp_path)))
        expected = [*describe(connection, f"FROM read_parquet('{path}')"), ("date", "DATE")]
        assert describe(connection, f"{table.name}_typed") == expected
        assert describe(connection, table.name) == expected


@each_table
def test_duckdb_loads_the_view_into_the_table(table: Table, tmp_path: Path) -> None:
    """Every row of every partition is in the view, dated or not, and goes into the table."""
    dataset(table, tmp_path)
    with duckdb.connect() as connection:
        connection.execute(render(table.name, "duckdb").replace("ROOT", str(tmp_path)))
        connection.execute(f"INSERT INTO {table.name}_typed BY NAME FROM {table.name}")
        query = f"SELECT date, count(*), count(record_number) FROM {table.name}_typed GROUP BY ALL ORDER BY date"
        assert connection.execute(query).fetchall() == [(dt.date(2016, 6, 30), 4, 1), (None, 4, 1)]
        fetched = connection.sql(f"SELECT * EXCLUDE (date) FROM {table.name}_typed WHERE date IS NULL")
        assert fetched.to_arrow_table().cast(table.schema).to_pylist() == arrow_table(table).to_pylist()


def test_duckdb_takes_all_tables_at_once(tmp_path: Path) -> None:
    """The statements of all tables run one after the other."""
    for table in TABLES.values():
        dataset(table, tmp_path)
    with duckdb.connect() as connection:
        connection.execute(render(None, "duckdb").replace("ROOT", str(tmp_path)))
        views = connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        assert sorted(views) == sorted((name,) for name in TABLES)

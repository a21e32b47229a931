"""The profile that every engine reads (design.md, "The tables"), over the schema and over written files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.helpers import data_files, facts, make_rows, put
from tests.parquet.thrift import footer
from tests.parquet.writers import WRITERS
from wsparquet.dataset import Root
from wsparquet.layout import Identity
from wsparquet.parquet import WriterPool
from wsparquet.parquet.settings import file_schema, leaves
from wsparquet.schema import TABLES

ALLOWED = {"bool", "int32", "int64", "double", "string", "timestamp[us, tz=UTC]"}


def nodes(field: pa.Field, path: str = "") -> Iterator[tuple[str, pa.Field]]:
    """A field and all fields in it, with their paths."""
    path = f"{path}.{field.name}" if path else field.name
    yield path, field
    children = field.type.fields if isinstance(field.type, pa.StructType) else ()
    if isinstance(field.type, pa.ListType):
        children = [field.type.value_field]
    for child in children:
        yield from nodes(child, path)


def all_nodes(schema: pa.Schema) -> list[tuple[str, pa.Field]]:
    """All fields of a schema, nested ones too."""
    return [node for field in schema for node in nodes(field)]


def assert_unique_ignoring_case(names: list[str]) -> None:
    """No two names at one level differ in case only."""
    assert [name for name, count in Counter(name.lower() for name in names).items() if count > 1] == []


@pytest.fixture(scope="module", params=WRITERS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with all tables: ordinary rows over several days, and files whose columns are all null."""
    path = tmp_path_factory.mktemp("root")
    root = Root.open(path, pool=WriterPool(writer=request.param))
    put(root, tables=tuple(TABLES), count=30)
    with root.begin(fallback_day_ms=None) as attempt:
        for table, definition in TABLES.items():
            attempt.write(table, pa.RecordBatch.from_pylist([{}], schema=definition.schema))
        attempt.commit(Identity("7", "nulls"), facts(), expected=None)
    return path


def files_of(root: Path, table: str) -> list[pq.ParquetFile]:
    """All files of a table."""
    files = [pq.ParquetFile(root / path) for path in data_files(root) if path.startswith(f"record_type={table}/")]
    assert len(files) >= 2
    return files


@pytest.mark.parametrize("table", TABLES)
def test_the_schema_keeps_to_the_profile(table: str) -> None:
    """Every node is nullable and of a type that all engines know; lists have an element; structs are not empty."""
    schema = TABLES[table].schema
    assert_unique_ignoring_case(schema.names)
    for path, field in all_nodes(schema):
        assert field.nullable, path
        if isinstance(field.type, pa.StructType):
            assert field.type.num_fields, path
            assert_unique_ignoring_case([child.name for child in field.type.fields])
        elif isinstance(field.type, pa.ListType):
            assert field.type.value_field.name == "element", path
        else:
            assert str(field.type) in ALLOWED, path


@pytest.mark.parametrize("table", TABLES)
def test_written_files_keep_to_the_profile(written: Path, table: str) -> None:
    """The Parquet schema has optional nodes only, three-level lists, and no type that an engine refuses."""
    for file in files_of(written, table):
        lines = [line.strip() for line in str(file.schema).splitlines() if "group field_id=-1 schema {" not in line]
        fields = [line for line in lines if line.startswith(("required", "optional", "repeated"))]
        assert [line for line in fields if line.startswith("required")] == []
        repeated = [line for line in fields if line.startswith("repeated")]
        assert repeated == ["repeated group field_id=-1 list {"] * len(repeated)
        lists = sum(isinstance(field.type, pa.ListType) for _, field in all_nodes(TABLES[table].schema))
        assert len(repeated) == sum("(List)" in line for line in fields) == lists
        for index in range(len(file.schema)):
            column = file.schema.column(index)
            assert column.physical_type in {"BOOLEAN", "INT32", "INT64", "DOUBLE", "BYTE_ARRAY"}, column.path
            assert "isSigned=false" not in str(column.logical_type), column.path
            assert column.logical_type.type in {"NONE", "STRING", "TIMESTAMP"}, column.path
            if column.logical_type.type == "TIMESTAMP":
                assert "isAdjustedToUTC=true, timeUnit=microseconds" in str(column.logical_type)


@pytest.mark.parametrize("table", TABLES)
def test_all_files_of_a_table_have_the_same_full_schema(written: Path, table: str) -> None:
    """Columns that are all null are there too, in the same order; timestamps read as UTC; no metadata is repeated."""
    for file in files_of(written, table):
        assert file.schema_arrow.equals(file_schema(table))
        assert file.schema_arrow.names == TABLES[table].schema.names
        assert [file.schema.column(index).path for index in range(len(file.schema))] == [
            leaf.path for leaf in leaves(table)
        ]
        assert file.metadata.metadata is None
        assert "date" not in file.schema_arrow.names


@pytest.mark.parametrize("table", TABLES)
def test_files_are_written_as_measured(written: Path, table: str) -> None:
    """Every column of some size has zstd, all have a page index, and statistics those by which rows are looked up."""
    for file in files_of(written, table):
        group = file.metadata.row_group(0)
        for index, leaf in enumerate(leaves(table)):
            column = group.column(index)
            assert column.path_in_schema == leaf.path
            # A column is plain below 256 bytes. Levels and page headers come on top.
            assert column.compression == "ZSTD" or column.total_uncompressed_size < 400
            assert column.has_offset_index
            looked_up = leaf.path in {"visitId", "visitorId", "record_number"} or pa.types.is_timestamp(leaf.type)
            if looked_up:
                assert column.is_stats_set, leaf.path
                assert column.has_column_index or column.statistics.null_count == column.num_values, leaf.path
        assert not group.column(len(leaves(table)) - 1).is_stats_set


def test_small_files_have_small_footers(written: Path) -> None:
    """A part of a few rows is not mostly footer: doc texts and the Arrow schema alone would be 20 KB and more."""
    sizes = {table: files_of(written, table)[0].metadata.serialized_size for table in TABLES}
    assert max(sizes.values()) < 16_000


def test_the_profile_test_sees_what_is_wrong(tmp_path: Path) -> None:
    """The checks above would fail on a file that pyarrow writes by default."""
    batch = make_rows("geo", 3)
    pq.write_table(pa.Table.from_batches([batch]), tmp_path / "x.parquet")
    file = pq.ParquetFile(tmp_path / "x.parquet")
    assert file.metadata.metadata is not None
    assert not file.metadata.row_group(0).column(0).has_offset_index


def test_a_footer_has_nothing_that_older_readers_do_not_know(written: Path) -> None:
    """A union with an unknown branch is no file at all for strict readers, such as Polars before 1.44.

    The branches are those of Parquet's format 2.9: logical types as the schema has them, and the one order of columns.
    """
    for part in data_files(written):
        found = footer(written / part)
        assert {*found} <= {1, 2, 3, 4, 5, 6, 7}
        assert len(found[7]) == sum(5 not in element for element in found[2])
        assert all({*order} == {1} for order in found[7]), f"{part}: an order that is not TYPE_ORDER"
        logical = {branch for element in found[2] for branch in element.get(10, {})}
        # Text, lists, timestamps.
        assert logical <= {1, 3, 8}
        encodings = {each for group in found[4] for chunk in group[1] for each in chunk[3][2]}
        # Plain, run lengths, dictionaries.
        assert encodings <= {0, 2, 3, 8}

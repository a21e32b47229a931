"""wsparquet/parquet/file.py: both writers keep the same contract, and read back as the same rows."""

from __future__ import annotations

import errno
import gc
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dataset.helpers import make_rows
from tests.parquet.writers import HAS_NATIVE, WRITERS
from tests.scale import scaled
from wsparquet.parquet.file import NativePart, OpenPart, PyarrowPart, WriterKind, best_writer
from wsparquet.parquet.settings import file_schema, leaves
from wsparquet.schema import TABLES
from wsparquet.schema.field_ids import field_ids

needs_native = pytest.mark.skipif(not HAS_NATIVE, reason="the native writer is not built here")
every_writer = pytest.mark.parametrize("writer", WRITERS)


def write(
    writer: WriterKind, path: Path, table: str, groups: Sequence[Sequence[pa.RecordBatch]], *, rows: int = 1 << 20
) -> pq.ParquetFile:
    """A file with a row group or more for each group of batches."""
    part: OpenPart = writer(path, table, row_group_rows=rows)
    for batches in groups:
        for batch in batches:
            part.write(batch)
        part.end_row_group()
    part.close()
    return pq.ParquetFile(path)


def test_the_native_writer_is_used_where_it_is_built() -> None:
    """What has been built is in use; without it, pyarrow writes."""
    assert best_writer() is (NativePart if HAS_NATIVE else PyarrowPart)


@every_writer
@pytest.mark.parametrize("table", TABLES)
@settings(max_examples=scaled(60, 6), deadline=None)
@given(
    seed=st.integers(0, 2**32),
    slices=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)), min_size=1, max_size=4),
)
def test_rows_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, writer: WriterKind, table: str, seed: int, slices: list[tuple[int, int]]
) -> None:
    """Values, nulls, empty lists and empty structs, of whole batches and of slices, in their order."""
    batches = [make_rows(table, rows, seed=seed + at).slice(skip) for at, (rows, skip) in enumerate(slices)]
    expected = pa.Table.from_batches(batches, schema=TABLES[table].schema)
    groups = [group for group in (batches[:2], batches[2:]) if group]
    file = write(writer, tmp_path_factory.mktemp("part") / "x.parquet", table, groups)
    assert file.metadata.num_rows == expected.num_rows
    found = file.read()
    found.validate(full=True)
    assert repr(found.to_pylist()) == repr(expected.to_pylist())


@needs_native
@pytest.mark.parametrize("table", TABLES)
def test_both_writers_leave_the_same_file_but_for_its_bytes(tmp_path: Path, table: str) -> None:
    """Schema, row groups, codecs, dictionaries, statistics and indices are the same, column by column."""
    groups = [[make_rows(table, 50), make_rows(table, 20, seed=1)], [make_rows(table, 9, seed=2)]]
    ours, theirs = (
        write(writer, tmp_path / f"{name}.parquet", table, groups, rows=60).metadata
        for name, writer in (("native", NativePart), ("pyarrow", PyarrowPart))
    )
    assert ours.schema.equals(theirs.schema)
    assert ours.schema.to_arrow_schema().equals(file_schema(table))
    assert (ours.num_rows, ours.num_row_groups, ours.metadata) == (theirs.num_rows, theirs.num_row_groups, None)
    for group in range(theirs.num_row_groups):
        assert ours.row_group(group).num_rows == theirs.row_group(group).num_rows
        for index in range(len(leaves(table))):
            mine, other = ours.row_group(group).column(index), theirs.row_group(group).column(index)
            assert described(mine) == described(other), mine.path_in_schema


@every_writer
@pytest.mark.parametrize("table", TABLES)
def test_a_footer_has_the_id_of_every_field(tmp_path: Path, writer: WriterKind, table: str) -> None:
    """Each struct, list, element and leaf has its id of the registry; the middle of a list has none, as in Iceberg."""
    file = write(writer, tmp_path / "x.parquet", table, [[make_rows(table, 3)]])
    expected = {path: number for path, number in field_ids(table).items() if path != "date"}
    assert dict(footer_ids(str(file.schema))) == expected
    assert file.schema_arrow.equals(file_schema(table), check_metadata=True)


def footer_ids(schema: str) -> Iterator[tuple[str, int]]:
    """Path and id of each field that the text of a Parquet schema has, the middle of lists left out."""
    steps: list[str] = []
    for line in schema.splitlines()[2:]:
        if line.strip() == "}":
            steps = steps[:-1]
        elif found := re.match(r"\s*(?:optional|repeated) (\w+) field_id=(-?\d+) (\w+)", line):
            kind, number, name = found.groups()
            steps.append(name)
            if int(number) == -1:
                assert name == "list"
            else:
                yield ".".join(step for step in steps if step != "list"), int(number)
            steps = steps if kind == "group" else steps[:-1]


def described(column: pq.ColumnChunkMetaData) -> dict[str, object]:
    """What a footer says of a column that both writers have to agree on."""
    statistics = column.statistics if column.is_stats_set else None
    ends = (statistics.min_raw, statistics.max_raw) if statistics and statistics.has_min_max else None
    return {
        "path": column.path_in_schema,
        "type": column.physical_type,
        "codec": column.compression,
        "values": column.num_values,
        "dictionary": column.has_dictionary_page,
        "encodings": set(column.encodings) & {"PLAIN", "RLE_DICTIONARY", "DELTA_BINARY_PACKED", "DELTA_BYTE_ARRAY"},
        "bounds": ends,
        "nulls": statistics.null_count if statistics else None,
        "offset index": column.has_offset_index,
        "column index": column.has_column_index,
    }


@needs_native
def test_columns_with_few_values_are_plain_in_a_file_of_one_row_group(tmp_path: Path) -> None:
    """No compression and no dictionary below 256 bytes; both from there on, and both in files of several row groups."""

    def kinds(name: str, batches: list[pa.RecordBatch], *, rows: int = 100) -> dict[str, set[tuple[str, bool]]]:
        part = NativePart(tmp_path / name, "geo", row_group_rows=rows)
        for batch in batches:
            part.write(batch)
        part.close()
        footer = pq.read_metadata(tmp_path / name)
        assert footer.num_row_groups == -(-sum(batch.num_rows for batch in batches) // rows)
        groups = [footer.row_group(group) for group in range(footer.num_row_groups)]
        columns = [group.column(index) for group in groups for index in range(footer.num_columns)]
        return {
            path: {(each.compression, each.has_dictionary_page) for each in columns if each.path_in_schema == path}
            for path in ("country", "city", "state", "isp")
        }

    # The offsets of five texts take 24 bytes.
    lengths = {"country": [46, 46, 46, 46, 48], "city": [46, 46, 46, 46, 47], "isp": [500, 0, 0, 0, 0]}
    values = [{name: "x" * sizes[row] for name, sizes in lengths.items()} for row in range(5)]
    rows = pa.RecordBatch.from_pylist(values, schema=file_schema("geo"))
    plain, full = {("UNCOMPRESSED", False)}, {("ZSTD", True)}
    expected = {"country": full, "city": plain, "state": plain, "isp": full}
    assert kinds("one.parquet", [rows]) == expected
    assert kinds("several.parquet", [rows], rows=2) == dict.fromkeys(expected, full)
    assert kinds("twice.parquet", [rows, rows]) == {**expected, "city": full}


@needs_native
def test_long_bounds_are_whole(tmp_path: Path) -> None:
    """The least and the greatest name of a source file are values of the file, however long."""
    rows = make_rows("geo", 3)
    names = pa.array([letter * 300 for letter in "abc"])
    batch = rows.set_column(rows.schema.get_field_index("source_file"), "source_file", names).cast(rows.schema)
    footer = write(NativePart, tmp_path / "x.parquet", "geo", [[batch]]).metadata
    (column,) = (
        footer.row_group(0).column(index)
        for index in range(footer.num_columns)
        if footer.row_group(0).column(index).path_in_schema == "source_file"
    )
    assert (column.statistics.min, column.statistics.max) == ("a" * 300, "c" * 300)


@every_writer
def test_errors_of_the_disk_bear_their_number(tmp_path: Path, writer: WriterKind) -> None:
    """What cannot be opened is said as the system says it, so that the remedy can be looked up."""
    part = writer(tmp_path / "missing" / "x.parquet", "geo", row_group_rows=10)
    part.write(make_rows("geo", 2))
    with pytest.raises(FileNotFoundError) as caught:
        part.end_row_group()
    part.abandon()
    assert caught.value.errno == errno.ENOENT


@every_writer
def test_a_file_is_never_written_over(tmp_path: Path, writer: WriterKind) -> None:
    """A name that is taken is an error, not a loss."""
    (tmp_path / "x.parquet").write_bytes(b"mine")
    part = writer(tmp_path / "x.parquet", "geo", row_group_rows=10)
    part.write(make_rows("geo", 2))
    with pytest.raises(FileExistsError):
        part.close()
    assert (tmp_path / "x.parquet").read_bytes() == b"mine"


@every_writer
def test_a_closed_file_takes_no_more(tmp_path: Path, writer: WriterKind) -> None:
    """Closing again is nothing; writing then is an error."""
    part = writer(tmp_path / "x.parquet", "geo", row_group_rows=10)
    part.write(make_rows("geo", 2))
    part.close()
    part.close()
    with pytest.raises(OSError, match="the file is closed"):
        part.write(make_rows("geo", 2))
    assert pq.read_metadata(tmp_path / "x.parquet").num_rows == 2


@needs_native
def test_arrays_that_are_not_of_the_schema_are_an_error_and_no_crash(tmp_path: Path) -> None:
    """The border to Rust looks at what it is given, whoever calls it."""
    part = NativePart(tmp_path / "x.parquet", "geo", row_group_rows=10)
    with pytest.raises(OSError, match=r"."):
        part.write(make_rows("navigation", 2))
    empty = part._room()
    with pytest.raises(OSError, match=r"."):
        part._file.write(empty)


@every_writer
def test_a_file_is_open_only_while_it_is_written(tmp_path: Path, writer: WriterKind) -> None:
    """Unfinished files take no file descriptors, however many there are, and what follows is appended."""
    before = open_files()
    parts = [writer(tmp_path / f"{number}", "geo", row_group_rows=10) for number in range(5)]
    for part in parts:
        part.write(make_rows("geo", 12))
        part.end_row_group()
        part.write(make_rows("geo", 3, seed=1))
    assert open_files() == before
    for part in parts:
        part.close()
    assert open_files() == before
    assert [row_group_rows(tmp_path / f"{number}") for number in range(5)] == [[10, 2, 3]] * 5


def row_group_rows(path: Path) -> list[int]:
    """The rows of each row group of a file."""
    footer = pq.read_metadata(path)
    return [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]


def open_files() -> int:
    """The number of files that this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


@every_writer
def test_an_abandoned_file_is_not_written(tmp_path: Path, writer: WriterKind) -> None:
    """What is given up before its first row group ends leaves nothing, also when it is freed."""
    part = writer(tmp_path / "x.parquet", "geo", row_group_rows=10)
    part.write(make_rows("geo", 2))
    part.abandon()
    del part
    gc.collect()
    assert list(tmp_path.iterdir()) == []


@every_writer
@pytest.mark.parametrize("table", TABLES)
def test_a_row_group_grows_until_it_ends(tmp_path: Path, writer: WriterKind, table: str) -> None:
    """An unfinished file says what memory its row group takes, which grows with its rows, and is freed at its end."""
    part = writer(tmp_path / "x.parquet", table, row_group_rows=1000)
    first, more = (part.write(make_rows(table, 100, seed=seed)) for seed in range(2))
    assert 0 < first.pending < more.pending
    assert (first.row_groups, more.row_groups, more.bytes) == (0, 0, 0)
    packed = part.pack()
    assert 0 < packed.packed < more.pending
    assert (packed.pending, part.pack()) == (0, packed)
    ended = part.end_row_group()
    assert (ended.pending, ended.packed, ended.row_groups) == (0, 0, 1)
    assert 0 < ended.bytes < part.close().bytes


@every_writer
@pytest.mark.parametrize("table", TABLES)
@settings(max_examples=scaled(60, 6), deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.lists(st.integers(0, 40) | st.just("pack"), min_size=1, max_size=6))
def test_packed_rows_are_written_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, writer: WriterKind, table: str, seed: int, steps: list[int | str]
) -> None:
    """Values, nulls and empty lists survive, whatever is packed, across the border of a row group, in their order."""
    path = tmp_path_factory.mktemp("part") / "x.parquet"
    part, batches = writer(path, table, row_group_rows=25), []
    for at, step in enumerate(steps):
        if isinstance(step, str):
            part.pack()
        else:
            batches.append(make_rows(table, step + 2, seed=seed + at).slice(2))
            part.write(batches[-1])
    part.pack()
    part.close()
    found = pq.read_table(path, partitioning=None)
    found.validate(full=True)
    expected = pa.Table.from_batches(batches, schema=TABLES[table].schema)
    assert found.num_rows == expected.num_rows
    assert repr(found.to_pylist()) == repr(expected.to_pylist())
    assert all(rows == 25 for rows in row_group_rows(path)[:-1])

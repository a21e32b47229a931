"""Rows are sorted by visit and time within a memory budget, and written to few files with row groups of equal size."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.helpers import make_rows
from wsparquet.errors import DatasetError
from wsparquet.parquet import sorting
from wsparquet.parquet.file import NativePart, PyarrowPart, WriterKind, best_writer
from wsparquet.parquet.row_days import row_times
from wsparquet.parquet.settings import file_schema
from wsparquet.parquet.sorting import SortedFile, Sorting, write_sorted

LARGE = 1 << 40


def batches(table: str, count: int, rows: int) -> Iterator[pa.RecordBatch]:
    """Batches whose visits are spread over all of them; some rows have neither a visit nor a time."""
    chance = random.Random(count)
    for number in range(count):
        batch = make_rows(table, rows, seed=number)
        visits = [chance.choice([None, "", "é", "z" * 40, f"{chance.randrange(50):03}"]) for _ in range(rows)]
        yield pa.RecordBatch.from_arrays([pa.array(visits, pa.string()), *batch.columns[1:]], schema=file_schema(table))


def written(folder: Path, table: str = "navigation", *, rows: int = 600, **changes: Any) -> list[SortedFile]:
    """The files of 600 rows."""
    folder.mkdir()
    order = Sorting(**{"rows": rows, "target_bytes": LARGE, "memory": LARGE, **changes})
    return write_sorted(table, batches(table, 20, 30), folder, order)


def rows_of(files: list[SortedFile]) -> list[dict[str, Any]]:
    """All rows of files, in order."""
    return [row for file in files for row in pq.ParquetFile(file.file).read().to_pylist()]


def order_of(table: str, files: list[SortedFile]) -> list[tuple[Any, ...]]:
    """The keys by which rows should be in order; nulls come last."""
    keys = []
    for file in files:
        for batch in pq.ParquetFile(file.file).iter_batches():
            for row, time in zip(batch.to_pylist(), row_times(table, batch).to_pylist(), strict=True):
                visit = row["visitId"]
                where = (row["source_file"], row["record_number"])
                keys.append((visit is None, (visit or "").encode(), time is None, time or 0, *where))
    return keys


@pytest.mark.parametrize("table", ["geo", "navigation", "engagement_attributes", "unrecognized"])
def test_rows_are_sorted_by_visit_and_time_and_none_is_lost(tmp_path: Path, table: str) -> None:
    """The rows are those that were given, in the order of visits, then of times, then of sources."""
    files = written(tmp_path / "files", table)
    given = [row for batch in batches(table, 20, 30) for row in batch.to_pylist()]
    found = rows_of(files)
    assert len(files) == 1
    assert len(found) == len(given) == 600
    assert sorted(map(repr, found)) == sorted(map(repr, given))
    keys = order_of(table, files)
    assert keys == sorted(keys)


def test_a_small_budget_gives_the_same_rows_in_the_same_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spilled to many runs, which are merged in several passes, the rows are as if they had fit into memory."""
    monkeypatch.setattr(sorting, "PAGE_BYTES", 2_000)
    spilled: list[int] = []
    merge = sorting._merge

    def watched(paths: list[Path]) -> Iterator[pa.Table]:
        spilled.append(len(paths))
        yield from merge(paths)

    monkeypatch.setattr(sorting, "_merge", watched)
    small = written(tmp_path / "small", memory=12_000)
    assert len(spilled) > 2
    assert max(spilled) <= 3
    assert rows_of(small) == rows_of(written(tmp_path / "large"))
    assert not list((tmp_path / "small").glob("*.run"))


def test_a_file_ends_at_the_target_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a file has the target size, the next row group goes to another one; facts are those of the footers."""
    monkeypatch.setattr(sorting, "ROW_GROUP_ROWS", 60)
    whole = written(tmp_path / "whole")
    # A writer may hold some KB that are not in the file yet.
    files = written(tmp_path / "parts", target_bytes=20_000)
    assert len(files) > 1
    assert all(file.facts.bytes > 20_000 for file in files[:-1])
    assert all(pq.read_metadata(file.file).num_row_groups < 10 for file in files)
    assert rows_of(files) == rows_of(whole)
    for file in files:
        assert file.facts.rows == pq.read_metadata(file.file).num_rows
        assert file.facts.bytes == file.file.stat().st_size


@pytest.mark.parametrize(("rows", "groups"), [(600, [100] * 6), (0, [100] * 6)])
def test_row_groups_have_equal_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, groups: list[int]
) -> None:
    """The expected number of rows decides; more rows than expected fill further row groups."""
    monkeypatch.setattr(sorting, "ROW_GROUP_ROWS", 100)
    (file,) = written(tmp_path / "files", rows=rows)
    footer = pq.read_metadata(file.file)
    assert [footer.row_group(index).num_rows for index in range(footer.num_row_groups)] == groups


def test_row_groups_stay_within_the_budget(tmp_path: Path) -> None:
    """A row group has no more than a quarter of the budget, as Arrow data, and all have about as many rows."""
    (file,) = written(tmp_path / "files", memory=200_000)
    with pq.ParquetFile(file.file) as opened:
        sizes = [opened.read_row_group(index).nbytes for index in range(opened.num_row_groups)]
        rows = [opened.metadata.row_group(index).num_rows for index in range(opened.num_row_groups)]
    assert len(sizes) > 1
    assert max(sizes) < 100_000
    assert max(rows) - min(rows) < 5 + len(rows)


@pytest.mark.parametrize("writer", [NativePart, PyarrowPart])
def test_visits_and_visitors_have_bloom_filters(tmp_path: Path, writer: WriterKind) -> None:
    """DuckDB excludes a row group by the filter of a visitor that it does not have, and reads one that it has."""
    if writer is NativePart and best_writer() is PyarrowPart:
        pytest.skip("this installation lacks the native writer")
    order = Sorting(rows=30, target_bytes=LARGE, memory=LARGE)
    (file,) = write_sorted("geo", batches("geo", 1, 30), tmp_path, order, writer=writer)
    rows = pq.ParquetFile(file.file).read()
    for column in ("visitId", "visitorId"):
        present = next(value for value in rows.column(column).to_pylist() if value)
        for value, excluded in ((present, False), ("no such visit", True)):
            query = "SELECT bloom_filter_excludes FROM parquet_bloom_probe(?, ?, ?)"
            assert duckdb.execute(query, [str(file.file), column, value]).fetchall() == [(excluded,)]


def test_files_of_sources_have_no_bloom_filters(tmp_path: Path) -> None:
    """Files that are merged later would only become larger by them."""
    part = best_writer()(tmp_path / "a.parquet", "geo", row_group_rows=100)
    part.write(next(batches("geo", 1, 10)))
    part.close()
    query = "SELECT count(bloom_filter_offset) FROM parquet_metadata(?)"
    assert duckdb.execute(query, [str(tmp_path / "a.parquet")]).fetchall() == [(0,)]


def test_no_rows_make_no_file(tmp_path: Path) -> None:
    """Without rows there is nothing to write."""
    assert write_sorted("geo", iter(()), tmp_path, Sorting(rows=0, target_bytes=LARGE, memory=LARGE)) == []


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """The error names the folder."""
    with pytest.raises(DatasetError, match=r"cannot merge files in .*missing"):
        write_sorted("geo", batches("geo", 1, 3), tmp_path / "missing", Sorting(3, LARGE, LARGE))

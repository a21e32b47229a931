"""wsparquet/parquet/writers.py: buffers and open files within bounds, whoever writes them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.helpers import DAY, START, make_rows
from tests.parquet.writers import WRITERS
from wsparquet.errors import DatasetError
from wsparquet.parquet.file import WriterKind, time_range
from wsparquet.parquet.settings import WriterLimits, own_timestamps
from wsparquet.parquet.writers import WriterPool, Writers, WrittenPart
from wsparquet.schema import TABLES

TINY = WriterLimits(buffered=30_000, open_files=3)


@pytest.fixture(params=WRITERS)
def writer(request: pytest.FixtureRequest) -> WriterKind:
    """Every writer that there is here."""
    kind: WriterKind = request.param
    return kind


def session(number: int, *, day: int) -> dict[str, object]:
    """A row of session_info on some day."""
    return {"record_number": number, "sessionStartTime": (START + day * DAY) * 1000}


def sessions(numbers: Iterable[int], *, days: int) -> pa.RecordBatch:
    """Rows of session_info that go round the days."""
    rows = [session(number, day=number % days) for number in numbers]
    return pa.RecordBatch.from_pylist(rows, schema=TABLES["session_info"].schema)


def rows_without_day(count: int) -> pa.RecordBatch:
    """Rows of one partition, larger than those of the other tests."""
    rows = [{"record_number": number, "record": "x" * 100} for number in range(count)]
    return pa.RecordBatch.from_pylist(rows, schema=TABLES["unrecognized"].schema)


def numbers_by_day(parts: Iterable[WrittenPart]) -> dict[str, list[int]]:
    """The record numbers in the files of each day, in the order of the files."""
    found: dict[str, list[int]] = {}
    for part in sorted(parts, key=lambda part: part.number):
        numbers: list[Any] = pq.ParquetFile(part.file).read(["record_number"])["record_number"].to_pylist()
        assert len(numbers) == part.facts.rows
        found.setdefault(str(part.day), []).extend(numbers)
    return found


def test_more_days_than_open_files_lose_no_row_and_no_order(tmp_path: Path, writer: WriterKind) -> None:
    """With room for three files and little memory, rows of 20 days come out whole and in order, in several parts."""
    pool = WriterPool(TINY, writer=writer)
    writers = Writers(tmp_path, fallback_day_ms=None, pool=pool)
    for start in range(0, 200, 20):
        writers.write("session_info", sessions(range(start, start + 20), days=20))
        assert pool.buffered <= TINY.buffered
        assert pool.open_files <= TINY.open_files
    parts = writers.close()
    assert sum(part.facts.rows for part in parts) == 200
    assert len(parts) > 20
    found = numbers_by_day(parts)
    assert len(found) == 20
    for numbers in found.values():
        assert numbers == sorted(numbers)
    assert (pool.buffered, pool.open_files) == (0, 0)


def test_rows_within_the_budget_become_one_part_with_one_row_group(tmp_path: Path, writer: WriterKind) -> None:
    """However many batches a table and day has, nothing is written before it must be."""
    writers = Writers(tmp_path, fallback_day_ms=None, pool=WriterPool(writer=writer))
    for number in range(50):
        writers.write("session_info", sessions([number], days=1))
    assert list(tmp_path.iterdir()) == []
    (part,) = writers.close()
    assert (part.facts.rows, pq.read_metadata(part.file).num_row_groups) == (50, 1)


def test_row_groups_have_a_greatest_size(tmp_path: Path, writer: WriterKind) -> None:
    """A row group ends at the limit, its rows go on in the next one."""
    writers = Writers(tmp_path, fallback_day_ms=None, pool=WriterPool(WriterLimits(row_group_rows=7), writer=writer))
    writers.write("session_info", sessions(range(20), days=1))
    (part,) = writers.close()
    footer = pq.read_metadata(part.file)
    assert [footer.row_group(group).num_rows for group in range(footer.num_row_groups)] == [7, 7, 6]


def test_the_largest_buffer_is_written_first(tmp_path: Path, writer: WriterKind) -> None:
    """Over the budget, the buffer that frees most goes, the others wait."""
    pool = WriterPool(WriterLimits(buffered=60_000), writer=writer)
    writers = Writers(tmp_path, fallback_day_ms=None, pool=pool)
    writers.write("session_info", sessions([0], days=1))
    while not list(tmp_path.iterdir()):
        writers.write("geo", make_rows("geo", 100))
    writers.discard()
    assert {part.name for part in tmp_path.iterdir()} >= {"0.part"}
    assert pq.read_schema(tmp_path / "0.part").names == TABLES["geo"].schema.names


def test_attempts_in_many_threads_share_a_pool(tmp_path: Path, writer: WriterKind) -> None:
    """Threads that write each other's buffers all end with exactly their own rows, in order."""
    pool = WriterPool(TINY, writer=writer)
    barrier = threading.Barrier(4)

    def run(index: int) -> dict[str, list[int]]:
        folder = tmp_path / str(index)
        folder.mkdir()
        writers = Writers(folder, fallback_day_ms=None, pool=pool)
        barrier.wait()
        first = index * 1000
        for start in range(first, first + 150, 15):
            writers.write("session_info", sessions(range(start, start + 15), days=7))
        return numbers_by_day(writers.close())

    with ThreadPoolExecutor(4) as threads:
        for index, found in enumerate(threads.map(run, range(4))):
            numbers = [number for day in found.values() for number in day]
            assert sorted(numbers) == list(range(index * 1000, index * 1000 + 150))
            assert all(day == sorted(day) for day in found.values())
    assert (pool.buffered, pool.open_files) == (0, 0)


def test_an_error_goes_to_the_attempt_that_it_belongs_to(tmp_path: Path, writer: WriterKind) -> None:
    """Who writes another's buffer to a bad place goes on; the other one is told at its next step."""
    pool = WriterPool(WriterLimits(buffered=50_000), writer=writer)
    unlucky = Writers(tmp_path / "missing", fallback_day_ms=None, pool=pool)
    unlucky.write("unrecognized", rows_without_day(200))
    lucky = Writers(tmp_path, fallback_day_ms=None, pool=pool)
    for number in range(100):
        lucky.write("session_info", sessions([number], days=1))
    assert sum(part.facts.rows for part in lucky.close()) == 100
    with pytest.raises(DatasetError, match=r"cannot write .*missing.*No such file"):
        unlucky.close()
    with pytest.raises(DatasetError, match="cannot write"):
        unlucky.write("geo", make_rows("geo", 1))
    unlucky.discard()
    assert (pool.buffered, pool.open_files) == (0, 0)


def test_a_discarded_attempt_frees_its_budget(tmp_path: Path, writer: WriterKind) -> None:
    """What is given up weighs no more on others."""
    pool = WriterPool(WriterLimits(open_files=2, buffered=20_000), writer=writer)
    writers = Writers(tmp_path, fallback_day_ms=None, pool=pool)
    writers.write("session_info", sessions(range(100), days=20))
    assert pool.open_files > 0
    writers.discard()
    assert (pool.buffered, pool.open_files) == (0, 0)


@pytest.mark.parametrize("table", TABLES)
def test_a_part_tells_the_time_range_of_its_own_timestamps(tmp_path: Path, writer: WriterKind, table: str) -> None:
    """The range has the and the latest own timestamp; a table without timestamps has none."""
    writers = Writers(tmp_path, fallback_day_ms=START, pool=WriterPool(writer=writer))
    batch = make_rows(table, 60)
    writers.write(table, batch)
    parts = writers.close()
    own = [name for name in batch.schema.names if name != "metaData"]
    times = [time for name in own for value in batch.column(name).to_pylist() for time in microseconds(value)]
    lows = [part.facts.min_time for part in parts if part.facts.min_time is not None]
    highs = [part.facts.max_time for part in parts if part.facts.max_time is not None]
    assert min(lows, default=None) == (min(times) // 1000 if times else None)
    assert max(highs, default=None) == (-(-max(times) // 1000) if times else None)


def test_the_facts_of_a_part_are_those_of_its_file(tmp_path: Path, writer: WriterKind) -> None:
    """Rows and times agree with the footer, size and checksum with the bytes: over row groups, files, and no rows."""
    pool = WriterPool(WriterLimits(row_group_rows=7, buffered=100_000), writer=writer)
    writers = Writers(tmp_path, fallback_day_ms=START, pool=pool)
    for number, table in enumerate(list(TABLES) * 3):
        writers.write(table, make_rows(table, 20, seed=number))
    empty = writer(tmp_path / "empty", "geo", row_group_rows=7)
    found = [(part.file, part.table, part.facts) for part in writers.close()]
    found.append((tmp_path / "empty", "geo", empty.close()))
    assert len(found) > len(TABLES)
    assert empty.close() == found[-1][2]
    for file, table, facts in found:
        footer, data = pq.read_metadata(file), file.read_bytes()
        times = time_range(footer, table)
        assert facts == (footer.num_rows, len(data), *times, hashlib.sha256(data).hexdigest())
        assert (None in times) == (not own_timestamps(table) or footer.num_rows == 0)


def microseconds(value: object) -> list[int]:
    """Every timestamp in a value, in microseconds since 1970."""
    if isinstance(value, dict | list):
        children = value.values() if isinstance(value, dict) else value
        return [found for child in children for found in microseconds(child)]
    return [round(value.timestamp() * 1_000_000)] if hasattr(value, "timestamp") else []


def test_a_batch_of_another_schema_is_refused(tmp_path: Path, writer: WriterKind) -> None:
    """A column too few is no row lost but an error."""
    writers = Writers(tmp_path, fallback_day_ms=None, pool=WriterPool(writer=writer))
    batch = make_rows("geo", 1)
    with pytest.raises(DatasetError, match="table geo: expected batches of"):
        writers.write("geo", batch.select(batch.schema.names[:-1]))


def test_batches_with_and_without_doc_texts_go_together(tmp_path: Path, writer: WriterKind) -> None:
    """Metadata of fields makes no difference between decoders."""
    writers = Writers(tmp_path, fallback_day_ms=None, pool=WriterPool(writer=writer))
    batch = sessions(range(3), days=1)
    writers.write("session_info", batch)
    bare = pa.schema([field.remove_metadata() for field in batch.schema])
    writers.write("session_info", pa.RecordBatch.from_arrays(batch.columns, schema=bare))
    (part,) = writers.close()
    assert part.facts.rows == 6

"""wsparquet/parquet/writers.py: unfinished files within bounds, whoever writes them."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
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
from wsparquet.schema.fields import EPOCH

START_DAY = EPOCH + timedelta(milliseconds=START)
TINY = WriterLimits(memory=30_000, partitions=3)


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
        assert pool.taken <= TINY.memory
        assert pool.unfinished <= TINY.partitions
    parts = writers.close()
    assert sum(part.facts.rows for part in parts) == 200
    assert len(parts) > 20
    found = numbers_by_day(parts)
    assert len(found) == 20
    for numbers in found.values():
        assert numbers == sorted(numbers)
    assert (pool.taken, pool.unfinished) == (0, 0)


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


def test_the_largest_row_group_ends_first(tmp_path: Path, writer: WriterKind) -> None:
    """Over the budget, the row group that frees most goes, the others wait."""
    pool = WriterPool(WriterLimits(memory=1_000_000), writer=writer)
    writers = Writers(tmp_path, fallback_day_ms=None, pool=pool)
    writers.write("session_info", sessions([0], days=1))
    for seed in itertools.count():
        writers.write("unrecognized", make_rows("unrecognized", 1_000, seed=seed))
        if written := [path.name for path in tmp_path.iterdir()]:
            break
    parts = writers.close()
    assert [part.file.name for part in parts if part.table == "session_info"] not in [[], written]
    assert written[0] in [part.file.name for part in parts if part.table == "unrecognized"]


def test_row_groups_that_memory_ends_are_about_equally_large(tmp_path: Path, writer: WriterKind) -> None:
    """Partitions that grow side by side end their row groups at about the same size, but for the last ones."""
    pool = WriterPool(WriterLimits(memory=1_000_000), writer=writer)
    writers = Writers(tmp_path, fallback_day_ms=None, pool=pool)
    for number in range(60):
        for day in range(2):
            rows = make_rows("unrecognized", 500, seed=number)
            writers.write_day("unrecognized", START_DAY + timedelta(day), rows)
            assert pool.taken <= pool.limits.memory
    for part in writers.close():
        footer = pq.read_metadata(part.file)
        *full, _last = [footer.row_group(group).total_byte_size for group in range(footer.num_row_groups)]
        assert len(full) > 1
        assert max(full) <= 2 * min(full)


def test_a_file_of_the_greatest_size_is_followed_by_another(tmp_path: Path, writer: WriterKind) -> None:
    """A file that reaches the limit is closed; no row is lost at the border."""
    limits = WriterLimits(file_bytes=3_000, row_group_rows=100)
    writers = Writers(tmp_path, fallback_day_ms=None, pool=WriterPool(limits, writer=writer))
    for start in range(0, 2_000, 50):
        writers.write("session_info", sessions(range(start, start + 50), days=1))
    parts = writers.close()
    assert len(parts) > 2
    assert numbers_by_day(parts) == {str(parts[0].day): list(range(2_000))}
    assert WriterLimits().file_bytes == 512 << 20


def test_the_least_recently_used_file_is_closed(tmp_path: Path, writer: WriterKind) -> None:
    """With more days than unfinished files, the day that comes again and again keeps its one file."""
    pool = WriterPool(WriterLimits(partitions=2), writer=writer)
    writers = Writers(tmp_path, fallback_day_ms=None, pool=pool)
    for day in range(1, 20):
        writers.write_day("session_info", START_DAY, sessions([0], days=1))
        writers.write_day("session_info", START_DAY + timedelta(day), sessions([day], days=1))
        assert pool.unfinished <= 2
    parts = writers.close()
    assert [part.facts.rows for part in parts if part.day == START_DAY] == [19]
    assert len(parts) == 20


def test_attempts_in_many_threads_share_a_pool(tmp_path: Path, writer: WriterKind) -> None:
    """Threads that end each other's row groups all end with exactly their own rows, in order."""
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
    assert (pool.taken, pool.unfinished) == (0, 0)


def test_an_error_goes_to_the_attempt_that_it_belongs_to(tmp_path: Path, writer: WriterKind) -> None:
    """Who writes another's row group to a bad place goes on; the other one is told at its next step."""
    pool = WriterPool(WriterLimits(memory=50_000), writer=writer)
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
    assert (pool.taken, pool.unfinished) == (0, 0)


def test_a_discarded_attempt_frees_its_budget(tmp_path: Path, writer: WriterKind) -> None:
    """What is given up weighs no more on others."""
    pool = WriterPool(WriterLimits(partitions=2, memory=2_000_000), writer=writer)
    writers = Writers(tmp_path, fallback_day_ms=None, pool=pool)
    writers.write("session_info", sessions(range(100), days=20))
    assert pool.unfinished > 0
    writers.discard()
    assert (pool.taken, pool.unfinished) == (0, 0)


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
    pool = WriterPool(WriterLimits(row_group_rows=7, memory=300_000), writer=writer)
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
        assert own_timestamps(table) or None in times
    assert any(facts.min_time is not None for _, _, facts in found)


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

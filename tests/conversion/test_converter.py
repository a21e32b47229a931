"""A single source with jobs to spare: decoded in one thread, written in another, with nothing else different."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import wsparquet
from tests.dataset.helpers import data_files
from tests.support.at_rest import assert_at_rest
from wsparquet import ConvertOptions, Limits, Progress, Summary
from wsparquet.generate import GenerateOptions, generate

# Small batches, so that many pieces pass from thread to thread.
LIMITS = Limits(batch_bytes=1 << 10)
SECONDS = 60


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of several chunks."""
    return generate(tmp_path_factory.mktemp("in"), GenerateOptions(size=4_000_000, seed=3))[0]


def convert(source: Path, to: Path, *, jobs: int = 4, **options: object) -> Summary:
    """A conversion of one source that writes in a thread of its own, unless there is one job only."""
    return wsparquet.convert(source, to, options=ConvertOptions(jobs=jobs, limits=LIMITS, **options))  # type: ignore[arg-type]


def tables(root: Path) -> dict[str, pa.Table]:
    """Each table's rows in the order of its files and of the rows in them."""
    paths: dict[str, list[str]] = {}
    for path in data_files(root):
        paths.setdefault(path.split("/")[0], []).append(path)
    return {
        table: pa.concat_tables(
            pq.ParquetFile(root / path).read() for path in sorted(found, key=lambda path: int(path.split(".")[-2]))
        )
        for table, found in paths.items()
    }


def assert_nothing_left(root: Path) -> None:
    """No part, nothing half done, and no thread at work."""
    assert data_files(root) == []
    assert_at_rest(root)
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("wsparquet")] == []


def test_two_threads_write_what_one_writes(source: Path, tmp_path: Path) -> None:
    """The same rows in the same order, the same counts."""
    one, two = (convert(source, tmp_path / str(jobs), jobs=jobs) for jobs in (1, 2))
    assert one.rows == two.rows
    assert one.records == two.records == sum(two.rows.values())
    first, second = tables(tmp_path / "1"), tables(tmp_path / "2")
    assert sum(table.num_rows for table in second.values()) == two.records
    assert first.keys() == second.keys()
    for name, table in first.items():
        assert table.equals(second[name]), name
    assert_at_rest(tmp_path / "2")


def test_decoding_runs_in_a_thread_of_its_own_only_with_jobs_to_spare(source: Path, tmp_path: Path) -> None:
    """One source and two jobs: a thread more; one source and one job: none."""
    for jobs, expected in ((1, set()), (2, {"wsparquet-ahead_0"})):
        seen: set[str] = set()

        def look(_: Progress, seen: set[str] = seen) -> None:
            seen.update(thread.name for thread in threading.enumerate() if "ahead" in thread.name)

        options = ConvertOptions(jobs=jobs)
        wsparquet.convert(source, tmp_path / f"{jobs}", options=options, on_progress=look)
        assert seen == expected


def test_a_fault_of_inflating_fails_the_source(source: Path, tmp_path: Path) -> None:
    """Bytes that are cut off are found behind rows that were written already; none of them stays."""
    cut = tmp_path / "cut.gz"
    cut.write_bytes(source.read_bytes()[:-20_000])
    (failure,) = convert(cut, tmp_path / "lake").failures
    assert "truncated" in failure.error
    assert_nothing_left(tmp_path / "lake")


def test_a_fault_of_decoding_fails_the_source(source: Path, tmp_path: Path) -> None:
    """A container of another type behind good ones is found; nothing of the good ones stays."""
    mixed = tmp_path / "mixed.json"
    (plain,) = generate(tmp_path / "plain", GenerateOptions(size=3_000_000, compression="none"))
    mixed.write_bytes(plain.read_bytes() + b'{"dataType": "AgentActivity", "recordCollection": []}\n')
    (failure,) = convert(mixed, tmp_path / "lake").failures
    assert "expected the data type WebSession, found text of 13 characters in container" in failure.error
    assert str(mixed) in failure.error
    assert_nothing_left(tmp_path / "lake")


def test_a_limit_that_is_passed_fails_the_source(tmp_path: Path) -> None:
    """More to quarantine than allowed is found on the way."""
    (dirty,) = generate(tmp_path / "in", GenerateOptions(size=2_000_000, compression="none"))
    with dirty.open("ab") as file:
        file.write(b"no container\n" * 3)
    (failure,) = convert(dirty, tmp_path / "lake", max_quarantined=0).failures
    assert "at most 0 records or items" in failure.error
    assert_nothing_left(tmp_path / "lake")


# The limit is set by a process that then becomes the command: no code runs between fork and exec.
LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
os.execv(sys.executable, [sys.executable, "-m", "tests.conversion.test_converter", *sys.argv[1:]])
"""


def test_a_fault_of_writing_fails_the_source(source: Path, tmp_path: Path) -> None:
    """Where the disk takes no more, decoding stops as well, and says why."""
    command = [sys.executable, "-c", LIMITED, str(source), str(tmp_path / "lake")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    assert "File too large" in done.stdout
    assert_nothing_left(tmp_path / "lake")


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_stops_all_threads(source: Path, tmp_path: Path, error: type[BaseException]) -> None:
    """What a listener raises, or Ctrl-C, reaches the caller, with nothing left and no thread at work."""

    def stop(event: Progress) -> None:
        if event.kind == "read" and event.rows:
            raise error

    options = ConvertOptions(jobs=4, limits=LIMITS)
    with pytest.raises(error) as caught:
        wsparquet.convert(source, tmp_path / "lake", options=options, on_progress=stop)
    if error is KeyboardInterrupt:
        (summary,) = caught.value.args
        assert (summary.sources, summary.not_begun, summary.failures) == (1, 1, [])
    assert_nothing_left(tmp_path / "lake")
    assert convert(source, tmp_path / "lake").committed == [source.name]


if __name__ == "__main__":
    _, given, to = sys.argv
    print(*(failure.error for failure in convert(Path(given), Path(to)).failures))

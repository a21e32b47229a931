"""Two compactors beside runs that convert, replace and remove: with real processes, kills, and a faulty store."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import wsparquet
from tests.cli.program import PROGRAM, api_environment
from tests.commit import workload
from tests.commit.test_kills import rows_of
from tests.scale import FULL, scaled
from tests.store.s3.lake import Lake
from tests.support.at_rest import assert_at_rest
from tests.synchronisation.lake import ACCOUNT, server, still
from tests.synchronisation.test_kills import wait_for_commits
from tools.s3.proxy import Proxy
from wsparquet.commit import CommitConflict
from wsparquet.compaction import CompactOptions, compact_root
from wsparquet.generate import GenerateOptions, generate
from wsparquet.layout import Identity
from wsparquet.schema import TABLES


@pytest.fixture
def lake(bucket: Lake) -> Lake:
    """A root in a bucket of its own."""
    return bucket


OPTIONS = CompactOptions(min_files=2, older_than=timedelta(0))


def run(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A command in a process of its own."""
    command = [str(PROGRAM), *map(str, arguments)]
    environment = {**os.environ, **env} if env else None
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def committed_rows(lake: Path | str, **given: Any) -> dict[str, Counter[str]]:
    """The rows that count, as text."""
    opened = wsparquet.open_dataset(lake, **given)
    return {table: Counter(map(repr, opened.table(table).to_table().to_pylist())) for table in TABLES}


def folder_rows(lake: Path) -> dict[str, int]:
    """The number of rows in each table's folder."""
    return {
        table: sum(pq.read_metadata(path).num_rows for path in lake.glob(f"record_type={table}/*/*.parquet"))
        for table in TABLES
    }


@pytest.mark.long
def test_processes_that_are_killed_end_with_the_same_rows(tmp_path: Path) -> None:
    """Compactors and converters at once, killed at random moments; then one run of each ends right."""
    chance = random.Random(20160630)
    raw, lake = tmp_path / "raw", tmp_path / "lake"
    generate(raw, GenerateOptions(files=6, size=30_000, defects=True))
    wsparquet.convert(raw, to=lake)
    expected = committed_rows(lake)
    one = next(raw.iterdir())
    commands: Sequence[Sequence[object]] = [
        ("compact", lake, "--min-files", 2),
        ("compact", lake, "--min-files", 2, "--jobs", 2),
        ("convert", one, "--to", lake, "--again"),
        ("convert", raw, "--to", lake, "--again", "--compact"),
    ]
    for _ in range(scaled(25, 3)):
        processes = [run(*command) for command in commands]
        time.sleep(chance.uniform(0.3, 2.0))
        for process in processes:
            if chance.random() < 0.5:
                process.kill()
        for process in processes:
            process.wait()
        assert committed_rows(lake) == expected
    assert run("compact", lake, "--min-files", 2).wait() == 0
    assert committed_rows(lake) == expected
    assert folder_rows(lake) == {table: rows.total() for table, rows in expected.items()}
    wsparquet.verify(lake, against=raw).raise_for_failures()
    assert_at_rest(lake)


@pytest.mark.skipif(not FULL, reason="ten seconds; part of make test-full")
@pytest.mark.long
def test_a_synchronisation_beside_compactors_that_are_killed(tmp_path: Path) -> None:
    """A sync commits files while compactors merge those that are there; some of all of them are killed."""
    chance = random.Random(20160701)
    # The server's files are those of its last hours. Their days have not ended, so they are asked for by date.
    days = [datetime.fromtimestamp(still() - seconds, UTC).date() for seconds in (0, 86_400)]
    undisturbed, lake = tmp_path / "undisturbed", tmp_path / "lake"
    with server(hours=24, size=20_000, latency_seconds=0.1) as emulator:
        env = api_environment(emulator)
        sync = ("sync", "--account", ACCOUNT, "--pause", "0.01")
        compact = ("compact", lake, "--min-files", 2, *(option for day in days for option in ("--date", day)))
        assert run(*sync, "--to", undisturbed, env=env).wait() == 0
        expected, ended = committed_rows(undisturbed), 0
        for _ in range(6):
            synchronising = run(*sync, "--to", lake, env=env)
            wait_for_commits(lake, 2, synchronising)
            for number in range(4):
                compacting = run(*compact)
                if number % 2 == 0:
                    time.sleep(chance.uniform(0.3, 1.0))
                    compacting.kill()
                ended += compacting.wait() == 0
            synchronising.kill()
            synchronising.wait()
        assert ended
        assert run(*sync, "--to", lake, "--compact", env=env).wait() == 0
    assert run(*compact).wait() == 0
    assert committed_rows(lake) == expected
    assert folder_rows(lake) == {table: rows.total() for table, rows in expected.items()}
    wsparquet.verify(lake).raise_for_failures()
    assert_at_rest(lake)
    assert list((lake / "_wsparquet/days").rglob("*.json"))


def test_compactors_and_writers_on_a_faulty_store(lake: Lake, proxy: Proxy) -> None:
    """Two compactors, a writer that replaces one source again and again, and one that adds others."""
    identity = Identity("75555851", "changing")
    for seed in (50, 51):
        workload.commit_one(lake.open(), Identity("75555851", f"fixed {seed}"), seed)
    proxy.settings.probability, proxy.settings.stall_seconds = 0.05, 0.05
    rounds = scaled(8, 2)

    def compactor(_: int) -> None:
        for _ in range(rounds):
            compact_root(lake.open(), OPTIONS)

    def changer(first: int) -> None:
        for number in range(rounds):
            root = lake.open()
            with suppress(CommitConflict):
                workload.commit_one(root, identity, first + number)
            root.settle(root.commits())

    def adder(first: int) -> None:
        for number in range(rounds):
            workload.commit_one(lake.open(), Identity("75555851", f"added {number}"), first + number)

    with ThreadPoolExecutor(4) as pool:
        works = [(compactor, 0), (compactor, 1), (changer, 100), (adder, 200)]
        for done in [pool.submit(work, first) for work, first in works]:
            done.result()
    proxy.settings.probability = 0.0
    compact_root(lake.open(), OPTIONS)
    added = range(200, 200 + rounds)
    assert lake.rows() == rows_of(50, 51, 100 + rounds - 1, *added)
    lake.assert_at_rest()


@pytest.mark.skipif(not FULL, reason="twenty seconds; part of make test-full")
def test_compactors_and_writers_of_a_bucket_that_are_killed(lake: Lake, proxy: Proxy, tmp_path: Path) -> None:
    """Processes over the faulty store, killed at random moments: rows stay as they were, and one run ends right.

    In a bucket, an attempt may be alive for a day. So what the killed ones left is deleted as if a day had passed.
    """
    chance = random.Random(20160702)
    raw = tmp_path / "raw"
    generate(raw, GenerateOptions(files=4, size=20_000))
    given: dict[str, Any] = {"storage_options": lake.past_proxy().options}
    wsparquet.convert(raw, to=lake.url, **given).raise_for_failures()
    expected = committed_rows(lake.url, **given)
    compact = ("compact", lake.url, "--min-files", 2, *lake.flags)
    commands = [compact, compact, ("convert", raw, "--to", lake.url, "--again", *lake.flags)]
    proxy.settings.probability, proxy.settings.stall_seconds = 0.05, 0.05
    killed = 0
    for _ in range(8):
        processes = [run(*command) for command in commands]
        time.sleep(chance.uniform(1.5, 4.0))
        for process in processes[:: chance.choice((1, 2))]:
            process.kill()
        killed += sum(process.wait() == -signal.SIGKILL for process in processes)
        assert committed_rows(lake.url, **given) == expected
    assert killed
    proxy.settings.probability = 0.0
    assert [run(*command).wait() for command in commands] == [0, 0, 0]
    lake.open().recover(dead_seconds=-3600)
    assert run(*compact).wait() == 0
    assert committed_rows(lake.url, **given) == expected
    assert {table: len(rows) for table, rows in lake.rows().items()} == {
        table: rows.total() for table, rows in expected.items() if rows
    }
    assert wsparquet.verify(lake.url, against=raw, **given).problems == []

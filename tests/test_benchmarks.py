"""All contenders of the benchmarks do the same job, and what they take is measured right."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import wsparquet
from benchmarks.contenders import plain_python
from benchmarks.contest import CONTENDERS, convert_once, missing
from benchmarks.data import COSTS, SETS, Data, WrongRows, check, make_data
from benchmarks.limits import missing_parser
from benchmarks.process import CommandFailed, child, measured
from benchmarks.statistic import interleaved
from tests.scale import FULL, scaled

MIB = 1 << 20
NOT_COMPARED = {"source_file", "record_number", "rescued", "date"}
# SQL takes spellings that differ in case alone for one name, so engines are given one of them.
TWO_SPELLINGS = {"customerDateOfBirth", "originatingChannel"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """A small file of each set, with different names."""
    folder = tmp_path_factory.mktemp("data")
    made = [make_data(folder / kind, files=1, size=60_000, seed=3, kind=kind) for kind in SETS]
    sources = [
        each.sources[0].rename(folder / f"WebSession.1467291600000.1467295200000.part-0000{number}-0.gz")
        for number, each in enumerate(made)
    ]
    rows = sum((Counter(each.rows) for each in made), Counter[str]())
    return Data(tuple(sources), sum(each.size for each in made), sum(each.stored for each in made), dict(rows))


def normal(value: Any, *, thin: bool) -> Any:
    """A value comparable between engines; ``thin`` where empty lists and structs of nulls cannot be told from null."""
    match value:
        case dict():
            members = {key: normal(child, thin=thin) for key, child in value.items() if key not in TWO_SPELLINGS}
            return None if thin and all(child is None for child in members.values()) else members
        case list():
            return [normal(child, thin=thin) for child in value] if value or not thin else None
        case datetime():
            return value.replace(tzinfo=None).isoformat()
        case _:
            return value


def rows(table: pa.Table, *, thin: bool) -> list[str]:
    """The rows in an order that depends on nothing but their values."""
    kept = table.drop_columns([name for name in table.column_names if name in NOT_COMPARED])
    return sorted(json.dumps(normal(row, thin=thin)) for row in kept.to_pylist())


def written(output: Path, table: str) -> pa.Table:
    """What a contender wrote of one table, without the partition columns."""
    parts = sorted((output / f"record_type={table}").rglob("*.parquet"))
    return pa.concat_tables(pq.ParquetFile(part).read() for part in parts)


def slow(contender: str) -> str | None:
    """Why a contender is left out of the quick tests."""
    return "half a minute to plan its queries; part of make test-full" if contender == "spark" and not FULL else None


@pytest.mark.parametrize("contender", CONTENDERS)
def test_a_contender_writes_the_same_rows_as_wsparquet(contender: str, data: Data, tmp_path: Path) -> None:
    """Every table has the generated counts, and every value is that which wsparquet reads."""
    if (reason := slow(contender) or missing(contender)) is not None:
        pytest.skip(f"{contender}: {reason}")

    usage = measured(child("contender", contender, tmp_path, *data.sources))

    check(tmp_path, data.rows)
    assert usage.wall > 0
    assert usage.cpu > 0
    thin = contender == "clickhouse_sql"
    expected = wsparquet.read(data.sources[0].parent)
    assert {name: table.num_rows for name, table in expected.items() if table.num_rows} == data.rows
    for name in data.rows:
        assert rows(written(tmp_path, name), thin=thin) == rows(expected[name], thin=thin), name


def test_a_contender_that_loses_rows_is_found_out(data: Data, tmp_path: Path) -> None:
    """A part taken away from a good output is an error that names expected and found rows."""
    plain_python.convert(data.sources, tmp_path)
    check(tmp_path, data.rows)
    next(tmp_path.glob("record_type=geo/**/*.parquet")).unlink()

    with pytest.raises(WrongRows, match=r"expected rows .*found"):
        check(tmp_path, data.rows)


def test_a_contender_that_fails_is_an_error_with_its_words(data: Data, tmp_path: Path) -> None:
    """A source that is not there ends the measurement, and the message says what the process said."""
    lost = Data((tmp_path / "no.gz",), data.size, data.stored, data.rows)

    with pytest.raises(CommandFailed, match=r"no\.gz"):
        convert_once("plain_python", lost, tmp_path / "output")


def test_the_peak_is_the_commands_own() -> None:
    """Memory that a command touches is in its peak, memory of the process that measures it is not."""
    held = bytearray(b"x") * (200 * MIB)

    idle = measured([sys.executable, "-c", "pass"])
    full = measured([sys.executable, "-c", f"held = bytearray(b'x') * {200 * MIB}"])

    assert len(held) == 200 * MIB
    assert idle.peak < 60 * MIB
    assert full.peak > 200 * MIB


def test_cpu_time_is_that_of_descendants_too() -> None:
    """A command that works in a process of its own is charged for it, and sleeping costs nothing."""
    work = "import time\nwhile time.process_time() < 0.3: pass"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}], check=True)"

    assert measured([sys.executable, "-c", outer]).cpu >= 0.3
    asleep = measured([sys.executable, "-c", "import time; time.sleep(0.5)"])
    assert asleep.wall >= 0.5
    assert asleep.cpu < 0.4


def test_runs_are_interleaved() -> None:
    """All names are run once before any is run again, and results stay with their names."""
    order: list[str] = []

    def named(name: str) -> str:
        order.append(name)
        return name.upper()

    found = interleaved(["a", "b"], named, runs=2)

    assert order == ["a", "b", "a", "b"]
    assert found == {"a": ["A", "A"], "b": ["B", "B"]}


PARTS = scaled(
    ("contest", "costs", "decode", "sync", "opening", "query", "compact", "publishing", "masks"),
    ("contest", "query", "compact", "masks"),
)
SIZES = {"files": 1, "size": 1, "decode": 1, "commits": 50, "sync-files": 4, "sources": 4, "runs": 1}


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What the benchmarks print at the smallest size, and their figures as JSON."""
    figures = tmp_path_factory.mktemp("suite") / "figures.json"
    command = [sys.executable, "-m", "benchmarks", *PARTS, "--contenders", "wsparquet_reference"]
    command += [f"--{name}={number}" for name, number in SIZES.items()]
    done = subprocess.run(
        [*command, "--json", str(figures)],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, json.loads(figures.read_text())


@pytest.mark.long
def test_the_suite_runs_from_end_to_end(suite: tuple[str, dict[str, Any]]) -> None:
    """One contender, the limits and the lake at the smallest size give tables, and figures as JSON."""
    printed, found = suite
    assert set(found["contest"]) == set(SETS)
    limits = {"inflate", "write"} if missing_parser() else {"inflate", "parse", "write"}
    assert "| wsparquet_reference |" in printed
    for kind in SETS:
        contest = found["contest"][kind]
        assert set(contest["limits"]) == limits
        assert all(limit["median"] > 0 for limit in contest["limits"].values())
        assert contest["results"]["wsparquet_reference"]["wall"]["median"] > 0
        assert 0 < contest["hash"]["median"] < contest["results"]["wsparquet_reference"]["cpu"]["median"]
    assert "| DuckDB: `visits` over a month |" in printed
    assert found["compact"]["sizes"]["before"]["geo"]["files"] > 0
    assert found["query"]["parts"] > 4


@pytest.mark.skipif(not FULL, reason="half a minute; part of make test-full")
def test_the_slower_parts_of_the_suite_run(suite: tuple[str, dict[str, Any]]) -> None:
    """So do the costs, the decoders, synchronization and publishing."""
    printed, found = suite
    assert set(found["costs"]) == set(COSTS)
    assert all({"reference", "reference, extended", "json.loads"} <= set(found["decode"][kind]) for kind in SETS)
    assert "| sync, from a server |" in printed
    assert "| S3 |" in printed

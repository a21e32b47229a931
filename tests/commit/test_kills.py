"""Killed at any instant, run again, run twice at once, out of space: a root always ends right."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commit import workload
from tests.dataset.helpers import IDENTITY, data_files, leftovers, make_rows, rows_on_disk
from tests.scale import scaled
from tests.support.at_rest import assert_at_rest, files_below
from wsparquet import convert
from wsparquet.dataset import Root, open_dataset
from wsparquet.generate import GenerateOptions, generate
from wsparquet.layout import Identity

REPOSITORY = Path(__file__).parents[2]

Rows = dict[str, list[dict[str, object]]]


def start(*arguments: object) -> subprocess.Popen[str]:
    """A process that works on a root."""
    command = [sys.executable, "-m", "tests.commit.workload", *map(str, arguments)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: subprocess.Popen[str]) -> None:
    """Let a process begin that is ready."""
    assert line(process) == "ready"
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def rows_of(*seeds: int) -> Rows:
    """The rows of sources with these seeds."""
    found = {
        table: [row for seed in seeds for row in make_rows(table, 12, seed=seed).to_pylist()]
        for table in workload.TABLES
    }
    return {table: sorted(rows, key=repr) for table, rows in found.items() if rows}


def committed_rows(path: Path) -> Rows:
    """The rows that count, as the dataset gives them."""
    lake = open_dataset(path)
    tables = {table: lake.table(table).to_table().drop_columns("date").to_pylist() for table in workload.TABLES}
    return {table: sorted(rows, key=repr) for table, rows in tables.items() if rows}


def template(path: Path, work: str) -> None:
    """A root as it is before the work."""
    workload.prepare(Root.open(path), work)


BEFORE = {"add": rows_of(), "redo": rows_of(1), "remove": rows_of(1), "twin": rows_of(1)}
BEFORE |= dict.fromkeys(("compact", "redo compacted", "remove compacted"), rows_of(1, 30, 31))
AFTER = {"add": rows_of(1), "redo": rows_of(2), "remove": rows_of(), "twin": rows_of(1)}
AFTER |= {"compact": rows_of(1, 30, 31), "redo compacted": rows_of(2, 30, 31), "remove compacted": rows_of(30, 31)}
STEPS = {"twin": 170, "compact": 500, "redo compacted": 400, "remove compacted": 400}
"""More steps than the work has."""
PARTS = scaled(4, 1)
"""All steps of a work take minutes, so workers share them."""


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("work", list(AFTER))
def test_killed_before_any_step_and_done_again_a_root_ends_right(tmp_path: Path, work: str, part: int) -> None:
    """Between any two changes of the disk: what counts is all old or all new, and a second run ends it."""
    template(tmp_path / "template", work)
    # More steps than the work has, so that the last ones are not killed at all.
    most = STEPS.get(work, 100)
    steps = range(1 + part, most, scaled(PARTS, most // (9 if most < 200 else 6)))
    roots = [tmp_path / str(step) for step in steps]
    for root in roots:
        shutil.copytree(tmp_path / "template", root)
    with start("steps", work, steps.start, steps.step, *roots) as process:
        outcomes = [line(process) for _ in roots]
    assert outcomes[0] == f"{steps[0]} killed"
    assert outcomes[-1] == f"{steps[-1]} 0"
    assert all(outcome.endswith((" killed", " 0")) for outcome in outcomes)
    killed = [root for root, outcome in zip(roots, outcomes, strict=True) if outcome.endswith("killed")]
    assert len(killed) >= scaled(7, 3)
    for root in roots:
        assert committed_rows(root) in (BEFORE[work], AFTER[work])
        workload.WORKS[work](Root.open(root))
        assert rows_on_disk(root) == committed_rows(root) == AFTER[work]
        assert_at_rest(root)


@pytest.mark.long
@pytest.mark.parametrize("work", [work for work in AFTER if "compact" in work])
def test_killed_before_any_step_and_one_unrelated_run_folders_count_right(tmp_path: Path, work: str) -> None:
    """The killed work is not done again: a conversion of another source leaves in the folders only rows that count."""
    template(tmp_path / "template", work)
    (source,) = generate(tmp_path / "raw", GenerateOptions(records=2, start_ms=1_467_399_600_000))
    steps = range(2, STEPS[work], scaled(4, STEPS[work] // 4))
    roots = [tmp_path / str(step) for step in steps]
    for root in roots:
        shutil.copytree(tmp_path / "template", root)
    with start("steps", work, steps.start, steps.step, *roots) as process:
        outcomes = [line(process) for _ in roots]
    assert sum(outcome.endswith("killed") for outcome in outcomes) >= scaled(40, 2)
    for root in roots:
        convert(source, to=root)
        rows = rows_on_disk(root)
        assert sum(row["source_file"] == source.name for each in rows.values() for row in each) == 2
        others = {table: [row for row in each if row["source_file"] != source.name] for table, each in rows.items()}
        assert {table: each for table, each in others.items() if each} in (BEFORE[work], AFTER[work])
        assert_at_rest(root)


def test_recovery_alone_clears_what_a_kill_left(tmp_path: Path) -> None:
    """After recovery, and before anything is done again, only files that records name are there."""
    template(tmp_path / "template", "redo")
    steps = range(1, 100, scaled(2, 16))
    roots = [tmp_path / str(step) for step in steps]
    for root in roots:
        shutil.copytree(tmp_path / "template", root)
    with start("steps", "redo", steps.start, steps.step, *roots) as process:
        assert len([line(process) for _ in roots]) == len(roots)
    dirty = 0
    for path in roots:
        dirty += bool(leftovers(path))
        Root.open(path).recover()
        assert_at_rest(path)
        assert rows_on_disk(path) in (BEFORE["redo"], AFTER["redo"])
    assert dirty >= scaled(20, 2)


def test_killed_at_random_moments_and_done_again(tmp_path: Path) -> None:
    """A run over several sources, killed again and again, ends as an undisturbed one does."""
    chance = random.Random(20160630)
    began = time.monotonic()
    with start("once", "several", tmp_path / "undisturbed") as process:
        go(process)
        working = time.monotonic()
        assert line(process) == "done"
        seconds = time.monotonic() - working
    assert rows_on_disk(tmp_path / "undisturbed") == rows_of(*range(20, 25))
    for _ in range(scaled(30, 6)):
        with start("once", "several", tmp_path / "root") as process:
            go(process)
            time.sleep(chance.uniform(0, seconds))
            process.kill()
        if chance.random() < 0.3:
            Root.open(tmp_path / "root").recover()
            assert_at_rest(tmp_path / "root")
    workload.several(Root.open(tmp_path / "root"))
    assert rows_on_disk(tmp_path / "root") == rows_on_disk(tmp_path / "undisturbed")
    assert_at_rest(tmp_path / "root")
    assert time.monotonic() - began < 300


def test_two_processes_at_one_source(tmp_path: Path) -> None:
    """Each commits again and again; at the end the rows of exactly one commit are there, whole."""
    rounds = scaled(40, 8)
    with start("race", 100, rounds, tmp_path) as one, start("race", 500, rounds, tmp_path) as other:
        for process in (one, other):
            go(process)
        for process in (one, other):
            assert line(process).startswith(f"won {rounds} lost ")
    head = Root.open(tmp_path).commits().get(IDENTITY)
    assert head is not None
    seed = int(head.checksum, 16)
    assert seed in {100 + rounds - 1, 500 + rounds - 1}
    assert rows_on_disk(tmp_path) == rows_of(seed)
    assert_at_rest(tmp_path)


@pytest.mark.parametrize("limit", [50, 1_000, 5_000, 20_000])
def test_a_full_disk_commits_nothing_and_leaves_the_root_usable(tmp_path: Path, limit: int) -> None:
    """Whichever file does not fit, quarantine, part or record: an error and no trace, and the next run succeeds."""
    workload.add(Root.open(tmp_path))
    before = list(files_below(tmp_path))
    with start("small", limit, tmp_path) as process:
        message = line(process)
    assert message.startswith("DatasetError cannot")
    assert "File too large" in message
    assert "run again" in message
    assert [path for path in files_below(tmp_path) if "/locks/" not in path] == [
        path for path in before if "/locks/" not in path
    ]
    Root.open(tmp_path).recover()
    workload.commit_one(Root.open(tmp_path), Identity("7", "too large"), 3)
    assert rows_on_disk(tmp_path) == rows_of(1, 3)
    assert_at_rest(tmp_path)
    assert len(data_files(tmp_path)) == len({*data_files(tmp_path)})

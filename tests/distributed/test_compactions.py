"""wsparquet/distributed/compactions.py: tasks in any process leave the root that one compaction leaves."""

from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.commit.workload import commit_one, prepare
from tests.dataset.helpers import IDENTITY, rows_on_disk
from tests.distributed.jobs import results, run_job
from tests.store.s3.lake import Lake
from tests.support.at_rest import assert_at_rest
from tools.s3.server import SECRET
from wsparquet import Compaction, Progress, compact, verify
from wsparquet.compaction.options import CompactKeywords
from wsparquet.dataset import Root
from wsparquet.distributed import TaskResult, plan_compact
from wsparquet.errors import DatasetError, OptionError, PlaceError
from wsparquet.layout import is_day_part_path

ALL: CompactKeywords = {"min_files": 2, "older_than": timedelta(0)}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Three sources, with rows of two tables on several days, and a copy of all that beside it."""
    prepare(Root.open(tmp_path / "lake"), "compact")
    shutil.copytree(tmp_path / "lake", tmp_path / "whole")
    return tmp_path / "lake"


def facts(found: Compaction) -> dict[str, Any]:
    """All but the place and the time."""
    return {name: value for name, value in found.to_dict().items() if name not in {"root", "seconds"}}


def files(lake: Path) -> list[tuple[str, bool]]:
    """The partition of each part, and whether it is a merged one."""
    parts = [path.relative_to(lake) for path in lake.rglob("*.parquet")]
    return sorted((str(path.parent), is_day_part_path(str(path))) for path in parts)


def test_the_root_and_the_result_are_those_of_one_compaction(lake: Path) -> None:
    """In two processes: the same rows, files and counts as `compact`, and nothing to do afterwards."""
    before = rows_on_disk(lake)
    events: list[Progress] = []
    job = plan_compact(lake, workers=2, on_progress=events.append, **ALL)
    assert len(job.tasks) > 2
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(job.work, job.tasks))
    for result in found:
        job.tell(result)
    ended = job.finish(found)
    whole = compact(lake.with_name("whole"), **ALL)
    assert (ended.days, facts(ended)) == (whole.days, facts(whole))
    assert ended.days == sum(event.kind == "committed" for event in events) > 2
    assert rows_on_disk(lake) == before == rows_on_disk(lake.with_name("whole"))
    assert files(lake) == files(lake.with_name("whole"))
    assert any(merged for _, merged in files(lake))
    assert_at_rest(lake)
    again = plan_compact(lake, **ALL)
    assert (again.tasks, again.finish([]).days) == ([], 0)


def test_a_bucket_is_compacted_by_tasks(bucket: Lake) -> None:
    """Options reach the tasks inside of the pickle, and neither work nor tasks show them."""
    prepare(bucket.open(), "compact")
    before = bucket.rows()
    job = plan_compact(bucket.url, workers=2, storage_options=bucket.options, **ALL)
    assert SECRET not in repr((job.work, job.tasks))
    assert run_job(job).days > 2
    assert (bucket.rows(), bool(before)) == (before, True)
    assert any(is_day_part_path(path) for path in bucket.data_files())
    bucket.assert_at_rest()


def test_a_task_that_ran_before_counts_what_it_merged(lake: Path) -> None:
    """If an executor dies after its commits, the attempt that reports finds changed days; the job has merged them."""
    job = plan_compact(lake, workers=2, **ALL)
    list(results(job))
    second = list(results(job))
    assert {merged for result in second for _, merged in result.value} == {None}
    ended = job.finish([replace(result, repeated=True) for result in second])
    assert facts(ended) == facts(compact(lake.with_name("whole"), **ALL))
    assert_at_rest(lake)


def test_a_day_that_another_run_changes_is_left_to_it(lake: Path) -> None:
    """Its tasks find other parts than the plan, and say so; no row is lost or doubled."""
    job = plan_compact(lake, workers=2, **ALL)
    commit_one(Root.open(lake, create=False), IDENTITY, 2)
    before = rows_on_disk(lake)
    ended = run_job(job)
    assert (ended.changing > 0, ended.failures) == (True, ())
    assert rows_on_disk(lake) == before
    # The rows were committed without the counts that a conversion states.
    assert {problem.kind for problem in verify(lake).problems} == {"sums"}


def test_days_of_lost_tasks_are_failures(lake: Path) -> None:
    """A task that failed, and one without a result: their days are named with the reason, all others are merged."""
    before = rows_on_disk(lake)
    job = plan_compact(lake, workers=4, **ALL)
    first, second, *others = list(job.tasks)
    ended = job.finish([TaskResult(first.number, error="lost"), *map(job.work, others)])
    assert ended.days == sum(len(task.items) for task in others)
    reasons = [each.error for each in ended.failures]
    assert sorted({*reasons}) == [
        "expected a merged day, found that its task failed: lost",
        "expected a merged day, found that its task has no result",
    ]
    assert len(reasons) == len(first.items) + len(second.items)
    assert ended.exit_code == 1
    assert run_job(plan_compact(lake, **ALL)).days == len(reasons)
    assert rows_on_disk(lake) == before


def test_a_dry_run_has_no_tasks(lake: Path) -> None:
    """It says what one on one machine says, and changes nothing."""
    names = sorted(lake.rglob("*"))
    job = plan_compact(lake, dry_run=True, **ALL)
    ended = job.finish([])
    assert (job.tasks, facts(ended)) == ([], facts(compact(lake, dry_run=True, **ALL)))
    assert ended.days > 2
    assert sorted(lake.rglob("*")) == names


def test_wrong_calls_are_refused(tmp_path: Path, lake: Path) -> None:
    """With the errors of `compact`, before there is a task."""
    with pytest.raises(OptionError, match="geo"):
        plan_compact(lake, tables=["geos"])
    with pytest.raises(PlaceError, match="not supported"):
        plan_compact("gs://bucket/lake")
    with pytest.raises(DatasetError, match="expected a root"):
        plan_compact(tmp_path / "none")

"""wsparquet/distributed/conversions.py: tasks in any process leave the root that one conversion leaves."""

from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.distributed.jobs import results, run_job
from tests.store.s3.lake import Lake
from tests.support.at_rest import assert_at_rest
from tests.system.helpers import assert_same, rows_on_disk
from tools.s3.server import SECRET
from wsparquet import Progress, Summary, convert, open_dataset, verify
from wsparquet.dataset import Root
from wsparquet.distributed import Task, TaskResult, plan_conversion
from wsparquet.errors import OptionError, PlaceError
from wsparquet.generate import GenerateOptions, generate


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Eight sources, one of them damaged, a copy under another name, and a file of another kind."""
    folder = tmp_path / "raw"
    generate(folder, GenerateOptions(files=7, records=15))
    generate(tmp_path / "odd", GenerateOptions(size=20_000, seed=2, defects=True, start_ms=1_467_399_600_000))
    (path,) = (tmp_path / "odd").iterdir()
    path.rename(folder / path.name)
    first = min(folder.iterdir())
    shutil.copy(first, folder / "copy.gz")
    shutil.copy(first, folder / f"{first.name} (1)")
    (folder / "other.txt").write_text("no sessions")
    return folder


def counts_of(summary: Summary) -> dict[str, Any]:
    """A summary without what depends on the place, on time, and on how often copies were read."""
    other = ("root", "seconds", "stored_bytes", "inflated_bytes", "errors", "copies")
    return {name: value for name, value in summary.to_dict().items() if name not in other}


def test_the_root_and_the_summary_are_those_of_one_conversion(raw: Path, tmp_path: Path) -> None:
    """In two processes: the same rows, counts, failures and copies as `convert`, and nothing to do afterwards."""
    events: list[Progress] = []
    job = plan_conversion(raw, to=tmp_path / "lake", workers=2, on_progress=events.append)
    with ProcessPoolExecutor(2) as pool:
        found = list(pool.map(job.work, job.tasks))
    for result in found:
        job.tell(result)
    summary = job.finish(found)
    whole = convert(raw, to=tmp_path / "whole")
    assert_same(rows_on_disk(tmp_path / "lake"), rows_on_disk(tmp_path / "whole"))
    assert counts_of(summary) == counts_of(whole)
    assert [each.name for each in summary.failures] == [each.name for each in whole.failures] == ["other.txt"]
    assert {each.name for each in summary.copies} == {each.name for each in whole.copies}
    assert (events[0].kind, events[0].files) == ("found", 11)
    assert sorted(event.name for event in events[1:]) == sorted(path.name for path in raw.iterdir())
    assert verify(tmp_path / "lake", against=[path for path in raw.iterdir() if path.suffix != ".txt"]).problems == []
    assert_at_rest(tmp_path / "lake")
    again = plan_conversion([path for path in raw.iterdir() if path.suffix != ".txt"], to=tmp_path / "lake")
    assert again.tasks == []
    assert len(again.finish([]).skipped) == 10


def test_a_bucket_is_the_root_of_tasks(bucket: Lake, raw: Path) -> None:
    """Options reach the tasks inside of the pickle, and neither work nor tasks show them."""
    (raw / "other.txt").unlink()
    job = plan_conversion(raw, to=bucket.url, workers=2, storage_options=bucket.options)
    assert SECRET not in repr((job.work, job.tasks))
    assert len(run_job(job).raise_for_failures().committed) == 8
    assert verify(bucket.url, against=raw, storage_options=bucket.options).problems == []
    bucket.assert_at_rest()


def test_sources_in_a_bucket_are_listed_once(bucket: Lake, raw: Path, tmp_path: Path) -> None:
    """A task gets what the driver's listing says, and reads the object itself."""
    for path in raw.iterdir():
        bucket.bucket.client.put_object(Bucket=bucket.bucket.name, Key=f"raw/{path.name}", Body=path.read_bytes())
    url = f"{bucket.bucket.url}/raw"
    job = plan_conversion(url, to=tmp_path / "lake", storage_options=bucket.options)
    summary = run_job(job)
    assert (len(summary.committed), len(summary.failures), SECRET in repr(job.tasks)) == (8, 1, False)
    assert plan_conversion(f"{url}/*.gz", to=tmp_path / "lake", storage_options=bucket.options).tasks == []


def test_a_task_that_ran_before_counts_what_it_committed(raw: Path, tmp_path: Path) -> None:
    """If an executor dies after its commits, the attempt that reports skips them; the job has committed them."""
    job = plan_conversion(raw, to=tmp_path / "lake", workers=2)
    list(results(job))
    second = [replace(result, repeated=True) for result in results(job)]
    summary = job.finish(second)
    whole = convert(raw, to=tmp_path / "whole")
    assert counts_of(summary) == counts_of(whole)
    assert_same(rows_on_disk(tmp_path / "lake"), rows_on_disk(tmp_path / "whole"))


def test_a_task_never_creates_a_root(raw: Path, tmp_path: Path) -> None:
    """Where the path is another folder, or none, a task does nothing, and its sources fail with the reason."""
    job = plan_conversion(raw, to=tmp_path / "lake", workers=1)
    shutil.move(tmp_path / "lake", tmp_path / "elsewhere")
    lost = list(results(job))
    assert not (tmp_path / "lake").exists()
    assert all("found none; check the path" in (result.error or "") for result in lost)
    Root.open(tmp_path / "lake")
    other = list(results(job))
    assert all("found the root" in (result.error or "") for result in other)
    assert open_dataset(tmp_path / "lake").empty_tables == open_dataset(tmp_path / "lake").tables
    summary = job.finish(other)
    assert len(summary.failures) == 11
    assert "use a root in a bucket" in summary.failures[0].error


def test_a_folder_is_refused_on_another_machine(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same path is another folder there, and the summary would praise what nobody can find."""
    job = plan_conversion(raw, to=tmp_path / "lake")
    monkeypatch.setattr("wsparquet.distributed.shared_root.this_machine", lambda: "worker-7")
    assert all("found worker-7, where the same path is another folder" in (r.error or "") for r in results(job))
    assert open_dataset(tmp_path / "lake").commits.headers() == ()


def test_another_version_of_the_software_is_refused(raw: Path, tmp_path: Path) -> None:
    """A task that decodes otherwise would leave a root of two kinds."""
    job = plan_conversion(raw, to=tmp_path / "lake")
    old = replace(job.work, software="wsparquet 0.0.1")
    assert "install the same version on all machines" in (old(job.tasks[0]).error or "")


def test_nothing_is_created_without_a_source(tmp_path: Path) -> None:
    """A mistyped folder leaves no root, and a dry run none either."""
    job = plan_conversion(tmp_path / "rawr", to=tmp_path / "lake")
    assert (job.tasks, [each.name for each in job.finish([]).failures]) == ([], ["rawr"])
    generate(tmp_path / "raw", GenerateOptions(files=3, records=6))
    rehearsed = run_job(plan_conversion(tmp_path / "raw", to=tmp_path / "lake", dry_run=True))
    assert (len(rehearsed.committed), rehearsed.records, rehearsed.dry_run) == (3, 18, True)
    assert not (tmp_path / "lake").exists()


def test_what_no_task_can_open_is_refused(raw: Path, tmp_path: Path) -> None:
    """Standard input is read by one process only; other stores are named as not supported."""
    with pytest.raises(OptionError, match="found standard input"):
        plan_conversion("-", to=tmp_path / "lake")
    for root in ("gs://bucket/lake", "abfss://box@account.dfs.core.windows.net/lake", "hdfs://name/lake"):
        with pytest.raises(PlaceError, match="not supported"):
            plan_conversion(raw, to=root)


def test_unfinished_tasks_are_left_to_the_next_job(raw: Path, tmp_path: Path) -> None:
    """Sources of tasks without a result were not begun; a task with an error and a later result counts once."""
    job = plan_conversion(raw, to=tmp_path / "lake", workers=3)
    first, second, *_ = list(results(job))
    spoilt = TaskResult(first.number, error="lost")
    summary = job.finish([spoilt, first, second, spoilt])
    assert summary.failures == []
    assert summary.not_begun == 11 - sum(len(task.items) for task in job.tasks[:2])


def test_a_task_can_be_split() -> None:
    """Each item gets a task of its own, with new numbers."""
    items: tuple[Any, ...] = ("a", "b")
    assert Task(3, items).split(10) == [Task(10, ("a",)), Task(11, ("b",))]


def test_twins_in_two_tasks_count_once(tmp_path: Path) -> None:
    """Two tasks commit the same content at once; the job settles that, and its summary counts the rows once."""
    generate(tmp_path / "raw", GenerateOptions(files=1, records=10))
    shutil.copy(next((tmp_path / "raw").iterdir()), tmp_path / "raw/a.gz")
    job = plan_conversion(tmp_path / "raw", to=tmp_path / "lake", workers=2)
    assert len(job.tasks) == 2
    with ProcessPoolExecutor(2) as pool:
        summary = job.finish(pool.map(job.work, job.tasks))
    assert (len(summary.committed), summary.skipped, summary.records) == (1, ["a.gz"], 10)
    (tables,) = rows_on_disk(tmp_path / "lake").values()
    assert sum(map(len, tables.values())) == 10

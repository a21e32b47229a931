"""wsparquet/distributed/synchronisations.py: tasks download what the driver has listed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.distributed.jobs import results, run_job
from tests.support.at_rest import assert_at_rest
from tests.synchronisation.lake import data, names, options_for, server, sync
from tests.system.helpers import assert_same, rows_on_disk
from wsparquet import Progress, verify
from wsparquet.dataset import Root
from wsparquet.distributed import TaskResult, plan_sync
from wsparquet.emulator import DEMO
from wsparquet.synchronisation.state import State

ACCOUNT = "75555851"


def test_the_root_is_that_of_one_synchronization(tmp_path: Path) -> None:
    """Each file is downloaded once, the summaries agree, and then there is nothing left to do."""
    events: list[Progress] = []
    with server() as emulator:
        job = plan_sync(tmp_path / "lake", workers=3, options=options_for(emulator), on_progress=events.append)
        assert len(job.tasks) > 2
        assert not any(secret in repr((job.work, job.tasks)) for secret in vars(DEMO).values())
        summary = run_job(job)
        assert emulator.downloads == Counter(names(emulator))
        whole = sync(tmp_path / "whole", emulator)
        assert (summary.fetched.listed, sorted(summary.fetched.downloaded)) == (6, sorted(whole.fetched.downloaded))
        assert sorted(summary.converted.committed) == sorted(whole.converted.committed)
        assert (summary.converted.rows, summary.exit_code) == (whole.converted.rows, 0)
        again = plan_sync(tmp_path / "lake", options=options_for(emulator))
        assert (again.tasks, again.finish([]).fetched.present) == ([], 6)
    assert_same(rows_on_disk(tmp_path / "lake"), rows_on_disk(tmp_path / "whole"))
    assert_at_rest(tmp_path / "lake")
    assert [event.kind for event in events].count("committed") == 6


def test_failures_are_remembered_for_later_runs(tmp_path: Path) -> None:
    """A broken file, and the files of a task that failed, are in the saved state, and the next run takes them."""
    with server() as emulator:
        first, *_ = names(emulator)
        whole = data(emulator, first)
        emulator.catalogue.put(first, b"not gzip")
        job = plan_sync(tmp_path / "lake", workers=6, options=options_for(emulator))
        found = list(results(job))
        lost = next(task for task in job.tasks if task.items[0][0].name != first)
        found = [TaskResult(each.number, error="lost") if each.number == lost.number else each for each in found]
        summary = job.finish(found)
        failed = dict(summary.failed_sources())
        missing = {file.name for file, _ in lost.items}
        assert {*failed} == {first, *missing}
        state = State.read(Root.open(tmp_path / "lake", create=False), ACCOUNT)
        assert {name for name, each in state.files.items() if each.error} == {first, *missing}
        emulator.catalogue.put(first, whole)
        after = run_job(plan_sync(tmp_path / "lake", options=options_for(emulator)))
        assert (after.exit_code, first in after.converted.committed) == (0, True)
        assert not State.read(Root.open(tmp_path / "lake", create=False), ACCOUNT).files


def test_raw_files_are_kept_on_the_drivers_machine_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for raw files on another machine would keep them where nobody looks."""
    with server() as emulator:
        options = options_for(emulator, raw=str(tmp_path / "raw"))
        run_job(plan_sync(tmp_path / "lake", options=options))
        assert sorted(path.name for path in (tmp_path / "raw").rglob("*.gz")) == sorted(names(emulator))
        job = plan_sync(tmp_path / "other", options=options)
        monkeypatch.setattr("wsparquet.distributed.synchronisations.this_machine", lambda: "worker-7")
        assert all("raw: expected all tasks on the driver's machine" in (r.error or "") for r in results(job))
    assert verify(tmp_path / "lake", against=tmp_path / "raw").problems == []


@pytest.mark.parametrize("kept", [False, True])
def test_repeated_tasks_tell_what_the_job_did(tmp_path: Path, kept: bool) -> None:
    """If an executor dies after its commits, the attempt that reports finds all done; the job has done it."""
    with server() as emulator:
        options = options_for(emulator, raw=str(tmp_path / "raw") if kept else None)
        job = plan_sync(tmp_path / "lake", workers=2, options=options)
        list(results(job))
        summary = job.finish([replace(result, repeated=True) for result in results(job)])
        whole = sync(tmp_path / "whole", emulator)
        assert sorted(summary.converted.committed) == sorted(whole.converted.committed)
        assert (summary.converted.rows, summary.converted.skipped) == (whole.converted.rows, [])
        assert sorted(summary.fetched.downloaded) == sorted(whole.fetched.downloaded)
        assert summary.fetched.downloaded_bytes == whole.fetched.downloaded_bytes
        assert plan_sync(tmp_path / "lake", options=options).tasks == []
    assert_same(rows_on_disk(tmp_path / "lake"), rows_on_disk(tmp_path / "whole"))

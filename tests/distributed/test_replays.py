"""wsparquet/distributed/replays.py: tasks find raw files and repeat commits."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conversion.test_replay import FILES, folder, make_older, records, rewrite
from tests.distributed.jobs import results, run_job
from tests.support.at_rest import assert_at_rest
from tests.system.helpers import assert_same, rows_on_disk
from wsparquet import replay, verify
from wsparquet.distributed import plan_replay
from wsparquet.errors import DatasetError, OptionError
from wsparquet.schema import SCHEMA_VERSION

__all__ = ["folder"]  # a fixture


def test_an_upgrade_is_that_of_one_replay(folder: Path) -> None:
    """Every source of the older root is converted again under its identity, and the root opens for all runs."""
    make_older(folder / "lake")
    shutil.copytree(folder / "lake", folder / "whole")
    summary = run_job(run_job(plan_replay(folder / "lake", folder / "raw", workers=2)))
    whole = replay(folder / "whole", folder / "raw")
    assert (summary.committed, summary.rows) == (whole.committed, whole.rows)
    assert [each.name for each in summary.replaced] == [each.name for each in whole.replaced]
    assert len(summary.committed) == FILES + 1
    assert {each["schema_version"] for each in records(folder / "lake").values()} == {SCHEMA_VERSION}
    assert_same(rows_on_disk(folder / "lake"), rows_on_disk(folder / "whole"))
    assert verify(folder / "lake", against=folder / "raw").problems == []
    assert_at_rest(folder / "lake")


def test_an_upgrade_begins_with_all_files_only(folder: Path) -> None:
    """If a raw file is missing, nothing changes, whoever searched for it."""
    make_older(folder / "lake")
    min((folder / "raw").iterdir()).unlink()
    with pytest.raises(DatasetError, match=f"the raw files of all {FILES + 1} sources, found 1 missing"):
        run_job(plan_replay(folder / "lake", folder / "raw", workers=2))
    assert {each["schema_version"] for each in records(folder / "lake").values()} == {0}


def test_a_missing_file_and_a_failed_task_are_failures(folder: Path) -> None:
    """In a root of this version the other sources are still repeated; what no task has searched for is named."""
    rewrite(folder / "lake", software="wsparquet 0.0.9")
    odd = max((folder / "raw").iterdir())
    odd.rename(folder / "raw/hidden.gz")
    summary = run_job(run_job(plan_replay(folder / "lake", [folder / "raw", folder / "nothing"])))
    assert [each.name for each in summary.failures] == [odd.name, "nothing"]
    search = plan_replay(folder / "lake", folder / "raw")
    lost = run_job(search.finish([]))
    assert "expected a search for its raw file, found that it failed: not begun" in lost.failures[0].error
    with pytest.raises(OptionError, match="only a conversion has shards"):
        plan_replay(folder / "lake", folder / "raw", shard="0/2")


def test_repeated_tasks_tell_what_the_job_did(folder: Path) -> None:
    """If an executor dies after its commits, the attempt that reports repeats them once more; each counts once."""
    rewrite(folder / "lake", software="wsparquet 0.0.9")
    shutil.copytree(folder / "lake", folder / "whole")
    job = run_job(plan_replay(folder / "lake", folder / "raw", workers=2))
    list(results(job))
    summary = job.finish([replace(result, repeated=True) for result in results(job)])
    whole = replay(folder / "whole", folder / "raw")
    assert (sorted(summary.committed), summary.rows) == (sorted(whole.committed), whole.rows)
    assert len(summary.committed) > 0
    assert_same(rows_on_disk(folder / "lake"), rows_on_disk(folder / "whole"))
    assert_at_rest(folder / "lake")


def test_a_dry_run_changes_nothing(folder: Path) -> None:
    """The files are found and counted."""
    make_older(folder / "lake")
    summary = run_job(run_job(plan_replay(folder / "lake", folder / "raw", dry_run=True)))
    assert (len(summary.committed), summary.dry_run) == (FILES + 1, True)
    assert {each["schema_version"] for each in records(folder / "lake").values()} == {0}

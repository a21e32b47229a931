"""wsparquet/distributed/verifications.py: tasks find the problems that one verification finds."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

from tests.distributed.jobs import results, run_job
from wsparquet import Progress, Verification, convert, verify
from wsparquet.distributed import TaskResult, plan_verify
from wsparquet.generate import GenerateOptions, generate
from wsparquet.json_values import json_dict


def facts(found: Verification) -> dict[str, object]:
    """All but the time, and the order of problems."""
    values = json_dict(found)
    values["problems"] = sorted(map(str, values["problems"]))
    return {**values, "seconds": 0}


def test_the_result_is_that_of_one_verification(tmp_path: Path) -> None:
    """Of a good root, and of one with a damaged part, a stray, a source twice in other words, and a lost source."""
    raw, lake = tmp_path / "raw", tmp_path / "lake"
    generate(raw, GenerateOptions(files=6, records=20))
    convert(raw, to=lake)
    good = run_job(plan_verify(lake, against=raw, workers=2))
    assert facts(good) == facts(verify(lake, against=raw))
    assert (good.problems, good.commits, good.sources, good.compared_rows) == ([], 6, 6, 120)

    first, second, *_ = sorted(lake.rglob("*.parquet"))
    shutil.copy(first, first.with_name("stray.parquet"))
    second.write_bytes(second.read_bytes()[:-10])
    text = min(raw.iterdir()).read_bytes()
    (tmp_path / "twice.gz").write_bytes(text + gzip.compress(b"\n"))
    convert(tmp_path / "twice.gz", to=lake)
    given = [raw, tmp_path / "twice.gz", tmp_path / "lost.gz"]
    events: list[Progress] = []
    bad = run_job(plan_verify(lake, against=given, workers=3, on_progress=events.append))
    assert facts(bad) == facts(verify(lake, against=given))
    kinds = {problem.kind for problem in bad.problems}
    assert kinds >= {"stray", "doubled", "source", "size"}
    assert [event.name for event in events if event.kind == "failed"].count("lost.gz") == 1


def test_what_was_not_checked_is_a_problem(tmp_path: Path) -> None:
    """A verification with a lost task does not say that all is well."""
    generate(tmp_path / "raw", GenerateOptions(files=3, records=6))
    convert(tmp_path / "raw", to=tmp_path / "lake")
    job = plan_verify(tmp_path / "lake", against=tmp_path / "raw", workers=4)
    first, second, *others = list(results(job))
    found = job.finish([TaskResult(first.number, error="lost"), *others])
    lost = len(job.tasks[first.number].items) + len(job.tasks[second.number].items)
    assert len(found.problems) == lost
    assert any(
        str(problem).endswith("expected a check of it, found that its task failed: lost") for problem in found.problems
    )

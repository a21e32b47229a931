"""All jobs of wsparquet/distributed/: a published root stays published, whoever ran the tasks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.distributed.jobs import run_job
from tests.iceberg.helpers import assert_published, published
from tests.synchronisation.lake import options_for, server
from wsparquet import convert, publish
from wsparquet.dataset import Root
from wsparquet.distributed import plan_compact, plan_conversion, plan_replay, plan_sync
from wsparquet.generate import GenerateOptions, generate


def raw_files(folder: Path) -> Path:
    """Two sources of two hours, in which not everything has a column, so that they can be replayed."""
    generate(folder, GenerateOptions(files=2, size=20_000, defects=True))
    return folder


def converting(lake: Path, raw: Path) -> None:
    """One source more."""
    generate(raw.with_name("more"), GenerateOptions(files=3, records=8, seed=5))
    assert run_job(plan_conversion(raw.with_name("more"), to=lake)).committed


def replaying(lake: Path, raw: Path) -> None:
    """Each source anew."""
    first = run_job(plan_replay(lake, raw, again=True))
    assert len(run_job(first).committed) == 2


def synchronising(lake: Path, raw: Path) -> None:
    """The files of a server."""
    shutil.rmtree(raw)
    with server() as emulator:
        assert run_job(plan_sync(lake, options=options_for(emulator))).converted.committed


def compacting(lake: Path, raw: Path) -> None:
    """Two sources in one file."""
    assert run_job(plan_compact(lake, min_files=2, older_than=timedelta(0))).days > 0
    assert len(list(raw.iterdir())) == 2


@pytest.mark.parametrize("run", [converting, replaying, synchronising, compacting])
def test_a_published_root_stays_published(run: Callable[[Path, Path], None], tmp_path: Path) -> None:
    """The tables name exactly what counts after the job, in a new snapshot, and what was replaced is deleted."""
    raw = raw_files(tmp_path / "raw")
    convert(raw, to=tmp_path / "lake")
    publish(tmp_path / "lake", keep=timedelta(0))
    before = published(str(tmp_path / "lake"), "navigation").current_snapshot()
    run(tmp_path / "lake", raw)
    assert_published(Root.open(tmp_path / "lake", create=False))
    assert published(str(tmp_path / "lake"), "navigation").current_snapshot() != before


def test_a_root_that_cannot_be_published_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The summary has the reason, as that of `convert`."""
    raw = raw_files(tmp_path / "raw")
    convert(raw, to=tmp_path / "lake")
    publish(tmp_path / "lake")
    generate(tmp_path / "more", GenerateOptions(files=3, records=8, seed=5))
    monkeypatch.setitem(sys.modules, "pyiceberg", None)
    summary = run_job(plan_conversion(tmp_path / "more", to=tmp_path / "lake"))
    assert "pip install 'wsparquet[iceberg]'" in (summary.unpublished or "")
    assert (len(summary.committed), summary.exit_code) == (3, 1)

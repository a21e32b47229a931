"""wsparquet/synchronisation/missing.py: how long a file that the server deleted is remembered, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wsparquet.api import Listing
from wsparquet.api.answers import Refused
from wsparquet.commit import CommitIndex
from wsparquet.dataset import Root
from wsparquet.synchronisation.missing import Ledger
from wsparquet.synchronisation.state import Missing, State

START = "2026-01-02T03:00:00+00:00"


def run(root: Root, *, since: datetime | None = None, refused: tuple[Refused, ...] = ()) -> dict[str, Missing]:
    """The files that are missing after a run that listed no file."""
    ledger = Ledger.open(root, "7")
    ledger.begin(Listing((), refused), [], CommitIndex.empty(), since=since)
    ledger.write(root)
    return State.read(root, "7").files


def test_a_file_is_gone_since_the_run_that_found_it_gone(tmp_path: Path) -> None:
    """Later runs leave the time as it is; a run that did not ask for the file's hours says nothing of it."""
    root = Root.open(tmp_path / "lake")
    State("7", files={"x": Missing("x", start=START)}).write(root)
    start = datetime.fromisoformat(START)
    assert run(root, since=start + timedelta(milliseconds=1))["x"].gone_at is None
    first = run(root, since=start)["x"].gone_at
    assert first is not None
    assert [run(root)["x"].gone_at for _ in range(2)] == [first, first]


@pytest.mark.parametrize(("days", "kept"), [(0, True), (29.99, True), (30.01, False)])
def test_a_gone_file_is_reported_for_30_days(tmp_path: Path, days: float, kept: bool) -> None:
    """After that it is forgotten, however long it failed before; one that is only missing is never forgotten."""
    root = Root.open(tmp_path / "lake")
    gone_at = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    old = Missing("gone", start=START, failed_since=START, error="why", gone_at=gone_at)
    since = datetime.now(UTC)
    State("7", files={"gone": old, "missing": replace(old, name="missing", gone_at=None)}).write(root)
    assert sorted(run(root, since=since)) == (["gone", "missing"] if kept else ["missing"])


def test_a_refused_file_is_forgotten_with_its_entry(tmp_path: Path) -> None:
    """It is reported as long as the server lists it, since its first failure."""
    root = Root.open(tmp_path / "lake")
    refused = (Refused("x", "https://other.example/x", "another host"),)
    first = run(root, refused=refused)["x"]
    assert (first.error, first.gone_at) == ("another host", None)
    assert run(root, refused=refused)["x"] == first
    assert run(root) == {}

"""`drift` adds up what commit records report: each finding once a source, with the times of its sources."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import run
from tests.dataset.helpers import facts
from tests.query import roots
from tests.store.s3.lake import Lake
from wsparquet import OptionError, convert, drift, inspect
from wsparquet.dataset import Root
from wsparquet.generate import GenerateOptions, generate
from wsparquet.layout import Identity

HOUR = 3_600_000
START = 1_467_295_200_000
"""2016-06-30 14:00 UTC in milliseconds."""


def commit(root: Root, name: str, **report: Any) -> None:
    """Commit a source without rows whose report says this."""
    identity = Identity("7", name)
    with root.begin(fallback_day_ms=None) as attempt:
        before = root.commits().get(identity)
        attempt.commit(identity, facts(f"{len(name):064x}", report={"records": 1, **report}), expected=before)


def reported(start: int | None, end: int | None, version: str, **more: Any) -> dict[str, Any]:
    """A report with times and one schema version."""
    return {"start_time": start, "end_time": end, "schema_versions": {version: 3}, **more}


def three(root: Root) -> None:
    """Sources of two days and two schema versions, and one without times."""
    rescued = {"geo": {"$body.continent": 2}}
    commit(root, "a", **reported(START, START + HOUR, "1.0", rescued=rescued, quarantined=1))
    spans = [
        {"containers": [0, 4], "values": {"$container.x": "1"}},
        {"containers": [6, 6], "values": {"$container.x": "2"}},
    ]
    later = reported(
        START + 12 * HOUR, START + 13 * HOUR, "1.1", rescued={"geo": {"$body.continent": 3, "$body.new": 1}}
    )
    commit(root, "b", **later, container_values=spans, items=2, rows={"unrecognized": 4})
    commit(root, "c", **reported(None, None, "1.1", rescued=rescued, undocumented={"impression": {"$.state": 5}}))


def found(root: Any, **options: Any) -> list[tuple[Any, ...]]:
    """The findings without their times."""
    findings = drift(root, **options).findings
    return [(each.period, each.kind, each.table, each.path, each.count, each.sources) for each in findings]


def test_findings_are_added_up_with_their_times(tmp_path: Path) -> None:
    """Counts and sources add up, spans of one source are one source, and times are the earliest and the latest."""
    three(Root.open(tmp_path))
    assert found(tmp_path) == [
        (None, "rescued", "geo", "$body.continent", 7, 3),
        (None, "rescued", "geo", "$body.new", 1, 1),
        (None, "undocumented", "impression", "$.state", 5, 1),
        (None, "unrecognized", "unrecognized", None, 4, 1),
        (None, "container value", None, "$container.x", 6, 1),
        (None, "quarantined", None, None, 1, 1),
        (None, "item", None, None, 2, 1),
    ]
    first, new, undated, *_ = drift(tmp_path).findings
    assert (first.first, first.last) == (
        datetime(2016, 6, 30, 14, tzinfo=UTC),
        datetime(2016, 7, 1, 3, tzinfo=UTC),
    )
    assert new.first == datetime(2016, 7, 1, 2, tzinfo=UTC)
    assert (undated.first, undated.last) == (None, None)
    assert drift(tmp_path).sources == 3


def test_by_day_hour_and_schema_version(tmp_path: Path) -> None:
    """Findings of different periods are separate; sources without times have no period."""
    three(Root.open(tmp_path))
    continents = {
        by: [(each[0], each[4]) for each in found(tmp_path, by=by) if each[3] == "$body.continent"]
        for by in ("day", "hour", "schema-version")
    }
    assert continents == {
        "day": [(None, 2), ("2016-06-30", 2), ("2016-07-01", 3)],
        "hour": [(None, 2), ("2016-06-30T14Z", 2), ("2016-07-01T02Z", 3)],
        "schema-version": [("1.0", 2), ("1.1", 5)],
    }
    with pytest.raises(OptionError, match="by"):
        drift(tmp_path, by="week")  # type: ignore[arg-type]


def test_only_sources_that_count_are_reported(tmp_path: Path) -> None:
    """Twins count once; removed sources, and what was replaced, are not reported."""
    assert drift(roots.twins(tmp_path / "twins").place).sources == 1
    assert drift(roots.settled_twins(tmp_path / "settled").place).sources == 1
    root = Root.open(tmp_path / "lake")
    three(root)
    root.remove(["a"])
    commit(root, "b", **reported(START, START, "1.0"))
    assert found(tmp_path / "lake") == [
        (None, "rescued", "geo", "$body.continent", 2, 1),
        (None, "undocumented", "impression", "$.state", 5, 1),
    ]


def test_the_counts_are_those_of_inspect(tmp_path: Path) -> None:
    """Of damaged and drifted files, `drift` finds after a conversion what `inspect` finds before it."""
    generate(tmp_path / "in", GenerateOptions(files=3, size=60_000, seed=3, defects=True))
    convert(tmp_path / "in", tmp_path / "lake")
    totals = inspect(tmp_path / "in").totals
    findings = drift(tmp_path / "lake").findings
    for kind, tables in {"rescued": totals.rescued, "undocumented": totals.undocumented}.items():
        wanted = {(table, path): n for table, paths in tables.items() for path, n in paths.counts.items()}
        assert {(each.table, each.path): each.count for each in findings if each.kind == kind} == wanted != {}
    assert [each.count for each in findings if each.kind == "quarantined"] == [totals.quarantined]
    assert [each.count for each in findings if each.kind == "item"] == [totals.items]
    assert [each.count for each in findings if each.kind == "unrecognized"] == [totals.rows["unrecognized"]]


def test_a_root_in_a_bucket(bucket: Lake) -> None:
    """The records are read from S3."""
    three(bucket.open())
    assert len(drift(bucket.url, storage_options=bucket.options).findings) == 7


def test_the_command(tmp_path: Path) -> None:
    """A line for each finding, below its day; JSON has all fields; names are printed without control characters."""
    root = Root.open(tmp_path)
    assert run("drift", tmp_path).out == "0 sources: all values are documented, and nothing is quarantined\n"
    three(root)
    commit(root, "d", **reported(START, START, "1.0", rescued={"geo": {"$['\x1b[31m']": 1}}))
    lines = run("drift", tmp_path, "--by", "day").out.splitlines()
    assert "2016-06-30:" in lines
    assert (
        "rescued               2 in 1 source      2016-06-30 14:00Z to 2016-06-30 15:00Z  geo  $body.continent" in lines
    )
    assert not any("\x1b" in line for line in lines)
    assert [each["kind"] for each in run("drift", tmp_path, "--output", "json").json["findings"]][-1] == "item"

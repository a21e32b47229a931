"""The JSON that programs read: every key of every command's result, in order, with its values' forms."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Files
from tests.cli.program import run
from wsparquet.conversion.summary import Copy, Failure, Replacement, Summary
from wsparquet.dataset.cleaning import Cleaning, Stray
from wsparquet.decode import Report
from wsparquet.decode.model import PathCounts
from wsparquet.inspection import Inspection
from wsparquet.remote_schema import SchemaComparison
from wsparquet.remote_schema.comparison import Difference
from wsparquet.store.store import Unfinished
from wsparquet.synchronisation import AccountStatus, FetchSummary, FileState, Status, SyncSummary
from wsparquet.synchronisation import Files as Listed
from wsparquet.synchronisation.state import Missing
from wsparquet.verification import Problem, Verification

HOUR = datetime(2016, 6, 30, 14, tzinfo=UTC)
TIME = "2016-06-30T14:00:00+00:00"
FAILURE = Failure("a.gz", "file:///a.gz", "why")
FAILURE_JSON = {"name": "a.gz", "url": "file:///a.gz", "error": "why"}

REPORT = Report(
    containers=1,
    records=2,
    quarantined=1,
    items=3,
    rows={"geo": 1},
    rescued={"geo": PathCounts({"$.x": 2})},
    undocumented={"geo": PathCounts({"$.y=z": 1})},
    container_values=[{"containers": [0, 0], "values": {"$.z": "1"}}],
    accounts=PathCounts({"75555851": 2}),
    schema_versions=PathCounts({"1.0.0.1": 2}),
    start_time=5,
)
REPORT_JSON = {
    "containers": 1,
    "records": 2,
    "quarantined": 1,
    "items": 3,
    "rows": {"geo": 1},
    "rescued": {"geo": {"$.x": 2}},
    "undocumented": {"geo": {"$.y=z": 1}},
    "container_values": [{"containers": [0, 0], "values": {"$.z": "1"}}],
    "accounts": {"75555851": 2},
    "schema_versions": {"1.0.0.1": 2},
    "start_time": 5,
    "end_time": None,
}

SUMMARY = Summary(
    root="lake",
    sources=3,
    committed=["b.gz"],
    replaced=[Replacement("b.gz", "1", 3, 2)],
    skipped=["c.gz"],
    copies=[Copy("c.gz", "file:///c.gz", "b.gz holds the same content")],
    failures=[FAILURE],
    not_begun=4,
    gave_up=True,
    records=2,
    rows={"geo": 1},
    rescued={"geo": PathCounts({"$.x": 2})},
    quarantined=1,
    seconds=0.12345,
    decoder="native",
)
SUMMARY_JSON = {
    "root": "lake",
    "sources": 3,
    "committed": ["b.gz"],
    "replaced": [{"name": "b.gz", "account": "1", "rows_before": 3, "rows": 2}],
    "skipped": ["c.gz"],
    "copies": [{"name": "c.gz", "url": "file:///c.gz", "reason": "b.gz holds the same content"}],
    "failed": ["a.gz"],
    "errors": [FAILURE_JSON],
    "not_begun": 4,
    "gave_up": True,
    "unpublished": None,
    "records": 2,
    "rows": {"geo": 1},
    "rescued": {"geo": {"$.x": 2}},
    "undocumented": {},
    "quarantined": 1,
    "items": 0,
    "containers": 0,
    "container_values": 0,
    "stored_bytes": 0,
    "inflated_bytes": 0,
    "seconds": 0.123,
    "dry_run": False,
    "decoder": "native",
    "compaction": None,
}

FETCHED = FetchSummary("7", listed=3, present=1, downloaded=["b.gz"], gone=[FAILURE], seconds=1.23456)
FETCHED_JSON = {
    "account": "7",
    "listed": 3,
    "present": 1,
    "downloaded": ["b.gz"],
    "downloaded_bytes": 0,
    "gone": [FAILURE_JSON],
    "refused": [],
    "failed": [],
    "retries": 0,
    "seconds": 1.235,
    "interrupted": False,
    "not_begun": 0,
}

FILE = FileState(
    name="a.gz", url="https://x/a.gz", start=HOUR, end=None, state="committed", expires=HOUR, size=9, committed_at=TIME
)
FILE_JSON = {
    "name": "a.gz",
    "state": "committed",
    "start": TIME,
    "end": None,
    "expires": TIME,
    "size": 9,
    "committed_at": TIME,
    "error": None,
    "url": "https://x/a.gz",
}

MISSING = Missing("a.gz", start=TIME, error="why")
MISSING_JSON = {
    "name": "a.gz",
    "start": TIME,
    "end": None,
    "expires": None,
    "failed_since": None,
    "error": "why",
    "gone_at": None,
    "refused": False,
}
ACCOUNT = AccountStatus(
    account="7",
    commits=2,
    last_commit=HOUR,
    last_listing=None,
    first_hour=HOUR,
    last_hour=HOUR,
    hours=1,
    gaps=((HOUR, HOUR),),
    missing=(MISSING,),
    failing=(),
    expiring=(),
    gone=(),
    stale=True,
)
ACCOUNT_JSON = {
    "account": "7",
    "state": "needs attention",
    "well": False,
    "stale": True,
    "commits": 2,
    "last_commit": TIME,
    "last_listing": None,
    "first_hour": TIME,
    "last_hour": TIME,
    "hours": 1,
    "gaps": [{"start": TIME, "end": TIME}],
    "missing": [MISSING_JSON],
    "failing": [],
    "expiring": [],
    "gone": [],
}

INSPECTION = Inspection(
    "a.gz", "file:///a.gz", "gzip", "lines", 1, 2, 3, 4, REPORT, {"why": 1}, {"geo": [{"x": 1}]}, [{"start": 1}]
)
INSPECTION_JSON = {
    "name": "a.gz",
    "url": "file:///a.gz",
    "format": "gzip",
    "form": "lines",
    "stored_bytes": 1,
    "inflated_bytes": 2,
    "first": 3,
    "last": 4,
    **REPORT_JSON,
    "reasons": {"why": 1},
    "samples": {"geo": [{"x": 1}]},
    "quarantine_samples": [{"start": 1}],
}

VERIFICATION = Verification("lake", commits=1, problems=[Problem("size", "x", "1 byte", "2 bytes")], seconds=0.00049)
VERIFICATION_JSON = {
    "root": "lake",
    "commits": 1,
    "parts": 0,
    "bytes": 0,
    "rows": 0,
    "unchecked": 0,
    "sources": 0,
    "compared_rows": 0,
    "problems": [{"kind": "size", "where": "x", "expected": "1 byte", "found": "2 bytes"}],
    "seconds": 0.0,
    "interrupted": False,
}

CLEANING = Cleaning(
    root="lake",
    strays=(Stray("x", "upload", 0, 1.5, Unfinished("x", "id", 1.5)),),
    deleted=True,
)
CLEANING_JSON = {
    "root": "lake",
    "deleted": True,
    "strays": [{"path": "x", "kind": "upload", "size": 0, "modified": 1.5}],
    "unlisted": None,
}

COMPARISON = SchemaComparison(("geo",), 5, (Difference("type", "geo", "$.x", "int", "long"),))
COMPARISON_JSON = {
    "tables": ["geo"],
    "fields": 5,
    "differences": [{"kind": "type", "table": "geo", "path": "$.x", "server": "int", "ours": "long"}],
}


@pytest.mark.parametrize(
    ("result", "values"),
    [
        (REPORT, REPORT_JSON),
        (SUMMARY, SUMMARY_JSON),
        (FETCHED, FETCHED_JSON),
        (SyncSummary(FETCHED, SUMMARY), {**FETCHED_JSON, "conversion": SUMMARY_JSON}),
        (FILE, FILE_JSON),
        (
            Listed("7", (FILE,), (FAILURE,), 2),
            {"account": "7", "files": [FILE_JSON], "refused": [FAILURE_JSON], "listed": 2},
        ),
        (MISSING, MISSING_JSON),
        (ACCOUNT, ACCOUNT_JSON),
        (Status("lake", (ACCOUNT,)), {"root": "lake", "well": False, "accounts": [ACCOUNT_JSON]}),
        (INSPECTION, INSPECTION_JSON),
        (VERIFICATION, VERIFICATION_JSON),
        (CLEANING, CLEANING_JSON),
        (COMPARISON, COMPARISON_JSON),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_result_in_json(result: Any, values: dict[str, Any]) -> None:
    """A result's `to_dict` has exactly these keys, in this order, and holds plain JSON values alone."""
    found = result.to_dict()
    assert json.dumps(found) == json.dumps(values)
    assert found == values


@pytest.fixture
def lake(good: Files, tmp_path: Path) -> Path:
    """A root with two sources."""
    assert run("convert", good.folder, "--to", tmp_path / "lake", "--quiet").code == 0
    return tmp_path / "lake"


def test_the_keys_that_commands_print(good: Files, corrupt: Path, lake: Path, tmp_path: Path) -> None:
    """The JSON of each command that speaks with no server has these keys at its top."""
    printed = {
        "convert": run("convert", good.folder, "--to", lake, "--output", "json"),
        "inspect": run("inspect", good.paths[0], corrupt, "--output", "json"),
        "verify": run("verify", lake, "--output", "json"),
        "status": run("status", lake, "--output", "json"),
        "clean": run("clean", lake, "--output", "json"),
        "remove": run("remove", lake, "--yes", good.names[0], "--output", "json"),
        "generate": run("generate", tmp_path / "new", "--size", "1k", "--output", "json"),
    }
    assert {command: list(ran.json) for command, ran in printed.items()} == {
        "convert": list(SUMMARY_JSON),
        "inspect": ["sources", "failed", "totals"],
        "verify": list(VERIFICATION_JSON),
        "status": ["root", "well", "accounts"],
        "clean": list(CLEANING_JSON),
        "remove": ["removed", "dry_run"],
        "generate": ["files"],
    }
    assert list(printed["inspect"].json["sources"][0]) == list(INSPECTION_JSON)
    assert list(printed["inspect"].json["failed"][0]) == list(FAILURE_JSON)
    assert list(printed["remove"].json["removed"][0]) == ["name", "account", "rows"]

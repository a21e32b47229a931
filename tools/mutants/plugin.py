"""The plugin of pytest in the copied tree: it selects and orders tests, and records what each did.

Trees have a copy of this file, so it imports nothing from `tools`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SELECTED = os.environ.get("MUTANTS_SELECTED")
"""A JSON file with the ids of the tests to run, in this order; all tests if there is none."""
RECORD = os.environ.get("MUTANTS_RECORD")
"""The JSON file to write: the failed tests, and the seconds of each test that passed."""

_seconds: dict[str, float] = {}
_failed: dict[str, None] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the selected tests, in the order of the selection."""
    if SELECTED:
        wanted = {name: place for place, name in enumerate(json.loads(Path(SELECTED).read_text()))}
        items[:] = sorted((item for item in items if item.nodeid in wanted), key=lambda item: wanted[item.nodeid])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Have coverage, if it measures, record the lines that this test runs under the id of the test."""
    measured = _coverage()
    if measured:
        measured.switch_context(item.nodeid)
    result = yield
    if measured:
        measured.switch_context("")
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Sum up the seconds of set-up, test and tear-down."""
    _seconds[report.nodeid] = _seconds.get(report.nodeid, 0.0) + report.duration
    if report.failed:
        _failed[report.nodeid] = None


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Count a file that cannot be imported as failed."""
    if report.failed:
        _failed[report.nodeid] = None


def pytest_sessionfinish() -> None:
    """Write the record."""
    if RECORD:
        passed = {name: seconds for name, seconds in _seconds.items() if name not in _failed}
        Path(RECORD).write_text(json.dumps({"failed": list(_failed), "passed": passed}))


def _coverage() -> Any:
    if "COVERAGE_PROCESS_START" not in os.environ:
        return None
    import coverage

    return coverage.Coverage.current()

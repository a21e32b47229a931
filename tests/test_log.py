"""What the logger `wsparquet` says of a run, and what stays out of it."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

import wsparquet
from wsparquet.emulator import DEMO, EmulatorOptions, serving


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """The levels and the first words of all records."""
    return [(record.levelname, record.getMessage().partition(" ")[0]) for record in caplog.records]


def test_a_conversion_logs_each_outcome(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A commit is INFO, a skipped source DEBUG, a failed one ERROR; nothing else is logged, not even locks."""
    (path,) = wsparquet.generate_files(tmp_path / "in", records=5)
    caplog.set_level(logging.DEBUG)
    # The tests of the guides run a snippet in this process that sets this logger to WARNING.
    caplog.set_level(logging.DEBUG, logger="wsparquet")
    wsparquet.convert(path, tmp_path / "lake")
    assert lines(caplog) == [("INFO", "committed")]
    assert caplog.records[0].getMessage() == f"committed {path.as_uri()}: 5 rows"
    caplog.clear()
    wsparquet.convert([path, tmp_path / "missing.gz"], tmp_path / "lake")
    assert sorted(lines(caplog)) == [("DEBUG", "skipped"), ("ERROR", "failed")]
    caplog.clear()
    wsparquet.remove(tmp_path / "lake", path.name, yes=True)
    assert lines(caplog) == [("INFO", "removed")]
    assert {record.name for record in caplog.records} == {"wsparquet"}


def test_a_retry_is_a_warning_without_secrets(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Requests that are tried again are WARNING; neither credentials nor signatures are in the log."""
    caplog.set_level(logging.DEBUG, logger="wsparquet")
    with serving(EmulatorOptions(hours=2, size=5000, faults={"503": 1.0}, most_faults=1)) as emulator:
        api = wsparquet.ApiOptions(base_url=emulator.base_url, pause_seconds=0.01)
        wsparquet.sync(tmp_path / "lake", account="75555851", credentials=DEMO, api=api).raise_for_failures()
    own = [record for record in caplog.records if record.name == "wsparquet"]
    found = {(record.levelname, record.getMessage().partition(" ")[0]) for record in own}
    assert {("WARNING", "retried"), ("INFO", "committed")} <= found
    text = "\n".join(record.getMessage() for record in own)
    assert not [secret for secret in (DEMO.app_key, DEMO.app_secret, DEMO.access_token, "oauth_") if secret in text]


def test_nothing_is_printed_by_default(tmp_path: Path) -> None:
    """Without logging set up, a failed source prints nothing, as the NullHandler sees to."""
    code = f"import wsparquet; wsparquet.convert('missing.gz', to={str(tmp_path / 'lake')!r})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert (ran.stdout, ran.stderr) == ("", "")

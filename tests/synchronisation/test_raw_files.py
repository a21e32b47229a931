"""wsparquet/synchronisation/raw_files.py: what a folder of raw files keeps, and what it clears away."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from wsparquet.synchronisation.raw_files import DEAD_SECONDS, Folder


@pytest.mark.parametrize(
    ("age", "goes"), [(0, False), (DEAD_SECONDS - 60, False), (DEAD_SECONDS + 60, True), (2 * DEAD_SECONDS, True)]
)
def test_only_partial_files_of_dead_runs_go(tmp_path: Path, age: float, goes: bool) -> None:
    """A partial file that was written within the hour may be a download under way; whole files stay at any age."""
    folder = tmp_path / "account/7"
    folder.mkdir(parents=True)
    paths = [folder / name for name in (".x.partial", ".y.partial", "x.gz", "x.partial", ".hidden")]
    for path in paths:
        path.write_bytes(b"x")
        written = time.time() - (0 if path.name == ".y.partial" else age)
        os.utime(path, (written, written))
    Folder(tmp_path, "7")
    assert [path.name for path in paths if not path.exists()] == ([".x.partial"] if goes else [])

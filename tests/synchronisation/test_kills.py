"""SIGKILL at random moments of a synchronisation, and run again: the same lake, nothing downloaded again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.scale import scaled
from tests.support.at_rest import assert_at_rest, records
from tests.synchronisation.lake import ACCOUNT, names, server, sync
from tests.system.helpers import COMMAND, SECONDS, assert_same, rows_on_disk
from wsparquet.api.credentials import VARIABLES
from wsparquet.emulator import DEMO, Emulator

KILLS = scaled(20, 3)
FILES = 24
ENVIRONMENT = {**os.environ, **{variable: getattr(DEMO, name) for name, variable in VARIABLES.items()}}


def start(root: Path, emulator: Emulator, *arguments: str) -> subprocess.Popen[bytes]:
    """A synchronisation as a process of its own."""
    command = [str(COMMAND), "sync", "--account", ACCOUNT, "--to", str(root), "--base-url", emulator.base_url]
    return subprocess.Popen(
        [*command, "--pause", "0.01", *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for_commits(root: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until so many records are there, or the process has ended."""
    deadline = time.monotonic() + SECONDS
    folder = root / "_wsparquet/commits"
    while time.monotonic() < deadline and process.poll() is None and len(list(folder.rglob("*.json"))) < count:
        time.sleep(0.005)


def committed_downloads(root: Path, emulator: Emulator) -> dict[str, int]:
    """How often each committed file was asked for."""
    return {record["source_name"]: emulator.downloads[record["source_name"]] for record in records(root)}


@pytest.mark.long
@pytest.mark.parametrize("raw", [False, True])
def test_kills_lose_and_repeat_nothing(tmp_path: Path, raw: bool) -> None:
    """Killed again and again at any moment and begun again, it ends with the lake of an undisturbed run."""
    chance = random.Random(11 + raw)
    kept = ["--raw", str(tmp_path / "raw")] if raw else []
    root = tmp_path / "lake"
    with server(hours=FILES, size=60_000) as emulator:
        sync(tmp_path / "undisturbed", emulator)
    with server(hours=FILES, size=60_000, latency_seconds=0.01) as emulator:
        cut = 0
        settled: dict[Any, Any] = {}
        for number in range(KILLS):
            process = start(root, emulator, *kept)
            # From before the first file to the last one: later runs are killed later.
            wait_for_commits(root, number * FILES // KILLS, process)
            time.sleep(chance.random() * 0.2)
            process.kill()
            process.communicate()
            cut += process.returncode == -signal.SIGKILL
            assert {name: emulator.downloads[name] for name in settled} == settled
            settled = committed_downloads(root, emulator)
        process = start(root, emulator, *kept)
        out, err = process.communicate(timeout=SECONDS)
        assert process.returncode == 0, (out, err)
        assert {name: emulator.downloads[name] for name in settled} == settled
        assert set(committed_downloads(root, emulator)) == set(names(emulator))
    assert cut > 0
    assert_same(rows_on_disk(root), rows_on_disk(tmp_path / "undisturbed"))
    assert_at_rest(root)


def test_an_interrupt_ends_after_what_is_under_way(tmp_path: Path) -> None:
    """One Ctrl-C: the files under way are committed, nothing is left half done, and the exit code says so."""
    with server(hours=100, latency_seconds=0.02) as emulator:
        process = start(tmp_path / "lake", emulator, "--output", "json")
        wait_for_commits(tmp_path / "lake", 3, process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
        assert (process.returncode, b"Traceback" in err) == (130, False), err
        summary = json.loads(out)
        assert summary["interrupted"] is True
        assert 3 <= len(summary["conversion"]["committed"]) < 100
        assert sorted(summary["downloaded"]) == sorted(summary["conversion"]["committed"])
        assert_at_rest(tmp_path / "lake")
        assert set(committed_downloads(tmp_path / "lake", emulator).values()) == {1}


def test_a_second_interrupt_ends_at_once(tmp_path: Path) -> None:
    """Two signals while downloads wait for a retry: the process ends without it, and leaves nothing."""
    with server(hours=3, faults={"truncated-chunked": 1.0}, most_faults=1000) as emulator:
        process = start(tmp_path / "lake", emulator, "--pause", "100")
        deadline = time.monotonic() + SECONDS
        while not emulator.downloads and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        # Two signals at once would be one: the second one follows once the first one was answered.
        assert any(b"interrupt again to stop at once" in line for line in process.stderr)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        # Far less than the pause, far more than a loaded machine needs.
        _, err = process.communicate(timeout=30)
        assert (process.returncode, b"Traceback" in err) == (130, False), err
    assert_at_rest(tmp_path / "lake")

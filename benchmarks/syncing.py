"""What synchronisation costs beside conversion: the same files from a slow server, and from a folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.process import measured
from benchmarks.statistic import Series, interleaved, series
from wsparquet.api.credentials import VARIABLES
from wsparquet.emulator import DEMO

__all__ = ["ACCOUNT", "FILE_SIZE", "LATENCY_MS", "syncing"]

ACCOUNT = "75555851"
PARTS = 2
FILE_SIZE = 1_000_000
"""Bytes of JSON in each file."""
LATENCY_MS = 20
"""Of the server, each way."""
_PROGRAM = str(Path(sys.executable).with_name("wsparquet"))


@contextmanager
def _serving(folder: Path, files: int, *, seed: int) -> Iterator[list[str]]:
    """The options with which commands speak with an emulator, which is a process of its own."""
    shape = ["--hours", str(-(-files // PARTS)), "--parts", str(PARTS), "--size", str(FILE_SIZE), "--seed", str(seed)]
    command = [_PROGRAM, "serve", "--account", ACCOUNT, "--latency", str(LATENCY_MS), *shape]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        if server.stdout is None:
            raise RuntimeError("expected a server's output, found none")
        url = server.stdout.readline().strip()
        key = folder / "key.toml"
        key.touch(mode=0o600)
        key.write_text("".join(f'{name} = "{getattr(DEMO, name)}"\n' for name in VARIABLES), encoding="utf-8")
        try:
            yield ["--account", ACCOUNT, "--base-url", url, "--credentials", str(key)]
        finally:
            server.terminate()


def syncing(folder: Path, *, files: int, seed: int, runs: int) -> dict[str, Series]:
    """Wall seconds of converting files from a folder, and of downloading and converting the same ones."""
    raw, lake = folder / "sync-raw", folder / "sync-lake"
    with _serving(folder, files, seed=seed) as server:
        # The server makes its files when they are asked for, so this is not measured.
        measured([_PROGRAM, "fetch", *server, "--into", str(raw), "--quiet"])
        commands = {
            "convert, from a folder": [_PROGRAM, "convert", str(raw), "--to", str(lake), "--quiet"],
            "sync, from a server": [_PROGRAM, "sync", *server, "--to", str(lake), "--quiet"],
        }

        def run(name: str) -> float:
            shutil.rmtree(lake, ignore_errors=True)
            return measured(commands[name]).wall

        return {name: series(walls) for name, walls in interleaved(list(commands), run, runs=runs).items()}

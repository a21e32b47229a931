"""What masks cost: the same files converted without masks, and with three hashed columns in every table."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from benchmarks.process import measured
from benchmarks.statistic import Series, interleaved, series
from wsparquet.generate import generate_files

__all__ = ["masking"]

HASHED = ("visitId", "visitorId", "contextId")
FILES = 4
_PROGRAM = str(Path(sys.executable).with_name("wsparquet"))


def masking(folder: Path, *, size: int, seed: int, runs: int) -> dict[str, Series]:
    """CPU seconds of a conversion with one job, by kind of masks. ``size``: the bytes of JSON of each file."""
    raw, lake = folder / "mask-raw", folder / "mask-lake"
    generate_files(raw, files=FILES, size=size, seed=seed)
    key = folder / "mask-key"
    key.touch(mode=0o600)
    key.write_text("00112233445566778899aabbccddeeff")
    convert = [_PROGRAM, "convert", str(raw), "--to", str(lake), "--jobs", "1", "--quiet", "--key-file", str(key)]
    commands = {
        "no masks": convert,
        f"{len(HASHED)} hashed columns": [*convert, *(f"--mask={name}=hash" for name in HASHED)],
        "both presets": [*convert, "--mask-pii", "--mask-network"],
    }

    def run(name: str) -> float:
        shutil.rmtree(lake, ignore_errors=True)
        return measured(commands[name]).cpu

    return {name: series(found) for name, found in interleaved(list(commands), run, runs=runs).items()}

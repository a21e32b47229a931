"""wsparquet with its reference decoder, which is plain Python: the command line, as a user runs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.contenders.wsparquet_native import run

PACKAGES = ("wsparquet",)


def convert(sources: Sequence[Path], output: Path) -> None:
    """Write the tables of all sources, each source one commit."""
    run(sources, output, decoder="reference")

"""wsparquet without its native crate, as where there was no cargo: the command line, as a user runs it.

Its decoder is plain Python, its Parquet writer is pyarrow's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contenders.wsparquet_native import run

PACKAGES = ("wsparquet",)


def convert(sources: Sequence[Path], output: Path) -> None:
    """Write the tables of all sources, each source one commit."""
    sys.modules["wsparquet._native"] = None  # type: ignore[assignment] - what Python takes for "cannot be imported"
    run(sources, output, decoder="reference")

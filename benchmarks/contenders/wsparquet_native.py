"""wsparquet with its native decoder: the command line, as a user runs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

PACKAGES = ("wsparquet",)


def missing() -> str | None:
    """Why it cannot run here; None if it can."""
    from wsparquet.decode import active_decoder
    from wsparquet.errors import DecodeError

    try:
        active_decoder("native")
    except DecodeError as error:
        return str(error)
    return None


def run(sources: Sequence[Path], output: Path, *, decoder: str) -> None:
    """Convert with one of the decoders; leaves the process with the exit code."""
    from wsparquet.cli import main

    names = [str(source) for source in sources]
    sys.argv = ["wsparquet", "convert", *names, "--to", str(output), "--decoder", decoder, "--quiet"]
    main()


def convert(sources: Sequence[Path], output: Path) -> None:
    """Write the tables of all sources, each source one commit."""
    run(sources, output, decoder="native")

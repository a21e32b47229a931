"""Formats sizes for people to read, and tells whether a person sits at the terminal."""

from __future__ import annotations

import sys

__all__ = ["human_bytes", "is_terminal"]


def is_terminal() -> bool:
    """Return whether a person can type input and see output."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def human_bytes(count: int) -> str:
    """Format a number of bytes for people, with units that are powers of 1024."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"

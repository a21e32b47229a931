"""Sizes for people to read."""

from __future__ import annotations

import re

__all__ = ["human_bytes", "with_flags"]

_PARAMETERS = (
    "account again base_url connections credentials decoder defects delete downloads dry_run expiring failing files "
    "form host jobs max_inflated max_line max_quarantined max_ratio max_record older_than port raw recheck region "
    "samples seed since single_writer size stale storage_options until"
)
FLAGS = {name: "--" + name.replace("_", "-") for name in _PARAMETERS.split()} | {"storage_options": "--storage-option"}
"""The command line's option for each parameter that a message may name."""


def human_bytes(count: int) -> str:
    """A number of bytes as people read it, in powers of 1024."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def with_flags(text: str) -> str:
    """A message of the library with the command line's options in place of the names of parameters in backticks."""
    return re.sub(r"`([a-z_]+)`", lambda found: FLAGS.get(found[1], found[0]), text)

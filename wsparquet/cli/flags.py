"""The command-line option for each parameter that a message of the library may name."""

from __future__ import annotations

import re

__all__ = ["in_flags"]

ODD_FLAGS = {
    "storage_options": "--storage-option",
    "pause_seconds": "--pause",
    "latency_seconds": "--latency",
    "to": "--to",
    "faults": "--fault",
    "fault": "--fault",
}
"""Parameters whose flag is not their own name with dashes."""

SAME_FLAGS = frozenset(
    {
        *("account", "again", "base_url", "credentials", "decoder", "defects", "delete", "downloads"),
        *("dry_run", "expiring", "failing", "files", "form", "host", "jobs"),
        *("max_inflated", "max_line", "max_quarantined", "max_ratio", "max_record", "older_than"),
        *("port", "raw", "recheck", "region", "samples", "seed", "since", "single_writer", "size", "stale", "until"),
    }
)
"""Parameters whose flag is their own name with dashes."""


def in_flags(message: str) -> str:
    """Return a message of the library, with the flag in place of each parameter that it names in backticks.

    Example:
        >>> in_flags("allow more with `max_quarantined`")
        'allow more with --max-quarantined'

    """
    return re.sub("`([a-z_]+)`", _flag, message)


def _flag(match: re.Match[str]) -> str:
    name = match[1]
    if name in SAME_FLAGS:
        return f"--{name.replace('_', '-')}"
    return ODD_FLAGS.get(name, match[0])

"""Maps each parameter that a message of the library may name to its command-line option."""

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
    "dates": "--date",
    "tables": "--table",
    "visitors": "--visitor",
    "customers": "--customer",
    "from_file": "--from",
}
"""The parameters whose flag is not the name of the parameter with dashes instead of underscores."""

SAME_FLAGS = frozenset(
    {
        *("account", "again", "base_url", "before", "catalog", "compact", "credentials", "decoder", "defects"),
        *("delete", "describe", "downloads", "dry_run", "expiring", "failing", "files", "force_account"),
        *("form", "host", "jobs", "keep", "key_file", "mask", "max_days", "max_failures", "max_inflated"),
        *("max_line", "max_quarantined", "max_ratio", "max_record", "memory", "min_files", "older_than"),
        *("policy", "port", "profile", "raw", "recheck", "region", "samples", "search", "seed", "shard"),
        *("since", "single_writer", "size", "stale", "stop", "target_size", "until", "yes"),
    }
)
"""The parameters whose flag is the name of the parameter with dashes instead of underscores."""


def in_flags(message: str) -> str:
    """Replace each parameter in backticks in a message of the library with the parameter's command-line flag.

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

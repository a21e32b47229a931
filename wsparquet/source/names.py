"""Parses the URL of a source: its last component, its account, and its suffix."""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["account_of", "last_component", "wrong_suffix"]

ACCOUNT = re.compile(r"/account/([A-Za-z0-9_-]+)/")
FORMAT_SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".zip": "zip"}


def wrong_suffix(name: str, format_name: str) -> str | None:
    """Return the suffix of ``name``, unchanged, or None if the suffix fits the format ``format_name``."""
    for suffix, promised in FORMAT_SUFFIXES.items():
        if name.lower().endswith(suffix) and promised not in format_name.split("+"):
            return name[-len(suffix) :]
    return None


def last_component(path: str) -> str:
    """Return the text after the last slash or backslash of a path, ignoring slashes at its end."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def account_of(url: str) -> str | None:
    """Return the account in the ``/account/<id>/`` part of a URL; None if the URL has no such part."""
    match = ACCOUNT.search(unquote(url))
    return match[1] if match else None

"""What a source's URL says: its last component, its account, its suffix."""

from __future__ import annotations

import re
from urllib.parse import unquote

__all__ = ["account_of", "last_component", "wrong_suffix"]

ACCOUNT = re.compile(r"/account/([A-Za-z0-9_-]+)/")
FORMAT_SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".zip": "zip"}


def wrong_suffix(name: str, format_name: str) -> str | None:
    """The suffix of ``name`` that promises another format than ``format_name``, as it is written; else None."""
    for suffix, promised in FORMAT_SUFFIXES.items():
        if name.lower().endswith(suffix) and promised not in format_name.split("+"):
            return name[-len(suffix) :]
    return None


def last_component(path: str) -> str:
    """The last component of a path, of either slash, as it is written; never a path."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def account_of(url: str) -> str | None:
    """The account in a URL's ``/account/<id>/``, if it is there."""
    match = ACCOUNT.search(unquote(url))
    return match[1] if match else None

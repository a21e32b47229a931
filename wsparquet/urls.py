"""Distinguishes URLs from paths."""

from __future__ import annotations

import os
import re

__all__ = ["is_half_url", "is_url"]

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")
HALF_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/)")


def is_url(text: str) -> bool:
    """Return whether an argument is a URL or a chain of URLs, as in fsspec, rather than a path."""
    return URL.match(text) is not None


def is_half_url(text: str) -> bool:
    """Return whether an argument looks like a URL that lacks a slash (``s3:/bucket/x``), rather than a path."""
    return HALF_URL.match(text) is not None and not os.path.lexists(text.partition("/")[0])

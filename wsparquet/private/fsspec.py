"""Helpers for paths and threads that fsspec has for its own file systems.

Tried with fsspec 2026.9.0.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fsspec.asyn import sync  # type: ignore[import-untyped]
from fsspec.utils import glob_translate  # type: ignore[import-untyped]

__all__ = ["glob_pattern", "own_path", "run"]


def glob_pattern(glob: str) -> str:
    """Return the regular expression that fsspec compares paths with for a glob."""
    pattern: str = glob_translate(glob)
    return pattern


def own_path(filesystem: Any, path: str) -> str:
    """Return a path or URL as the file system itself spells it, without the protocol."""
    own: str = filesystem._strip_protocol(path)  # noqa: SLF001
    return own


def run(filesystem: Any, coroutine: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """Return the result of a coroutine that runs in the event loop of a file system, from another thread."""
    return sync(filesystem.loop, coroutine, *arguments)

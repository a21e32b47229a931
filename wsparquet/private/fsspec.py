"""The helpers for paths and threads that fsspec provides for its own file systems.

Tried with fsspec 2026.9.0.
"""

from __future__ import annotations

import codecs
from collections.abc import Awaitable, Callable
from typing import Any

from fsspec.asyn import sync  # type: ignore[import-untyped]
from fsspec.utils import glob_translate  # type: ignore[import-untyped]

__all__ = ["glob_pattern", "own_path", "page", "run"]


def glob_pattern(glob: str) -> str:
    """Return the regular expression with which fsspec matches paths against a glob."""
    pattern: str = glob_translate(glob)
    return pattern


def own_path(filesystem: Any, path: str) -> str:
    """Return a path or URL in the file system's own spelling, without the protocol."""
    own: str = filesystem._strip_protocol(path)  # noqa: SLF001
    return own


def run(filesystem: Any, coroutine: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """Return the result of a coroutine that runs in the event loop of a file system, from another thread."""
    return sync(filesystem.loop, coroutine, *arguments)


def page(filesystem: Any, url: str, most: int) -> tuple[bytes, str, str]:
    """Return the body of an HTTP answer as sent, its content type, and its character set.

    Reading stops as soon as the body has ``most`` bytes. fsspec's public methods return either the body or the headers.
    Raises OSError and the errors of aiohttp.
    """
    return sync(filesystem.loop, _page, filesystem, url, most)  # type: ignore[no-any-return]


async def _page(filesystem: Any, url: str, most: int) -> tuple[bytes, str, str]:
    session = await filesystem.set_session()
    async with session.get(filesystem.encode_url(url), **filesystem.kwargs) as answer:
        filesystem._raise_not_found_for_status(answer, url)  # noqa: SLF001
        body = bytearray()
        while len(body) < most and (piece := await answer.content.read(1 << 20)):
            body += piece
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return bytes(body), kind, _charset(answer.charset)


def _charset(name: str | None) -> str:
    try:
        return codecs.lookup(name or "utf-8").name
    except LookupError:
        return "utf-8"

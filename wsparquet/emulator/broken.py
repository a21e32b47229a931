"""Faulty responses: the bytes that a failing connection or server sends."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web

__all__ = ["BODIES", "broken_body", "hang", "reset"]

BODIES = frozenset(
    {"stall-mid-body", "reset-mid-body", "truncated", "truncated-chunked", "length-too-long", "length-too-short"}
)
"""The faults that affect the body of a response."""


class Dropped(web.Response):
    """The response object for a connection that is already closed."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Send nothing."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Send nothing."""


def reset(request: web.Request) -> web.StreamResponse:
    """Reset the connection."""
    if request.transport is not None:
        request.transport.abort()
    return Dropped()


async def hang(request: web.Request, seconds: float) -> web.StreamResponse:
    """Send nothing for the given time or until the client disconnects, then reset the connection."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end and request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(min(0.05, seconds))
    return reset(request)


async def broken_body(
    request: web.Request, body: bytes, fault: str, *, status: int, headers: dict[str, str], stall_seconds: float
) -> web.StreamResponse:
    """Respond with a body that has one of the faults in ``BODIES``."""
    # Do not truncate at the end of a gzip member: the body would look complete.
    begun = body[: len(body) // 20]
    response = web.StreamResponse(status=status, headers=headers)
    if fault == "truncated-chunked":
        response.enable_chunked_encoding()
    else:
        announced = {"length-too-long": len(body) + 1000, "length-too-short": len(begun)}
        response.content_length = announced.get(fault, len(body))
    with contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write(body if fault == "length-too-long" else begun)
        if fault in {"truncated-chunked", "length-too-short"}:
            await response.write_eof()
            return response
    return await _ended(request, fault, stall_seconds)


async def _ended(request: web.Request, fault: str, stall_seconds: float) -> web.StreamResponse:
    if fault == "stall-mid-body":
        return await hang(request, stall_seconds)
    if fault == "reset-mid-body":
        return reset(request)
    if request.transport is not None:
        # The transport still sends the bytes written so far.
        request.transport.close()
    return Dropped()

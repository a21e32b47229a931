"""Starts and stops a server, without leaving connections open."""

from __future__ import annotations

import asyncio
from typing import cast

from aiohttp import web

__all__ = ["Runner"]

ACCEPT_STEPS = 3
"""How often an event loop must run its ready callbacks until a connection that it accepts has its handler.

The steps are those of ``asyncio``: the task of the connection begins, the transport calls ``connection_made``, and the
task ends.
"""


class Runner(web.AppRunner):
    """aiohttp's runner, which also closes connections that clients open while the server stops.

    aiohttp closes the connections that already have a handler. ``asyncio`` forgets a connection that it has accepted,
    if the server is closed before the connection has a handler. Both stay open until Python deletes them, with a
    ResourceWarning.
    """

    _listening: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> tuple[str, int]:
        """Start the server and return its address. Raises OSError and UnicodeError if it cannot listen there."""
        await self.setup()
        server = cast("web.Server", self.server)
        self._listening = await asyncio.get_running_loop().create_server(server, host, port)
        found = self._listening.sockets[0].getsockname()
        return found[0], found[1]

    async def cleanup(self) -> None:
        """Stop the server and close its connections."""
        if self._listening is not None:
            for listening in self._listening.sockets:
                asyncio.get_running_loop().remove_reader(listening)
            for _ in range(ACCEPT_STEPS):
                await asyncio.sleep(0)
            self._listening.close()
        await super().cleanup()

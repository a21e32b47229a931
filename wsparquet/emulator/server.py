"""The HTTP server: routes, signatures, lists, downloads, and faults."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from aiohttp import hdrs, web

from wsparquet.emulator import answers, traps
from wsparquet.emulator.broken import BODIES, broken_body, hang, reset
from wsparquet.emulator.catalogue import KEPT_MS, Catalogue, Entry
from wsparquet.emulator.faults import DOWNLOAD, LISTING, Dice
from wsparquet.emulator.oauth import Verifier
from wsparquet.emulator.options import EmulatorOptions
from wsparquet.emulator.runner import Runner
from wsparquet.errors import WsparquetError

__all__ = ["Emulator", "Request", "in_thread", "serving"]

Server = TypeVar("Server")

REFUSED_TYPES = ("application/gzip", "application/octet-stream")
STOP_SECONDS = 1.0
STATUSES = {"429": 429, "429-retry-after": 429, "500": 500, "503": 503}
REMEDIES = {
    errno.EADDRINUSE: "choose another `port`, or omit `port` to use any free port",
    errno.EACCES: "choose a `port` of 1024 or more",
    errno.EADDRNOTAVAIL: "choose a `host` that is an address of this machine",
}
PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to the network</body></html>"


@dataclass
class Request:
    """A received request.

    ``path``: the path as the client sent it. ``fault``: the fault that the emulator caused, if any. ``status``: the
    status of the response, or None if there was no response.
    """

    method: str
    path: str
    fault: str | None
    signed: bool
    range: str | None
    status: int | None = None


# Each connection has its own task, which handles requests one after the other.
ANSWERED: ContextVar[Request] = ContextVar("answered")


class Emulator:
    """A running server for one account. ``base_url``: its URL. ``log``: the requests that it has received.

    Raises:
        WsparquetError: on entering the context, if the server cannot listen at the address.

    """

    def __init__(self, options: EmulatorOptions = EmulatorOptions()) -> None:  # noqa: B008 - frozen
        self.options = options
        self.base_url = ""
        self.log: list[Request] = []
        self._folder = tempfile.TemporaryDirectory(prefix="wsparquet-emulator-")
        self.catalogue = Catalogue(options, Path(self._folder.name))
        self._verifier = Verifier(options.credentials)
        self._dice = Dice(options.faults, seed=options.seed, most=options.most_faults)

    @property
    def resource(self) -> str:
        """The URL of the account's base resource."""
        return f"{self.base_url}/data_access_le/account/{self.options.account}/le"

    @property
    def downloads(self) -> Counter[str]:
        """The number of requests for each file, keyed by the last component of its path."""
        asked = (request.path.partition("?")[0] for request in self.log)
        return Counter(path.rpartition("/")[2] for path in asked if "/webSession/" in path)

    def heal(self) -> None:
        """Stop producing faults."""
        self._dice.heal()

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._middleware])
        app.on_response_prepare.append(_note_status)
        base = "/data_access_le/account/{account}/le"
        app.router.add_get(base, self._base)
        app.router.add_get(f"{base}/schema", self._schema)
        app.router.add_get(f"{base}/webSession", self._list)
        app.router.add_get(f"{base}/webSession/{{name:.+}}", self._download)
        self._runner = Runner(app, access_log=None, shutdown_timeout=STOP_SECONDS)
        host, port = await self._listen()
        self.base_url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        return self

    async def _listen(self) -> tuple[str, int]:
        host, port = self.options.host, self.options.port
        try:
            return await self._runner.listen(host, port)
        except (OSError, UnicodeError) as error:
            await self.__aexit__()
            raise WsparquetError(f"{host}:{port}: expected an address to listen at, found: {_why(error)}") from error

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        self._folder.cleanup()

    # --- Every request ------------------------------------------------------------------------------------------------

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self.options.latency_seconds:
            await asyncio.sleep(self.options.latency_seconds)
        kinds = DOWNLOAD if "/webSession/" in request.path else LISTING if "webSession" in request.path else frozenset()
        fault = self._dice.throw(request.path, kinds)
        entry = Request(
            request.method,
            request.raw_path,
            fault,
            hdrs.AUTHORIZATION in request.headers,
            request.headers.get(hdrs.RANGE),
        )
        self.log.append(entry)
        ANSWERED.set(entry)
        response = self._refusal(request) or await self._failed(request, fault) or await handler(request)
        if self.options.latency_seconds and not response.prepared:
            await asyncio.sleep(self.options.latency_seconds)
        return response

    def _refusal(self, request: web.Request) -> web.Response | None:
        """Return the error response to an invalid request; None if the request is valid."""
        account = self.options.account
        if not self._verifier.is_valid(
            f"{self.base_url}{request.raw_path}", method=request.method, headers=request.headers
        ):
            return self._error(401, "Unauthorized: the OAuth signature is missing or wrong", "0001")
        if request.match_info.get("account", account) != account:
            return self._error(403, f"No access to account {request.match_info['account']}", "0003")
        if any(kind in request.headers.get(hdrs.ACCEPT, "") for kind in REFUSED_TYPES):
            return self._error(406, "Not acceptable", "0006")
        return None

    def _error(self, status: int, message: str, code: str, **headers: str) -> web.Response:
        body, content_type = answers.error_body(message, code, form=self.options.errors)
        return web.Response(status=status, text=body, content_type=content_type, headers=headers)

    async def _failed(self, request: web.Request, fault: str | None) -> web.StreamResponse | None:
        """Return the response for a fault that does not depend on the requested content."""
        if fault in STATUSES:
            headers = {"Retry-After": self.options.retry_after} if fault == "429-retry-after" else {}
            return self._error(STATUSES[fault], f"A deliberate fault of the emulator: {fault}", "0500", **headers)
        if fault == "html-error":
            return web.Response(text=PAGE, content_type="text/html")
        if fault == "reset":
            return reset(request)
        if fault == "stall":
            return await hang(request, self.options.stall_seconds)
        return self._redirect(request, fault)

    def _redirect(self, request: web.Request, fault: str | None) -> web.Response | None:
        targets = {"redirect": self.base_url, "redirect-elsewhere": self.options.hostile_url}
        # Do not redirect a request that is itself the result of a redirect.
        if fault not in targets or "redirected" in request.query:
            return None
        mark = "&" if request.query_string else "?"
        location = f"{targets[fault]}{request.raw_path}{mark}redirected=1"
        return web.Response(status=302, headers={hdrs.LOCATION: location})

    # --- Resources ----------------------------------------------------------------------------------------------------

    async def _base(self, _: web.Request) -> web.Response:
        return web.json_response(answers.base_resource(self.options.account, self.resource))

    async def _schema(self, request: web.Request) -> web.Response:
        if request.query.get("schemaId", "latest") != "latest":
            return self._error(404, "No such schema", "0004")
        schema = answers.own_schema() if self.options.schema is None else self.options.schema
        return web.json_response(schema)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        try:
            start, end = (int(request.query[key]) for key in ("startTime", "endTime"))
        except (KeyError, ValueError):
            return self._error(400, "startTime and endTime are required, in milliseconds", "0002")
        entries = self._entries(start, end)
        if ANSWERED.get().fault == "duplicate-names":
            entries = traps.repeated(entries)
        if ANSWERED.get().fault == "hostile-href":
            entries = [*entries, *traps.hostile(self.options.hostile_url, self.base_url)]
        if not entries:
            return self._error(404, "No Available Files", "0010")
        body = json.dumps(answers.listing(self.options.account, self.resource, entries)).encode()
        return await self._body(request, body, status=200, headers={"Content-Type": "application/json"})

    def _entries(self, start: int, end: int) -> list[tuple[Entry, str]]:
        oldest = int(self.options.now() * 1000) - KEPT_MS
        files = self.catalogue.files().values()
        found = [each for each in files if max(start, oldest) <= each.end_ms and each.start_ms <= end]
        return [(entry, f"{self.resource}/webSession/{traps.quoted(entry.name)}") for entry in found]

    async def _download(self, request: web.Request) -> web.StreamResponse:
        entry = self.catalogue.find(request.match_info["name"])
        if entry is None:
            return self._error(404, "No such file", "0004")
        path = await asyncio.to_thread(self.catalogue.path, entry)
        if ANSWERED.get().fault in BODIES:
            return await self._part(request, path)
        return web.FileResponse(path, headers={"Content-Type": "application/gzip"})

    async def _part(self, request: web.Request, path: Path) -> web.StreamResponse:
        """Send the requested range of a file with a faulty body, but with the headers of a correct response."""
        data = path.read_bytes()
        status = path.stat()
        # Use the same format of entity tags as FileResponse, so that a later range request matches the file.
        headers = {"Content-Type": "application/gzip", "ETag": f'"{status.st_mtime_ns:x}-{status.st_size:x}"'}
        first = request.http_range.start
        if first is None or first >= len(data):
            return await self._body(request, data, status=200, headers=headers)
        end = min(request.http_range.stop or len(data), len(data))
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
        return await self._body(request, data[first:end], status=206, headers=headers)

    async def _body(
        self, request: web.Request, body: bytes, *, status: int, headers: dict[str, str]
    ) -> web.StreamResponse:
        fault = ANSWERED.get().fault
        if fault in BODIES:
            seconds = self.options.stall_seconds
            return await broken_body(request, body, fault, status=status, headers=headers, stall_seconds=seconds)
        return web.Response(status=status, body=body, headers=headers)


def _why(error: OSError | UnicodeError) -> str:
    """Return the reason why the server cannot listen at the address, and a remedy."""
    code = error.errno if isinstance(error, OSError) and not isinstance(error, socket.gaierror) else None
    if code is None:
        return f"{getattr(error, 'strerror', None) or error}; choose a `host` that is an address of this machine"
    return f"{os.strerror(code)}; {REMEDIES.get(code, 'choose another `host` or `port`')}"


async def _note_status(_: web.Request, response: web.StreamResponse) -> None:
    # The status of a FileResponse is known only after it is sent.
    if (entry := ANSWERED.get(None)) is not None:
        entry.status = response.status


@contextmanager
def serving(options: EmulatorOptions = EmulatorOptions()) -> Iterator[Emulator]:  # noqa: B008 - frozen
    """Run an emulator in its own thread."""
    with in_thread(Emulator(options)) as emulator:
        yield emulator


@contextmanager
def in_thread(server: AbstractAsyncContextManager[Server]) -> Iterator[Server]:
    """Run a server in its own thread, with its own event loop."""
    ready: Future[tuple[Server, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        ended = asyncio.Event()
        async with server as entered:
            ready.set_result((entered, asyncio.get_running_loop(), ended))
            await ended.wait()

    def run() -> None:
        # Unlike a loop that is only stopped, ``asyncio.run`` also closes connections that were just being accepted.
        try:
            asyncio.run(serve())
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    with ThreadPoolExecutor(1, thread_name_prefix="wsparquet-server") as pool:
        running = pool.submit(run)
        entered, loop, ended = ready.result()
        try:
            yield entered
        finally:
            loop.call_soon_threadsafe(ended.set)
            running.result()

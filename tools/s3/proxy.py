"""An HTTP proxy in front of an S3 server. It causes the faults of real servers and connections."""

from __future__ import annotations

import asyncio
import io
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Self

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from wsparquet.emulator.broken import reset
from wsparquet.emulator.runner import Runner
from wsparquet.emulator.server import in_thread

FAULTS = ("slow-down", "reset", "lost-answer", "stall", "cut")
"""The status 503 SlowDown; a reset before the request is forwarded; a reset after the server has processed the request;
silence, and then a reset; half of an answer."""

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}
"""Headers that concern one connection only. The header Host is forwarded unchanged, because signatures cover it."""
CONDITIONS = ("If-Match", "If-None-Match")
ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{}</Code><Message>{}</Message></Error>'
MOST_BYTES = 1 << 30


class Answer(NamedTuple):
    """The server's answer to a request."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


@dataclass
class Settings:
    """The faults that the proxy causes.

    ``probability``: the probability of one of ``kinds`` for each request. ``most_in_a_row``: the maximum number of
    consecutive faults for the same method and path. ``conditions``: how the proxy handles a conditional PUT:
    ``honoured``, ``ignored`` or ``refused``. ``dead_from``: the number of the first request that is reset; all later
    requests are reset, too. ``before`` and ``after`` are called with the method and the path of each request, before
    and after it is forwarded, and may do anything; if ``after`` returns true, the answer is lost. ``denied`` selects
    the requests that are refused with the status and code of ``denial``. ``rewrite`` returns a replacement for the
    server's answer to a request.
    """

    probability: float = 0.0
    kinds: tuple[str, ...] = FAULTS
    most_in_a_row: int = 3
    stall_seconds: float = 0.5
    seed: int = 0
    conditions: str = "honoured"
    dead_from: int | None = None
    before: Callable[[str, str], object] | None = None
    after: Callable[[str, str], object] | None = None
    denied: Callable[[str, str], bool] = lambda _method, _path: False
    denial: tuple[int, str] = (403, "AccessDenied")
    rewrite: Callable[[str, str, Answer], Answer] | None = None


@dataclass
class Proxy:
    """A running proxy. ``log`` has the method, the path and the fault (or None) of each request."""

    target: str
    settings: Settings
    url: str = ""
    log: list[tuple[str, str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.settings.seed)
        self._in_a_row: Counter[tuple[str, str]] = Counter()

    def faults(self) -> Counter[str]:
        """Return the number of times that each fault occurred."""
        return Counter(fault for _, _, fault in self.log if fault)

    def _throw(self, request: web.Request) -> str | None:
        key = (request.method, request.raw_path)
        settings = self.settings
        if self._chance.random() >= settings.probability or self._in_a_row[key] >= settings.most_in_a_row:
            self._in_a_row[key] = 0
            return None
        self._in_a_row[key] += 1
        return self._chance.choice(settings.kinds)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, with or without a fault."""
        try:
            body = await request.read()
        except ConnectionError:
            # The client was killed.
            return reset(request)
        fault = self._throw(request)
        self.log.append((request.method, request.raw_path, fault))
        if self.settings.dead_from is not None and len(self.log) >= self.settings.dead_from:
            return reset(request)
        if fault == "slow-down":
            return _error(503, "SlowDown", "Please reduce your request rate.")
        if fault == "stall":
            await asyncio.sleep(self.settings.stall_seconds)
        if fault in {"reset", "stall"}:
            return reset(request)
        if self.settings.denied(request.method, request.raw_path):
            return _error(*self.settings.denial, "Access Denied.")
        if request.method == "PUT" and self.settings.conditions == "refused" and _is_conditional(request):
            return _error(501, "NotImplemented", "A header you provided implies functionality that is not implemented.")
        return await self._pass_on(request, body, fault)

    async def _pass_on(self, request: web.Request, body: bytes, fault: str | None) -> web.StreamResponse:
        headers = CIMultiDict((name, value) for name, value in request.headers.items() if name.lower() not in HOP)
        if self.settings.conditions == "ignored":
            for name in CONDITIONS:
                headers.popall(name, None)
        await _told(self.settings.before, request)
        url = URL(self.target + request.raw_path, encoded=True)
        async with self._session.request(request.method, url, headers=headers, data=io.BytesIO(body)) as answer:
            data = await answer.read()
        status = answer.status
        if await _told(self.settings.after, request) or fault == "lost-answer":
            return reset(request)
        kept = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in HOP)
        if self.settings.rewrite is not None:
            status, kept, data = self.settings.rewrite(request.method, request.raw_path, Answer(status, kept, data))
        if fault == "cut":
            return await _cut(request, status, kept, data)
        if request.method == "HEAD":
            # The header states the length of the body that a GET would return.
            response = web.StreamResponse(status=status, headers=kept)
            response.content_length = int(answer.headers.get("Content-Length", 0))
            await response.prepare(request)
            return response
        return web.Response(status=status, headers=kept, body=data)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_route("*", "/{path:.*}", self.handle)
        self._runner = Runner(app, access_log=None, shutdown_timeout=0.5)
        host, port = await self._runner.listen("127.0.0.1", 0)
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._session.close()


async def _cut(request: web.Request, status: int, headers: CIMultiDict[str], data: bytes) -> web.StreamResponse:
    if len(data) < 2:
        return reset(request)
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = len(data)
    await response.prepare(request)
    await response.write(data[: len(data) // 2])
    return reset(request)


def _error(status: int, code: str, message: str) -> web.Response:
    return web.Response(status=status, text=ERROR.format(code, message), content_type="application/xml")


def _is_conditional(request: web.Request) -> bool:
    return any(name in request.headers for name in CONDITIONS)


async def _told(listener: Callable[[str, str], object] | None, request: web.Request) -> object:
    return None if listener is None else await asyncio.to_thread(listener, request.method, request.raw_path)


@contextmanager
def proxying(target: str, settings: Settings | None = None) -> Iterator[Proxy]:
    """Run a proxy in front of ``target``, in a separate thread."""
    with in_thread(Proxy(target, settings or Settings())) as proxy:
        yield proxy

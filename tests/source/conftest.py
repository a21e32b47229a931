"""Fixtures of the source tests: a real HTTP server with everything that servers do to a download."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

import pytest
from aiohttp import web

from wsparquet.emulator.runner import Runner
from wsparquet.emulator.server import in_thread

BASIC = "Basic " + base64.b64encode(b"reader:pa55word").decode()
Answer = Callable[[web.Request, bytes], web.StreamResponse]


@dataclass
class Server:
    """A running server: ``files`` by path, ``answers`` for paths with manners of their own, and what was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    port: int = 0

    def url(self, path: str, user: str = "") -> str:
        """The URL of a path."""
        return f"http://{user}127.0.0.1:{self.port}{path}"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        self._runner = Runner(app, access_log=None, shutdown_timeout=0.1)
        _, self.port = await self._runner.listen("127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.asked.append((request.method, request.raw_path, request.headers.get("Authorization")))
        content = self.files.get(request.path)
        if content is None:
            raise web.HTTPNotFound
        return self.answers.get(request.path, plain)(request, content)


def plain(request: web.Request, content: bytes) -> web.Response:
    """The whole file whatever range was asked for, with an entity tag."""
    return web.Response(body=content, headers={"ETag": f'"{len(content)}"', "Accept-Ranges": "none"})


def forbidden(request: web.Request, content: bytes) -> web.Response:
    """A refusal."""
    return web.Response(status=403, text=f"no access to {request.url}")


def failing(request: web.Request, content: bytes) -> web.Response:
    """A failing server."""
    return web.Response(status=500)


def index(request: web.Request, content: bytes) -> web.Response:
    """A page of links, as servers list their folders."""
    return web.Response(body=content, content_type="text/html")


def signed(request: web.Request, content: bytes) -> web.Response:
    """The file, if the user is known or the query has its signature."""
    known = request.headers.get("Authorization") == BASIC
    if not known and request.query.get("sig") != "s3cr3t/+":
        return forbidden(request, content)
    return plain(request, content)


def compressing(request: web.Request, content: bytes) -> web.Response:
    """The file, compressed on the way for clients that do not ask for it as it is."""
    response = plain(request, content)
    if request.headers.get("Accept-Encoding") != "identity":
        response.enable_compression(web.ContentCoding.gzip)
    return response


def encoded(request: web.Request, content: bytes) -> web.Response:
    """The file, whose compression the server declares as if it were the transport's."""
    return web.Response(body=content, headers={"Content-Encoding": "gzip"})


def cut(request: web.Request, content: bytes) -> web.Response:
    """Half of the file, where its length promises all of it, and the connection closed."""
    response = web.Response(body=content)
    if request.method == "GET":
        assert request.transport is not None
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        request.transport.write(head + content[: len(content) // 2])
        request.transport.close()
    return response


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a server on a thread of its own."""
    with in_thread(Server()) as served:
        yield served

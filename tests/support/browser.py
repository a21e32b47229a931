"""A page in headless Chromium as a reader sees it, and all that the page asks for and complains about.

Chromium is Debian's package `chromium`. The tests talk to it in Chromium's DevTools protocol, over aiohttp.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import aiohttp
import pytest

from tests.scale import FULL

__all__ = ["Browser", "Seen", "browser", "needs_chromium"]

CHROMIUM = shutil.which("chromium")
SECONDS = 240
EVENTS = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not FULL, reason="needs Chromium: apt-get install chromium; make test-full fails without it"
)


@dataclass(frozen=True)
class Seen:
    """A page that was opened: the URLs it asked for, its complaints, the answers to questions, and a picture."""

    requests: list[str]
    complaints: list[dict[str, Any]]
    answers: list[Any]
    picture: bytes


class Browser:
    """A running Chromium."""

    def __init__(self, port: int) -> None:
        self._port = port

    def open(self, url: str, *questions: str, dark: bool = False, width: int = 1200) -> Seen:
        """Open a page, and ask it questions, which are expressions of JavaScript."""
        return asyncio.run(asyncio.wait_for(self._open(url, questions, dark, width), SECONDS))

    async def _open(self, url: str, questions: tuple[str, ...], dark: bool, width: int) -> Seen:
        with urlopen(f"http://127.0.0.1:{self._port}/json/list", timeout=SECONDS) as answer:
            (page,) = [each for each in json.load(answer) if each["type"] == "page"]
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket,
        ):
            tab = _Tab(socket)
            for domain in ("Page", "Network", "Runtime", "Log"):
                await tab.call(f"{domain}.enable")
            scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
            await tab.call("Emulation.setEmulatedMedia", features=scheme)
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            await tab.call("Emulation.setDeviceMetricsOverride", **size)
            tab.events.clear()
            await tab.call("Page.navigate", url=url)
            await tab.wait_for("Page.loadEventFired")
            answers = [await tab.ask(question) for question in questions]
            picture = await tab.call("Page.captureScreenshot", captureBeyondViewport=True)
            return Seen(
                [
                    each["params"]["request"]["url"]
                    for each in tab.events
                    if each["method"] == "Network.requestWillBeSent"
                ],
                [each for each in tab.events if each["method"] in EVENTS],
                answers,
                base64.b64decode(picture["data"]),
            )


class _Tab:
    """A tab of the browser: calls with their answers, and all events."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == number:
                assert "error" not in message, message
                return dict(message["result"])
            self.events.append(message)

    async def wait_for(self, method: str) -> None:
        while not any(each["method"] == method for each in self.events):
            self.events.append(await self._socket.receive_json())

    async def ask(self, expression: str) -> Any:
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Chromium with a profile of its own, until the end of the context."""
    assert CHROMIUM is not None, "apt-get install chromium"
    options = ["--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--remote-debugging-port=0"]
    if os.geteuid() == 0:
        options.append("--no-sandbox")
    command = [CHROMIUM, *options, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield Browser(_port(profile / "DevToolsActivePort", process))
        finally:
            process.terminate()


def _port(file: Path, process: subprocess.Popen[bytes]) -> int:
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        assert process.poll() is None, "Chromium has ended"
        if file.exists() and (text := file.read_text()).count("\n"):
            return int(text.split("\n")[0])
        time.sleep(0.05)
    raise AssertionError("Chromium has opened no port")

"""wsparquet/emulator/runner.py: a server that stops leaves no connection open."""

from __future__ import annotations

import gc
import socket
import threading
import time
import warnings
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.scale import scaled
from wsparquet.emulator import EmulatorOptions, serving

ROUNDS = scaled(10, 4)


class Clients:
    """Threads that open connections without a pause, until the server no longer accepts any."""

    def __init__(self, base_url: str, request: bytes) -> None:
        url = urlsplit(base_url)
        assert url.hostname
        assert url.port
        self._address, self._request = (url.hostname, url.port), request
        self._opened: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._open) for _ in range(2)]
        for thread in self._threads:
            thread.start()

    def _open(self) -> None:
        with suppress(OSError):
            while True:
                connection = socket.create_connection(self._address, timeout=10)
                self._opened.append(connection)
                connection.sendall(self._request)

    def close(self) -> int:
        """Wait for the threads, close the connections, and return how many were opened."""
        for thread in self._threads:
            thread.join()
        for connection in self._opened:
            connection.close()
        return len(self._opened)


@pytest.mark.parametrize("request_line", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], ids=["silent", "asking"])
def test_connections_opened_while_a_server_stops_are_closed(request_line: bytes) -> None:
    """Clients that connect while the server stops, with and without a request, leave no open connection."""
    opened = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", ResourceWarning)
        for number in range(ROUNDS):
            with serving(EmulatorOptions(hours=1, size=10_000)) as emulator:
                clients = Clients(emulator.base_url, request_line)
                time.sleep(0.005 * number)
            opened.append(clients.close())
            gc.collect()
    assert sum(opened) > ROUNDS
    assert [str(warning.message) for warning in warned] == []

"""How a synchronisation is asked to end, and how it is repeated until that happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from wsparquet.errors import WsparquetError

__all__ = ["Stop", "repeated"]

Result = TypeVar("Result")
POLL_SECONDS = 0.1


class Stop:
    """A request to end a run early: the run finishes the files that it has begun, and begins no other file.

    Signal handlers may use it.

    >>> stop = wsparquet.Stop()
    >>> stop.ask()
    >>> api = wsparquet.ApiOptions(base_url=server)
    >>> wsparquet.fetch("raw", account="75555851", credentials=credentials, api=api, stop=stop)
    <FetchSummary account=75555851, listed=2, interrupted=True, seconds=...>
    """

    # Not a threading.Event: setting it in a signal handler may wait forever for a lock of the interrupted code.
    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        """Request a stop."""
        self.asked = True

    def wait(self, seconds: float) -> bool:
        """Wait at most this many seconds; true as soon as somebody has asked."""
        end = time.monotonic() + seconds
        while not self.asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
        return self.asked


def repeated(run: Callable[[], Result], *, every: float | None, stop: Stop) -> Iterator[Result | WsparquetError]:
    """The outcomes of ``run``, started at a fixed interval in seconds until a stop is requested; a single run if None.

    If a run takes longer than the interval, the next one starts immediately. An error of the first run is raised,
    because it probably comes from the set-up. Later errors are outcomes, because a server or a disk may recover.
    """
    started = time.monotonic()
    yield run()
    while every is not None and not stop.wait(started + every - time.monotonic()):
        started = time.monotonic()
        try:
            outcome: Result | WsparquetError = run()
        except WsparquetError as error:
            outcome = error
        yield outcome

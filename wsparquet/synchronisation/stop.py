"""Stops a synchronisation, or repeats it until it is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from wsparquet.errors import WsparquetError

__all__ = ["Stop", "repeated"]

Result = TypeVar("Result")
POLL_SECONDS = 0.1


class Stop:
    """A request to stop: files in progress are finished, and no new one is started. Safe to use in signal handlers."""

    # Not a threading.Event: setting one in a signal handler may deadlock on a lock that the interrupted code holds.
    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        """Request a stop."""
        self.asked = True

    def wait(self, seconds: float) -> bool:
        """Wait up to this many seconds; True if a stop is requested by then."""
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

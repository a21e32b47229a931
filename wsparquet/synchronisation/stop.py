"""How a synchronisation is asked to end, and how it is repeated until then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from wsparquet.errors import WsparquetError

__all__ = ["Stop", "repeated"]

Result = TypeVar("Result")
POLL_SECONDS = 0.1


class Stop:
    """A wish to end: no new file is begun, those under way are finished. Safe to use from signal handlers."""

    # No threading.Event: setting one in a signal handler may wait forever for a lock that the interrupted code holds.
    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        """Ask to end."""
        self.asked = True

    def wait(self, seconds: float) -> bool:
        """Whether somebody asks within so many seconds."""
        end = time.monotonic() + seconds
        while not self.asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
        return self.asked


def repeated(run: Callable[[], Result], *, every: float | None, stop: Stop) -> Iterator[Result | WsparquetError]:
    """The outcomes of ``run``, begun every so many seconds until somebody asks to stop; of one run if None.

    A run that takes longer is followed by the next at once. The first run's error is raised, since it is most likely
    one of set-up; later ones are outcomes, since a server or a disk may be back an hour later.
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

"""Stops a synchronisation on request, and repeats it until a stop is requested."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from wsparquet.errors import WsparquetError

__all__ = ["Stop", "repeated"]

Result = TypeVar("Result")
POLL_SECONDS = 0.1


class Stop:
    """A request to end a run early: the run finishes the files in progress and starts no others.

    A run that is still listing the server's files ends at once.

    ``ask`` is safe to call in a signal handler.

    >>> stop = wsparquet.Stop()
    >>> stop.ask()
    >>> api = wsparquet.ApiOptions(base_url=server)
    >>> wsparquet.fetch("raw", account="75555851", credentials=credentials, api=api, stop=stop)
    <FetchSummary account=75555851, listed=0, interrupted=True, seconds=...>
    """

    # Do not use threading.Event: a signal handler that sets an event deadlocks if the interrupted code holds the
    # event's lock.
    def __init__(self) -> None:
        self.asked = False
        self.has_files = False
        """Whether files are in progress, which the run must finish. If none are, a signal may end the run at once."""

    def ask(self) -> None:
        """Request a stop."""
        self.asked = True

    def wait(self, seconds: float) -> bool:
        """Wait for at most ``seconds`` for a request to stop. Return whether a stop was requested."""
        end = time.monotonic() + seconds
        while not self.asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
        return self.asked

    async def unless_asked(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """Return the result of ``work``. If a stop is requested earlier, cancel ``work`` and return None."""
        task = asyncio.ensure_future(work)
        try:
            while not self.asked:
                done, _ = await asyncio.wait({task}, timeout=POLL_SECONDS)
                if done:
                    return task.result()
        finally:
            task.cancel()
        await asyncio.wait({task})
        return None

    @contextmanager
    def files_in_progress(self) -> Iterator[None]:
        """Mark files as in progress for the duration of the context."""
        self.has_files = True
        try:
            yield
        finally:
            self.has_files = False


def repeated(run: Callable[[], Result], *, every: float | None, stop: Stop) -> Iterator[Result | WsparquetError]:
    """Call ``run`` once, or every ``every`` seconds until a stop is requested, and yield the results.

    If ``every`` is None, ``run`` is called once. If a run takes longer than the interval, the next run starts
    immediately. An error of the first run is raised, because the configuration is probably wrong. Errors of later runs
    are yielded as results, because a server or disk may recover.
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

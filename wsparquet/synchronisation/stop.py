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
    """A request to end a run early: the run finishes the files in progress and does not start others.

    A run that is still listing the server's files ends at once.

    ``ask`` is safe to call in a signal handler.

    >>> stop = wsparquet.Stop()
    >>> stop.ask()
    >>> api = wsparquet.ApiOptions(base_url=server)
    >>> wsparquet.fetch("raw", account="75555851", credentials=credentials, api=api, stop=stop)
    <FetchSummary account=75555851, listed=0, interrupted=True, seconds=...>
    """

    # Do not use threading.Event: setting it in a signal handler can deadlock on a lock that the interrupted code holds.
    def __init__(self) -> None:
        self.asked = False
        self.has_files = False
        """Whether files are in progress, which a run finishes. Without any, a signal may end the run at once."""

    def ask(self) -> None:
        """Request a stop."""
        self.asked = True

    def wait(self, seconds: float) -> bool:
        """Wait for a request for at most ``seconds``. Return whether there was one."""
        end = time.monotonic() + seconds
        while not self.asked and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
        return self.asked

    async def unless_asked(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """Return the result of ``work``, or cancel it and return None if a stop is requested before it ends."""
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
        """Say for the duration of the context that files are in progress."""
        self.has_files = True
        try:
            yield
        finally:
            self.has_files = False


def repeated(run: Callable[[], Result], *, every: float | None, stop: Stop) -> Iterator[Result | WsparquetError]:
    """Call ``run`` once or, if ``every`` is given, every so many seconds until a stop is requested. Yield the results.

    If a run takes longer than the interval, the next one starts immediately. If the first run fails, its error is
    raised, because the configuration is probably wrong. Later errors are yielded as results, because a server or disk
    may recover.
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

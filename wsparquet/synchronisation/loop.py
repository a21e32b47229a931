"""Runs coroutines from synchronous functions, even if the calling thread already runs an event loop, as in Jupyter.

An interrupt ends them without a traceback.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

__all__ = ["run_coroutine"]

T = TypeVar("T")
POLL_SECONDS = 0.1


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in an event loop of its own, in another thread, and return its result.

    An interrupt is raised here, in the calling thread, and cancels the coroutine. In the loop's own thread an interrupt
    would be raised inside of whichever task just runs: the other tasks would not close their connections, and asyncio
    would print a traceback.
    """
    other = _OtherThread(coroutine)
    try:
        other.thread.start()
        return other.outcome()
    except BaseException:
        # The interrupt may come at any moment, even while the other thread starts.
        other.cancel()
        raise


class _OtherThread(Generic[T]):
    """A thread with its own event loop, which runs a coroutine."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._result: list[T] = []
        self._errors: list[BaseException] = []
        self._cancelled = False
        self._done = False
        self._running = threading.Lock()
        self._started: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []
        context = contextvars.copy_context()
        self.thread = threading.Thread(target=context.run, args=(self._work,), name="wsparquet-loop")

    def _work(self) -> None:
        with self._running:
            try:
                self._result.append(asyncio.run(self._run()))
            except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
                self._errors.append(error)
            self._done = True

    async def _run(self) -> T:
        self._started.append((asyncio.get_running_loop(), asyncio.current_task()))
        if self._cancelled:
            raise asyncio.CancelledError
        return await self._coroutine

    def outcome(self) -> T:
        """Wait for the end of the coroutine, and return its result or raise its error."""
        self._wait()
        if self._errors:
            # Taken out of the list, so that the error and its traceback do not refer to each other.
            raise self._errors.pop()
        return self._result[0]

    def cancel(self) -> None:
        """Cancel the coroutine and wait for its end. Do nothing if the coroutine has already ended."""
        self._cancelled = True
        for loop, task in self._started:
            if task is not None and not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)
        self._wait()
        self._coroutine.close()

    def _wait(self) -> None:
        # ``Thread.join`` takes a thread for ended if a signal interrupts the wait. A signal that arrives just before a
        # wait does not end the wait, so each wait is short.
        while self.thread.is_alive() and not self._done:
            if self._running.acquire(timeout=POLL_SECONDS):
                self._running.release()

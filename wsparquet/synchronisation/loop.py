"""Runs coroutines from synchronous functions, even if the calling thread already runs an event loop, as in Jupyter."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from typing import Any, Generic, TypeVar

__all__ = ["run_coroutine"]

T = TypeVar("T")
POLL_SECONDS = 0.1


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine and return its result. If the calling thread already runs an event loop, use another thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        awake = _kept_awake(coroutine)
        try:
            return asyncio.run(awake)
        finally:
            # After an interrupt before their start, Python would warn that the coroutines were never awaited.
            awake.close()
            coroutine.close()
    return _run_in_thread(coroutine)


async def _kept_awake(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a loop that never waits for long: a signal just before a wait does not end the wait."""
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []

    def tick() -> None:
        timers[:] = [loop.call_later(POLL_SECONDS, tick)]

    tick()
    try:
        return await coroutine
    finally:
        timers[0].cancel()


def _run_in_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    other = _OtherThread(coroutine)
    try:
        other.thread.start()
        # A signal that arrives just before a wait does not end the wait, so each wait is short.
        while not wait([other.result], POLL_SECONDS).done:
            pass
        return other.result.result()
    except BaseException:
        # An interrupt reaches only this thread. The interrupt may come at any moment, even while the other thread
        # starts.
        other.cancel()
        raise


class _OtherThread(Generic[T]):
    """A thread with its own event loop, which runs a coroutine."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.result: Future[T] = Future()
        self._coroutine = coroutine
        self._cancelled = False
        self._started: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []
        context = contextvars.copy_context()
        self.thread = threading.Thread(target=context.run, args=(self._work,), name="wsparquet-loop")

    def _work(self) -> None:
        try:
            self.result.set_result(asyncio.run(self._run()))
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises it
            self.result.set_exception(error)

    async def _run(self) -> T:
        self._started.append((asyncio.get_running_loop(), asyncio.current_task()))
        if self._cancelled:
            raise asyncio.CancelledError
        return await self._coroutine

    def cancel(self) -> None:
        """Cancel the coroutine and wait for its end. Do nothing if the coroutine has already ended."""
        self._cancelled = True
        for loop, task in self._started:
            if task is not None and not loop.is_closed():
                loop.call_soon_threadsafe(task.cancel)
        while self.thread.is_alive() and not self.result.done():
            wait([self.result], POLL_SECONDS)
        self._coroutine.close()

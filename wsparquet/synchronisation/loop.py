"""Runs coroutines from synchronous functions, even if the calling thread already runs an event loop, as in Jupyter."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["run_coroutine"]

T = TypeVar("T")


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine and return its result. If this thread already runs an event loop, use another thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    return _run_in_thread(coroutine)


def _run_in_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def run() -> T:
        task = asyncio.current_task()
        if task is not None:
            started.append((asyncio.get_running_loop(), task))
        return await coroutine

    context = contextvars.copy_context()
    with ThreadPoolExecutor(1, thread_name_prefix="wsparquet-loop") as pool:
        future = pool.submit(context.run, asyncio.run, run())
        try:
            return future.result()
        except BaseException:
            # The interrupt reaches only this thread, so cancel the coroutine's task. Cancelling a finished task does
            # nothing.
            for loop, task in started:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(task.cancel)
            raise

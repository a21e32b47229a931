"""How synchronous functions run coroutines, even if the caller's thread already runs an event loop, as in Jupyter."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["run_coroutine"]

T = TypeVar("T")


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine; it runs in a thread with its own event loop if this thread already runs one."""
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
            # An interrupt arrives in this thread; the coroutine has to learn of it. An ended task ignores it.
            for loop, task in started:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(task.cancel)
            raise

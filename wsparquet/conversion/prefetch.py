"""One step of the work ahead of the next: an iterator that runs in a thread of its own, within bounds."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

__all__ = ["ahead"]

T = TypeVar("T")


@contextmanager
def ahead(items: Iterable[T], *, weight: Callable[[T], int], limit: int) -> Iterator[Iterator[T]]:
    """The items in their order, made by a thread of their own while this one works on earlier ones.

    Items that wait weigh ``limit`` together at most, but for the last that was made. What ``items`` raises is raised
    here, behind the items before it. On leaving, for whatever reason, no more items are asked for and the thread has
    ended; that takes as long as the item that is being made.
    """
    queue = _Queue[T](limit)

    def make() -> None:
        try:
            for item in items:
                if not queue.put(item, weight(item)):
                    return
        finally:
            queue.end()

    with ThreadPoolExecutor(1, thread_name_prefix="wsparquet-ahead") as thread:
        made = thread.submit(make)

        def taken() -> Iterator[T]:
            yield from queue
            made.result()

        try:
            yield taken()
        finally:
            queue.close()


class _Queue(Generic[T]):
    """Items between one thread that makes and one that takes them, bounded by weight."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[tuple[T, int]] = deque()
        self._weight = 0
        self._ended = self._closed = False
        self._changed = threading.Condition()

    def put(self, item: T, weight: int) -> bool:
        """Hand over an item, waiting for room behind it; False if nobody will take any more."""
        with self._changed:
            self._items.append((item, weight))
            self._weight += weight
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._weight <= self._limit)
            return not self._closed

    def end(self) -> None:
        """Say that no item will come any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Say that no item will be taken any more; those that wait are dropped."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()

    def __iter__(self) -> Iterator[T]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._ended)
                if not self._items:
                    return
                item, weight = self._items.popleft()
                self._weight -= weight
                self._changed.notify_all()
            yield item

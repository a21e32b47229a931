"""Prefetching: runs an iterator in a separate thread, with a limit on the items that wait."""

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
    """Yield an iterator over ``items``, which a separate thread produces ahead of the consumer, in the same order.

    The waiting items weigh at most ``limit`` in total, not counting the item produced last. An error in ``items`` is
    raised after the items that precede the error. Leaving the context stops the thread after the item that it is
    producing, and waits for its end.
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
    """A queue between one producer and one consumer, bounded by the weight of its items."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: deque[tuple[T, int]] = deque()
        self._weight = 0
        self._ended = self._closed = False
        self._changed = threading.Condition()

    def put(self, item: T, weight: int) -> bool:
        """Add an item and wait until the queue is within its limit; return False if the consumer has closed it."""
        with self._changed:
            self._items.append((item, weight))
            self._weight += weight
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._weight <= self._limit)
            return not self._closed

    def end(self) -> None:
        """Mark the end: the producer adds no more items."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Drop the waiting items. Later calls of ``put`` return False."""
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

"""wsparquet/conversion/prefetch.py: order, bounds, errors and ends of an iterator that runs in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from wsparquet.conversion.prefetch import ahead


def threads() -> list[str]:
    """The names of all threads that such iterators have left running."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("wsparquet-ahead")]


def eventually(done: Callable[[], bool]) -> None:
    """Wait until something is so that another thread brings about."""
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class Made:
    """Numbers from 0 on, and how many of them were asked for."""

    def __init__(self, end: int | None = None, error: Exception | None = None) -> None:
        self.end = end
        self.error = error
        self.asked = 0

    def __iter__(self) -> Iterator[int]:
        for number in count() if self.end is None else range(self.end):
            self.asked += 1
            yield number
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("limit", [0, 5, 1 << 30])
@pytest.mark.parametrize("length", [0, 1, 1000])
def test_items_come_whole_and_in_order(length: int, limit: int) -> None:
    """However little may wait, none is lost and none passes another."""
    with ahead(Made(length), weight=lambda number: number % 4, limit=limit) as items:
        assert list(items) == list(range(length))
    assert threads() == []


def test_items_are_made_while_others_are_used_and_no_more_than_may_wait() -> None:
    """The maker goes on by itself until the limit is passed, and on from there for each item that is taken."""
    made = Made()
    with ahead(made, weight=lambda _: 10, limit=30) as items:
        eventually(lambda: made.asked == 4)
        time.sleep(0.05)
        assert made.asked == 4
        assert next(items) == 0
        eventually(lambda: made.asked == 5)
        time.sleep(0.05)
        assert made.asked == 5
    assert made.asked == 5


def test_an_error_of_the_maker_comes_behind_its_items() -> None:
    """What was made before the fault is handed out, then the very same error is raised."""
    error = OSError("the disk is gone")
    with ahead(Made(3, error), weight=lambda _: 1, limit=99) as items:
        assert [next(items) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(OSError, match="gone") as raised:
            next(items)
    assert raised.value is error
    assert threads() == []


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("taken", [0, 1, 10])
def test_an_error_of_the_taker_ends_the_maker(taken: int, error: type[BaseException]) -> None:
    """Whoever leaves early, with the maker waiting for room, waits for its thread's end and keeps the error."""
    made = Made()

    def take() -> None:
        with ahead(made, weight=lambda _: 1, limit=2) as items:
            for _ in range(taken):
                next(items)
            eventually(lambda: made.asked == taken + 3)
            raise error

    with pytest.raises(error):
        take()
    assert threads() == []
    assert made.asked == taken + 3


def test_the_taker_may_leave_while_an_item_is_made() -> None:
    """The item under way is dropped, and nothing waits for another one."""
    going, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[int]:
        going.set()
        go_on.wait(10)
        yield 1
        raise AssertionError

    with ahead(slow(), weight=lambda _: 1, limit=9):
        assert going.wait(10)
        go_on.set()
    assert threads() == []

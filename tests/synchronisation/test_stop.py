"""wsparquet/synchronisation/stop.py: runs that repeat until somebody asks to stop."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from typing import Any

import pytest

from wsparquet.errors import ApiError
from wsparquet.synchronisation import Stop, repeated


def test_without_an_interval_there_is_one_run() -> None:
    """A run that is not to be repeated happens once."""
    assert list(repeated(lambda: 1, every=None, stop=Stop())) == [1]


def test_runs_repeat_until_somebody_asks() -> None:
    """Runs are begun again every interval; asked to stop, no other one begins."""
    stop, began = Stop(), []

    def run() -> int:
        began.append(time.monotonic())
        if len(began) == 4:
            stop.ask()
        return len(began)

    assert list(repeated(run, every=0.05, stop=stop)) == [1, 2, 3, 4]
    assert all(later - earlier >= 0.05 for earlier, later in itertools.pairwise(began))


def test_the_first_error_is_raised_and_later_ones_are_outcomes() -> None:
    """A first run that fails ends it all; one that fails later is told, and the next one tried."""
    stop = Stop()
    runs: list[Any] = []

    def run() -> int:
        runs.append(len(runs))
        if len(runs) == 2:
            raise ApiError("down")
        if len(runs) == 3:
            stop.ask()
        return len(runs)

    outcomes = list(repeated(run, every=0.001, stop=stop))
    assert [str(outcome) for outcome in outcomes] == ["1", "down", "3"]

    def fail() -> int:
        raise ApiError("wrong key")

    with pytest.raises(ApiError, match="wrong key"):
        list(repeated(fail, every=0.001, stop=Stop()))


def test_waiting_ends_when_somebody_asks() -> None:
    """A wait of an hour ends soon after another thread asks to stop."""
    stop = Stop()
    threading.Timer(0.05, stop.ask).start()
    began = time.monotonic()
    assert stop.wait(3600)
    assert time.monotonic() - began < 60
    assert not Stop().wait(0.001)


def test_work_ends_when_somebody_asks() -> None:
    """Work that would take an hour is cancelled soon after a request; work that ends before gives its result."""
    stop = Stop()
    ended: list[str] = []

    async def hour() -> str:
        try:
            return await asyncio.sleep(3600, "an hour later")
        finally:
            ended.append("cancelled")

    async def fail() -> None:
        raise ApiError("down")

    async def all_of_it() -> None:
        assert await stop.unless_asked(asyncio.sleep(0, "done")) == "done"
        with pytest.raises(ApiError, match="down"):
            await stop.unless_asked(fail())
        threading.Timer(0.05, stop.ask).start()
        assert await stop.unless_asked(hour()) is None
        assert await stop.unless_asked(asyncio.sleep(0, "too late")) is None

    began = time.monotonic()
    asyncio.run(all_of_it())
    assert (ended, time.monotonic() - began < 60) == (["cancelled"], True)

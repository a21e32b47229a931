"""wsparquet/synchronisation/loop.py: coroutines run from any thread, and an interrupt ends them."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
import time
import warnings

import pytest

from wsparquet.synchronisation.loop import run_coroutine

SECONDS = 60.0


async def hour(begun: threading.Event, ended: list[str]) -> None:
    """Wait for an hour, and note a cancellation."""
    begun.set()
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        ended.append("cancelled")
        raise


def interrupt_when(begun: threading.Event) -> None:
    """Send this process the signal of Ctrl-C as soon as the event is set."""

    def wait() -> None:
        assert begun.wait(SECONDS)
        ident = threading.main_thread().ident
        assert ident is not None
        signal.pthread_kill(ident, signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.parametrize("in_loop", [False, True], ids=["plain", "jupyter"])
def test_an_interrupt_cancels_the_coroutine(in_loop: bool) -> None:
    """Ctrl-C while a coroutine runs, also inside of a running event loop as in Jupyter, cancels it and is raised."""
    begun, began = threading.Event(), time.monotonic()
    ended: list[str] = []

    async def cell() -> None:
        run_coroutine(hour(begun, ended))

    def run_cell() -> None:
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(cell())
        finally:
            loop.close()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt_when(begun)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_cell() if in_loop else run_coroutine(hour(begun, ended))
    finally:
        signal.signal(signal.SIGINT, before)
    assert (ended, time.monotonic() - began < SECONDS) == (["cancelled"], True)


def test_an_interrupt_is_raised_in_no_task(caplog: pytest.LogCaptureFixture) -> None:
    """An interrupt that arrives while a task computes cancels all tasks alike, and asyncio has nothing to report.

    The command's own handler raises wherever the main thread just is, so no task may run there.
    """
    ended: list[str] = []

    async def interrupting() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(3600)
        except BaseException as error:
            ended.append(type(error).__name__)
            raise

    async def tasks() -> None:
        await asyncio.gather(hour(threading.Event(), ended), interrupting())

    def handle(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_coroutine(tasks())
    finally:
        signal.signal(signal.SIGINT, before)
    gc.collect()
    assert (sorted(ended), caplog.records) == (["CancelledError", "cancelled"], [])


def test_a_coroutine_that_never_begins_is_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt before the coroutine begins leaves no warning that it was never awaited."""

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(KeyboardInterrupt):
            run_coroutine(hour(threading.Event(), []))

"""Signals that end a long command: the first signal ends it after the current files, the second signal immediately.

If no files are in progress, the first signal also ends the command immediately.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

from wsparquet.cli.output import complain

if TYPE_CHECKING:
    from wsparquet.synchronisation import Stop

__all__ = ["as_interrupts", "stopping"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def as_interrupts() -> Iterator[None]:
    """Make SIGTERM end the command as Ctrl-C does, so that it deletes its own files and leaves a clean terminal."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stopping() -> Iterator[Stop]:
    """Provide a stop request that the first signal triggers if files are in progress.

    Any other signal raises KeyboardInterrupt.
    """
    from wsparquet.synchronisation import Stop

    stop = Stop()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.asked or not stop.has_files:
            raise KeyboardInterrupt
        stop.ask()
        if sys.stderr.isatty():
            # Erase the line of the progress bar; the bar is drawn again below the message.
            click.echo("\r\x1b[2K", err=True, nl=False)
        complain("finishing the current files; interrupt again to stop at once")

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

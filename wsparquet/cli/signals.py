"""Signals that end a long command: the first signal ends it after the current files, the second signal immediately.

If no files are in progress, the first signal also ends the command immediately. A further signal, while the command
ends, ends the process without any more work, so no signal ever shows a traceback.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

from wsparquet.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from wsparquet.synchronisation import Stop

__all__ = ["as_interrupts", "stopping"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)
ERASE_LINE = "\r\x1b[2K"
SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def as_interrupts() -> Iterator[None]:
    """Make SIGTERM end the command as Ctrl-C does, so that it deletes its own files and leaves a clean terminal.

    The first signal raises KeyboardInterrupt. Each later signal ends the process at once, even if the process is
    deleting its files or writing its last message.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ending = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal ending
        if ending:
            _write(SHOW_CURSOR if _is_terminal() else "")
            os._exit(ExitCode.INTERRUPTED)
        ending = True
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number in SIGNALS:
            # A command in the background of a script ignores Ctrl-C.
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, handle)
        yield
    finally:
        if not ending:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def stopping() -> Iterator[Stop]:
    """Provide a stop request that the first signal triggers if files are in progress.

    Any other signal is handled as before.
    """
    from wsparquet.synchronisation import Stop

    stop = Stop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.asked or not stop.has_files:
            handler = before[signal.Signals(number)]
            if not callable(handler):
                raise KeyboardInterrupt
            handler(number, frame)
            return
        stop.ask()
        # The bar is drawn again below the message.
        erase = ERASE_LINE if _is_terminal() else ""
        _write(f"{erase}wsparquet: finishing the current files; interrupt again to stop at once\n")

    try:
        for number in SIGNALS:
            signal.signal(number, handle)
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_terminal() -> bool:
    return not sys.stderr.closed and sys.stderr.isatty()


def _write(text: str) -> None:
    """Write to standard error without its buffer: the interrupted code may just use the buffer."""
    with suppress(OSError, ValueError, io.UnsupportedOperation):
        os.write(sys.stderr.fileno(), text.encode())

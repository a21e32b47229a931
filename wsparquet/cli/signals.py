"""Signals that end a long command: the first one ends it after the current files, the second one immediately."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from wsparquet.cli.output import complain

if TYPE_CHECKING:
    from wsparquet.synchronisation import Stop

__all__ = ["stopping"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping() -> Iterator[Stop]:
    """Provide a stop request that the first signal triggers; the second signal raises KeyboardInterrupt."""
    from wsparquet.synchronisation import Stop

    stop = Stop()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.ask()
        complain("finishing the current files; interrupt again to stop at once")

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

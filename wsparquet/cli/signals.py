"""How Ctrl-C and a service manager's stop end a long command: first after what is under way, then at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from wsparquet.synchronisation import Stop

__all__ = ["INTERRUPTED", "stopping"]

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping() -> Iterator[Stop]:
    """A wish to end that the first signal makes; the second one raises KeyboardInterrupt."""
    from wsparquet.synchronisation import Stop

    stop = Stop()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.ask()
        click.echo("wsparquet: finishing the files under way; once more to end at once", err=True)

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""What is seen of a conversion while it runs: a bar on a terminal, plain lines elsewhere, nothing if quiet."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from wsparquet.cli.terminal import clean

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from wsparquet.converter import Progress

__all__ = ["progress"]

Listener = Callable[["Progress"], None]


@contextmanager
def progress(*, quiet: bool) -> Iterator[Listener | None]:
    """A listener for ``wsparquet.convert`` that shows what happens on standard error."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bar() as bar:
            yield _BarListener(bar)
    else:
        yield _print_line


def _print_line(event: Progress) -> None:
    if event.kind in {"committed", "skipped", "failed"}:
        click.echo(_line(event), err=True)


def _line(event: Progress) -> str:
    text = f"{event.kind}: {event.name}"
    if event.kind == "committed":
        text += f" ({event.rows:,} rows)"
    return clean(f"{text}: {event.error}" if event.error else text)


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.fields[done]}/{task.fields[files]} files", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TextColumn("{task.fields[rows]:,} rows", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


class _BarListener:
    """Adds up the sources under way, which report from several threads."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._lock = threading.Lock()
        self._task: TaskID = bar.add_task("convert", total=None, done=0, files=0, rows=0)
        self._bytes = _Highest()
        self._rows = _Highest()
        self._sizes: dict[str, int] = {}
        self._done = 0

    def __call__(self, event: Progress) -> None:
        with self._lock:
            if event.kind == "found":
                self._bar.update(self._task, total=event.size or None, files=event.files)
                return
            self._count(event)
        if event.kind == "failed":
            from rich.text import Text

            self._bar.console.print(Text(_line(event)))

    def _count(self, event: Progress) -> None:
        if event.kind in {"committed", "skipped", "failed"}:
            self._done += 1
        read = event.stored_bytes
        if event.kind == "started":
            self._sizes[event.url] = event.size or 0
        elif event.kind in {"skipped", "failed"}:
            # Nothing more of it will be read, so the bar goes on by all of it.
            read = self._sizes.get(event.url, 0)
        self._bytes.raise_to(event.url, read)
        self._rows.raise_to(event.url, event.rows)
        self._bar.update(self._task, completed=self._bytes.total, rows=self._rows.total, done=self._done)


class _Highest:
    """The highest number seen of each source, and their total, kept up without adding all of them again."""

    def __init__(self) -> None:
        self.total = 0
        self._by_source: dict[str, int] = {}

    def raise_to(self, source: str, number: int) -> None:
        before = self._by_source.get(source, 0)
        if number > before:
            self._by_source[source] = number
            self.total += number - before

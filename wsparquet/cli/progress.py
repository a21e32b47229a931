"""Shows progress while a command runs: as a bar on a terminal, as plain lines elsewhere, or not at all if quiet."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import click

from wsparquet.cli.flags import in_flags
from wsparquet.cli.terminal import human_bytes
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, TaskID

    from wsparquet.progress import Progress

__all__ = ["checks_progress", "log_option", "progress", "sync_progress"]

Listener = Callable[["Progress"], None]


log_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of progress messages on standard error: lines of text, or one JSON object on each line.",
)
SAID = {"committed", "replaced", "skipped", "failed", "retried", "downloaded"}


@contextmanager
def progress(*, quiet: bool) -> Iterator[Listener | None]:
    """Provide a listener for ``wsparquet.convert`` that shows its events on standard error."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _sources_bar() as bar:
            yield _BarListener(bar)
    else:
        yield _print_line


@contextmanager
def sync_progress(
    *, quiet: bool, log_format: str, last: Literal["downloaded", "committed"] = "committed"
) -> Iterator[Listener | None]:
    """Provide a listener for synchronisation: a bar on a terminal, plain lines elsewhere, or a log in ``log_format``.

    ``last`` is the last event of each file that succeeds.
    """
    if log_format == "json":
        # The user requested a log, so --quiet only limits it to failures and retries.
        yield _LogWriter(quiet=quiet)
    elif quiet:
        yield None
    elif sys.stderr.isatty():
        with _files_bar() as bar:
            yield _FilesListener(bar, last=last)
    else:
        yield _print_line


@contextmanager
def checks_progress(*, quiet: bool) -> Iterator[Listener | None]:
    """Provide a listener for checks: a bar on a terminal, nothing elsewhere, since the result reports the problems."""
    if quiet or not sys.stderr.isatty():
        yield None
    else:
        with _checks_bar() as bar:
            yield _FilesListener(bar, last="committed")


class _LogWriter:
    """Writes one JSON object per event to standard error: time, level, event, and the fields that the event has."""

    def __init__(self, *, quiet: bool) -> None:
        self._kinds = {"failed", "retried"} if quiet else {"found", *SAID}

    def __call__(self, event: Progress) -> None:
        if event.kind not in self._kinds:
            return
        levels = {"failed": "error", "retried": "warning"}
        values = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": levels.get(event.kind, "info"),
            "event": event.kind,
        }
        facts = ("name", "url", "files", "size", "stored_bytes", "inflated_bytes", "rows", "error")
        known = {fact: value for fact in facts if (value := getattr(event, fact))}
        if event.rows_before is not None:
            known["rows_before"] = event.rows_before
        click.echo(json.dumps({**values, **known}), err=True)


def _print_line(event: Progress) -> None:
    if event.kind in SAID - {"downloaded"}:
        click.echo(_line(event), err=True)


def _line(event: Progress) -> str:
    text = f"{event.kind}: {event.name}"
    if event.kind == "committed":
        text += f" ({event.rows:,} rows)"
    elif event.kind == "replaced":
        text += f" ({event.rows_before:,} rows before, {event.rows:,} now)"
    return printable(in_flags(f"{text}: {event.error}" if event.error else text))


def _bar(*columns: ProgressColumn) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    counted = TextColumn("{task.fields[done]}/{task.fields[files]} files", markup=False)
    return Progress(counted, BarColumn(), *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)


def _sources_bar() -> Bar:
    from rich.progress import DownloadColumn, TextColumn, TransferSpeedColumn

    rows = TextColumn("{task.fields[rows]:,} rows", markup=False)
    return _bar(DownloadColumn(binary_units=True), TransferSpeedColumn(), rows)


def _files_bar() -> Bar:
    from rich.progress import TextColumn

    return _bar(TextColumn("{task.fields[downloaded]} downloaded, {task.fields[rows]:,} rows", markup=False))


def _checks_bar() -> Bar:
    from rich.progress import TextColumn

    return _bar(TextColumn("{task.fields[rows]:,} rows", markup=False))


class _BarListener:
    """Shows the total progress of all sources; events may come from several threads."""

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
        if event.kind in {"committed", "replaced", "skipped", "failed"}:
            self._done += 1
        read = event.stored_bytes
        if event.kind == "started":
            self._sizes[event.url] = event.size or 0
        elif event.kind in {"skipped", "failed"}:
            # The rest of this source will not be read, so the bar counts the complete source as read.
            read = self._sizes.get(event.url, 0)
        self._bytes.raise_to(event.url, read)
        self._rows.raise_to(event.url, event.rows)
        self._bar.update(self._task, completed=self._bytes.total, rows=self._rows.total, done=self._done)


class _FilesListener:
    """Shows the number of finished files, because file sizes are unknown until the files are downloaded."""

    def __init__(self, bar: Bar, *, last: str) -> None:
        self._bar = bar
        self._ends = {last, "replaced", "skipped", "failed"}
        self._lock = threading.Lock()
        self._task: TaskID = bar.add_task("sync", total=0, done=0, files=0, downloaded="nothing", rows=0)
        self._bytes = self._rows = self._done = 0

    def __call__(self, event: Progress) -> None:
        with self._lock:
            if event.kind == "found":
                self._bytes = self._rows = self._done = 0
                files = event.files
                self._bar.reset(self._task, total=files, done=0, files=files, downloaded="nothing", rows=0)
            elif event.kind == "downloaded":
                self._bytes += event.stored_bytes
                self._bar.update(self._task, downloaded=human_bytes(self._bytes))
            if event.kind in self._ends:
                self._rows += event.rows
                self._done += 1
                self._bar.update(self._task, completed=self._done, done=self._done, rows=self._rows)
        if event.kind in {"failed", "retried"}:
            from rich.text import Text

            self._bar.console.print(Text(_line(event)))


class _Highest:
    """Tracks the highest number reported for each source, and the total of these numbers."""

    def __init__(self) -> None:
        self.total = 0
        self._by_source: dict[str, int] = {}

    def raise_to(self, source: str, number: int) -> None:
        before = self._by_source.get(source, 0)
        if number > before:
            self._by_source[source] = number
            self.total += number - before

"""Shows a command's progress on standard error, and remembers which failures it has shown.

A terminal shows a bar. Elsewhere, a long run writes a line each minute. Failures are shown immediately, so the text of
the result does not repeat them. ``--verbose`` adds a line for each file, and ``--quiet`` shows failures only.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self

import click

from wsparquet.cli.flags import in_flags
from wsparquet.cli.output import present, say_error
from wsparquet.cli.terminal import human_bytes
from wsparquet.cli.text import REPLACED
from wsparquet.cli.text.parts import counted
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, TaskID

    from wsparquet.cli.options import ProgressOptions
    from wsparquet.progress import Progress

__all__ = ["Shown", "checks_progress", "log_option", "progress", "sync_progress"]

Listener = Callable[["Progress"], None]
Last = Literal["downloaded", "committed"]

MINUTE_SECONDS = 60.0
"""How often a run writes a line about its progress if standard error is not a terminal."""

log_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of progress messages on standard error: lines of text, or one JSON object on each line.",
)


class Shown:
    """A listener that passes each event on to other listeners.

    ``failures`` has a pair for each failure and each replacement that the listeners have shown: the name and the error
    of a failure, or the name and ``REPLACED`` for a replacement.
    """

    def __init__(self) -> None:
        self.failures: set[tuple[str, str]] = set()
        self._listeners: list[Listener] = []

    def __call__(self, event: Progress) -> None:
        """Pass on an event; called from several threads."""
        for listener in self._listeners:
            listener(event)

    def add(self, listener: Listener, *, failures: bool = True, replaced: bool = False) -> None:
        """Add a listener; ``failures`` and ``replaced`` say whether the listener shows failures and replacements."""
        self._listeners.append(listener)
        if replaced:
            self._listeners.append(self._remember_replaced)
        if failures and self._remember not in self._listeners:
            self._listeners.append(self._remember)

    def _remember(self, event: Progress) -> None:
        if event.kind == "failed":
            self.failures.add((event.name, event.error or ""))

    def _remember_replaced(self, event: Progress) -> None:
        if event.kind == "replaced":
            self.failures.add((event.name, REPLACED))


@dataclass(frozen=True)
class _Lines:
    """The kinds of events that have a line of their own, and the function that writes a line."""

    kinds: frozenset[str]
    write: Callable[[str], None]

    def __call__(self, event: Progress) -> None:
        if event.kind in self.kinds:
            self.write(_line(event))


def _line(event: Progress) -> str:
    text = f"{event.kind}: {event.name}"
    if event.kind == "committed":
        text += f" ({counted(event.rows, 'row')})"
    elif event.kind == "replaced":
        text += f" ({counted(event.rows_before or 0, 'row')} before, {event.rows:,} now)"
    why = event.error or event.reason
    return printable(in_flags(f"{text}: {why}" if why else text))


# --- One function for each kind of command ----------------------------------------------------------------------------


@contextmanager
def progress(options: ProgressOptions, output: str) -> Iterator[Shown]:
    """Provide a listener for ``wsparquet.convert`` and ``wsparquet.replay``, and present an interrupted run."""
    showing = _shown(options, output, _sources_bar, _BarListener, last="committed")
    with _presenting_interrupted(showing, output, quiet=options.quiet) as shown:
        yield shown


@contextmanager
def sync_progress(
    options: ProgressOptions, output: str, *, log_format: str, last: Last = "committed"
) -> Iterator[Shown]:
    """Provide a listener for synchronization. If ``log_format`` is ``json``, the listener writes a log.

    ``last`` is the kind of the last event of a file that succeeds.
    """
    if log_format == "json":
        shown = Shown()
        # The user requested a log, so --quiet only limits it to failures and retries.
        shown.add(_LogWriter(quiet=options.quiet), replaced=True)
        yield shown
        return
    with _shown(options, output, _files_bar, lambda bar: _FilesListener(bar, last=last), last=last) as shown:
        yield shown


@contextmanager
def checks_progress(*, quiet: bool, output: str) -> Iterator[Shown]:
    """Provide a listener for checks, and present an interrupted run.

    The listener shows no problems, because the result lists all problems.
    """
    with _presenting_interrupted(_checks_shown(quiet=quiet, output=output), output, quiet=quiet) as shown:
        yield shown


@contextmanager
def _presenting_interrupted(showing: AbstractContextManager[Shown], output: str, *, quiet: bool) -> Iterator[Shown]:
    """Provide the listener of ``showing``. Present the result of a run that is the argument of a KeyboardInterrupt."""
    try:
        with showing as shown:
            yield shown
    except KeyboardInterrupt as interruption:
        # On a terminal, Ctrl-C also ends the reader of a pipe.
        for result in interruption.args:
            with suppress(BrokenPipeError):
                present(result, output, quiet=quiet, shown=shown.failures)
        raise


@contextmanager
def _checks_shown(*, quiet: bool, output: str) -> Iterator[Shown]:
    shown = Shown()
    with ExitStack() as stack:
        if not quiet and output != "json":
            if sys.stderr.isatty():
                bar = stack.enter_context(_checks_bar())
                shown.add(_FilesListener(bar, last="committed"), failures=False)
            else:
                shown.add(stack.enter_context(_Minutes(last="committed")), failures=False)
        yield shown


@contextmanager
def _shown(
    options: ProgressOptions, output: str, make_bar: Callable[[], Bar], listen: Callable[[Bar], Listener], *, last: Last
) -> Iterator[Shown]:
    shown = Shown()
    kinds = {"failed", "limited"}
    if options.verbose:
        kinds |= {last, "replaced", "skipped", "retried", "ignored"}
    with ExitStack() as stack:
        if options.quiet or output == "json":
            # The JSON already contains the failures.
            if output != "json" or options.verbose:
                kinds -= {"limited"} if options.quiet else set()
                shown.add(_Lines(frozenset(kinds), say_error), replaced=options.verbose)
        elif sys.stderr.isatty():
            bar = stack.enter_context(make_bar())
            shown.add(listen(bar))
            lines = _Lines(frozenset({*kinds, "retried"}), lambda line: _print_above(bar, line))
            shown.add(lines, replaced=options.verbose)
        else:
            shown.add(stack.enter_context(_Minutes(last=last)))
            shown.add(_Lines(frozenset(kinds), say_error), replaced=options.verbose)
        yield shown


def _print_above(bar: Bar, line: str) -> None:
    from rich.text import Text

    bar.console.print(Text(line))


class _LogWriter:
    """Writes one JSON object per event to standard error: time, level, event, and the fields that the event has."""

    def __init__(self, *, quiet: bool) -> None:
        loud = {"found", "committed", "replaced", "skipped", "downloaded"}
        self._kinds = {"failed", "retried", "limited"} | (set() if quiet else loud)

    def __call__(self, event: Progress) -> None:
        # --quiet does not silence an event that reports fewer rows than before: users must notice lost rows.
        fewer = event.kind == "replaced" and event.rows < (event.rows_before or 0)
        if event.kind not in self._kinds and not fewer:
            return
        levels = {"failed": "error", "retried": "warning", "limited": "warning"}
        values = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": levels.get(event.kind, "info"),
            "event": event.kind,
        }
        facts = ("name", "url", "files", "size", "stored_bytes", "inflated_bytes", "rows", "error", "reason")
        known = {fact: value for fact in facts if (value := getattr(event, fact))}
        if event.rows_before is not None:
            known["rows_before"] = event.rows_before
        say_error(json.dumps({**values, **known}))


class _Minutes:
    """Writes a line about the complete run each minute, in a separate thread, so that a waiting run is reported too."""

    def __init__(self, *, last: Last, seconds: float | None = None) -> None:
        self._seconds = MINUTE_SECONDS if seconds is None else seconds
        self._ends = {last, "replaced", "skipped", "failed"}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, name="wsparquet-minutes", daemon=True)
        self._started = time.monotonic()
        self._files = self._done = self._failed = 0
        self._rows = _Highest()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def __call__(self, event: Progress) -> None:
        with self._lock:
            if event.kind == "found":
                self._files, self._done, self._failed, self._rows = event.files, 0, 0, _Highest()
                return
            self._done += event.kind in self._ends
            self._failed += event.kind == "failed"
            self._rows.raise_to(event.url, event.rows)

    def _write(self) -> None:
        while not self._ended.wait(self._seconds):
            minutes = (time.monotonic() - self._started) / 60
            with self._lock:
                failed = f", {self._failed:,} failed" if self._failed else ""
                line = f"{self._done:,} of {self._files:,} files{failed}, {self._rows.total:,} rows"
            say_error(f"after {minutes:.0f} min: {line}")


# --- Bars -------------------------------------------------------------------------------------------------------------


def _bar(*columns: ProgressColumn) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    files = TextColumn("{task.fields[done]}/{task.fields[files]} files", markup=False)
    return Progress(files, BarColumn(), *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)


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
            else:
                self._count(event)

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

    def __init__(self, bar: Bar, *, last: Last) -> None:
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

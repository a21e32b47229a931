"""Reports the progress of a run: as events for a listener, and as lines for the logger ``wsparquet``."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from wsparquet.log import LOGGER

__all__ = ["Listener", "Progress", "ignore", "logged", "telling_ignored"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One event of one source, with the bytes and rows of that source so far.

    Only the event ``found`` is about all sources: ``files`` is their number, and ``size`` is the sum of all stored
    sizes that are known. Only ``ignored`` and ``limited`` events precede ``found``. ``limited`` means that the run has
    fewer jobs than it was given; ``reason`` says why. An ``ignored`` event reports a marker of another
    tool, such as ``_SUCCESS``, in a folder or an archive; a marker is not a source. Only synchronization sends
    ``retried`` and ``downloaded``, both before ``started``. ``replaced`` means that the source is committed and that
    its rows replaced ``rows_before`` older rows. ``reason`` says why a source is skipped although it was never
    committed itself. ``url`` distinguishes sources that have the same name.

    >>> kinds = []
    >>> _ = wsparquet.convert("downloads/", to="lake", on_progress=lambda event: kinds.append(event.kind))
    >>> kinds[0], kinds[-1]
    ('found', 'committed')
    """

    kind: Literal[
        "ignored",
        "limited",
        "found",
        "retried",
        "downloaded",
        "started",
        "read",
        "committed",
        "replaced",
        "skipped",
        "failed",
    ]
    name: str
    url: str = ""
    size: int | None = None
    stored_bytes: int = 0
    inflated_bytes: int = 0
    rows: int = 0
    files: int = 0
    error: str | None = None
    reason: str | None = None
    rows_before: int | None = None


Listener = Callable[[Progress], None]
"""A function that is called with each event, from several threads."""

LEVELS = {
    "committed": logging.INFO,
    "replaced": logging.INFO,
    "skipped": logging.DEBUG,
    "ignored": logging.DEBUG,
    "downloaded": logging.DEBUG,
    "limited": logging.WARNING,
    "retried": logging.WARNING,
    "failed": logging.ERROR,
}
"""The log level of each kind of event that is logged; the other kinds are not logged."""


def ignore(_: Progress) -> None:
    """Ignore the event."""


def logged(listener: Listener | None, *, failures_only: bool = False) -> Listener:
    """Return a listener that logs the outcome of each source and then calls ``listener``, if there is one.

    Logged URLs and errors contain no user names, passwords or signed queries.
    """

    def tell(event: Progress) -> None:
        level = LEVELS.get(event.kind) if event.kind == "failed" or not failures_only else None
        if level is not None and LOGGER.isEnabledFor(level):
            LOGGER.log(level, "%s", _line(event))
        if listener is not None:
            listener(event)

    return tell


def telling_ignored(tell: Listener) -> Callable[[str], None]:
    """Return a function that takes the URL of a marker and reports the marker as an event."""

    def ignored(url: str) -> None:
        name = url.rstrip("/").rpartition("/")[2]
        # Only the URLs of local files are percent-encoded.
        tell(Progress("ignored", unquote(name) if url.startswith("file:") else name, url))

    return ignored


def _line(event: Progress) -> str:
    place = event.url or event.name
    if event.error:
        # Most errors already begin with the URL or the name.
        return f"{event.kind} {event.error if event.error.startswith(place) else f'{place}: {event.error}'}"
    if event.kind == "replaced":
        return f"replaced {place}: {event.rows_before} rows before, {event.rows} now"
    rows = f": {event.rows} rows" if event.kind == "committed" else f": {event.reason}" if event.reason else ""
    return f"{event.kind} {place}{rows}"

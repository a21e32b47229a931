"""Servers to synchronise with, the way to do it, and what must come of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from wsparquet import Progress
from wsparquet.api import ApiOptions
from wsparquet.conversion.options import ConvertOptions
from wsparquet.emulator import DEMO, Emulator, EmulatorOptions, serving
from wsparquet.synchronisation import Stop, SyncOptions, SyncSummary
from wsparquet.synchronisation import sync as synchronise

ACCOUNT = "75555851"
SMALL = EmulatorOptions(hours=6, size=20_000)
MIDDAY = (time.time() - 1800) // 3600 * 3600 + 1800
"""The last half hour: a clock that stands still there gives two servers the same files."""


def still() -> float:
    """The time at a server whose clock stands still."""
    return MIDDAY


@contextmanager
def server(**options: Any) -> Iterator[Emulator]:
    """An emulator of a few small files, the same for each test."""
    with serving(replace(SMALL, **{"now": still, **options})) as emulator:
        yield emulator


def options_for(emulator: Emulator, **options: Any) -> SyncOptions:
    """The options for a server, with pauses of milliseconds."""
    api = ApiOptions(base_url=emulator.base_url, pause_seconds=0.002, read_seconds=5)
    given = {"api": api, "convert": ConvertOptions(jobs=2), **options}
    return SyncOptions(account=ACCOUNT, credentials=DEMO, **given)


def sync(
    root: Path,
    emulator: Emulator,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Stop | None = None,
    **options: Any,
) -> SyncSummary:
    """One run."""
    return synchronise(root, options=options_for(emulator, **options), on_progress=on_progress, stop=stop)


def names(emulator: Emulator) -> list[str]:
    """The names of all files that the server has."""
    return list(emulator.catalogue.files())


def data(emulator: Emulator, name: str) -> bytes:
    """The bytes of one of its files."""
    entry = emulator.catalogue.find(name)
    assert entry is not None
    return emulator.catalogue.path(entry).read_bytes()

"""What a run tells a listener while it works; listeners are called from several threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Listener", "Progress", "ignore"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened to one source; bytes and rows are totals for that source so far.

    ``downloaded`` and ``retried`` are told by synchronisation only, before a source is ``started``.

    ``replaced`` is ``committed`` where rows of the same source were committed before, ``rows_before`` of them.

    ``url`` tells sources of one name apart. The first event, ``found``, speaks of all sources: ``files`` of them, of
    ``size`` stored bytes as far as known.
    """

    kind: Literal["found", "retried", "downloaded", "started", "read", "committed", "replaced", "skipped", "failed"]
    name: str
    url: str = ""
    size: int | None = None
    stored_bytes: int = 0
    inflated_bytes: int = 0
    rows: int = 0
    files: int = 0
    error: str | None = None
    rows_before: int | None = None


Listener = Callable[[Progress], None]


def ignore(_: Progress) -> None:
    """Listen to nothing."""

"""Options of the emulator: the files that it serves, and the faults that it produces."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from wsparquet.api import Credentials
from wsparquet.emulator.faults import FAULTS

__all__ = ["DEMO", "EmulatorOptions"]

DEMO = Credentials("demo-app-key", "demo-app-secret", "demo-access-token", "demo-access-token-secret")
"""Credentials that only an emulator accepts."""


@dataclass(frozen=True, kw_only=True)
class EmulatorOptions:
    """The files that an emulator serves, and the faults that it produces.

    There are ``parts`` files for each of the last ``hours``, or the latest ``files`` of them, each of ``size`` bytes of
    JSON from ``seed``; more appear as time passes. A file appears 10 minutes after its hour (a share ``late`` of the
    files up to 6 hours later) and is deleted 30 days after that. ``now`` is the clock, in seconds since 1970.
    ``latency_seconds`` is added in each direction. ``faults`` are probabilities of the kinds in ``FAULTS`` for each
    request, ``all`` is the probability of any kind. A resource has at most ``most_faults`` in a row, so that enough
    retries succeed. ``stall_seconds`` is the length of a stall, ``retry_after`` the value of that header, and
    ``hostile_url`` the target of hostile addresses. ``errors`` is the form of error answers. ``schema`` replaces the
    schema that the emulator serves.

    Raises:
        ValueError: unknown fault, or probability outside 0..1.

    """

    account: str = "75555851"
    credentials: Credentials = DEMO
    host: str = "127.0.0.1"
    port: int = 0
    hours: int = 24
    parts: int = 1
    files: int | None = None
    size: int = 100_000
    seed: int = 0
    late: float = 0.0
    now: Callable[[], float] = time.time
    latency_seconds: float = 0.0
    faults: Mapping[str, float] = field(default_factory=dict)
    most_faults: int = 3
    stall_seconds: float = 3600.0
    retry_after: str = "1"
    hostile_url: str = "https://example.com"
    errors: Literal["xml", "json"] = "xml"
    schema: object = None

    def __post_init__(self) -> None:
        """Refuse options that cannot be served."""
        for kind, probability in self.faults.items():
            if kind != "all" and kind not in FAULTS:
                raise ValueError(f"expected a kind of fault, all or {', '.join(FAULTS)}, found {kind!r}")
            if not 0 <= probability <= 1:
                raise ValueError(f"expected a probability from 0 to 1 for {kind}, found {probability}")

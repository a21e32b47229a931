"""The options of the emulator: the files that it serves, and the faults that it produces."""

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

    ``hours``, ``parts``: the emulator serves ``parts`` files for each of the last ``hours`` hours. ``files``: the total
    number of files, instead of ``hours``. ``size``: the bytes of JSON in each file. ``seed``: the seed of the content.
    More files appear as time passes. A file appears 10 minutes after its hour and is deleted 30 days later. ``late``:
    the share of files that appear up to 6 hours late. ``now``: the clock, in seconds since 1970. ``latency_seconds``: a
    delay of each request and each response. ``faults``: the probability of each kind of ``FAULTS`` in a request; the
    key ``all`` means any kind. ``most_faults``: the maximum number of consecutive faults of a resource, so that enough
    retries always succeed. ``stall_seconds``: the length of a stall. ``retry_after``: the value of the header
    ``Retry-After``. ``hostile_url``: the target of hostile URLs. ``errors``: the format of error responses.
    ``schema``: a schema that replaces the default schema.

    Raises:
        ValueError: a kind of fault is unknown, or a probability is outside 0..1.

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
        """Refuse wrong values."""
        for kind, probability in self.faults.items():
            if kind != "all" and kind not in FAULTS:
                raise ValueError(f"expected a kind of fault, all or {', '.join(FAULTS)}, found {kind!r}")
            if not 0 <= probability <= 1:
                raise ValueError(f"expected a probability from 0 to 1 for {kind}, found {probability}")

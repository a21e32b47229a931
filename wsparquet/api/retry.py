"""Decides whether and when to retry a request, according to the retry page in the Data Access API's documentation.

Of the 4xx statuses, only 429 is retried. The pauses after a 429 are at least 1, 2, 4, … seconds, and never shorter than
the time in ``Retry-After``. After a 5xx status, the pauses are 5, 10, and 15 seconds, and then double each time, up to
2 minutes. A failed or interrupted connection is handled like a 5xx status. If no request has been answered yet, an
unreachable host is retried for only 20 seconds, and the retries are not reported: the address is probably wrong.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import stamina

from wsparquet.api.faults import Transient
from wsparquet.api.options import ApiOptions
from wsparquet.redaction import printable_url

__all__ = ["Retry", "parse_retry_after", "retried"]

Result = TypeVar("Result")
JITTER = 0.2
"""Each pause is extended by a random amount, at most this share of it, so that clients do not all retry at once."""

LONGEST_PAUSE = 120.0
FIRST_SECONDS = 20.0
"""How long to retry an unreachable host that has never answered. The last attempt may end some seconds later."""


@dataclass(frozen=True, slots=True)
class Retry:
    """An upcoming retry: ``number`` attempts have failed so far, the last one because of ``reason``."""

    url: str
    reason: str
    wait_seconds: float
    number: int


def parse_retry_after(value: str | None, *, now: datetime | None = None) -> float | None:
    """Return the wait in seconds that a ``Retry-After`` header asks for (RFC 9110, 10.2.3); None if malformed."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip())
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


class _Patience:
    """The hook that stamina calls after each failure. The hook returns the seconds to wait, or False to give up."""

    def __init__(
        self,
        url: str,
        options: ApiOptions,
        on_retry: Callable[[Retry], None] | None,
        answered: Callable[[], bool],
    ) -> None:
        self._url = url
        self._answered = answered
        self._options = options
        self._on_retry = on_retry
        self._started = time.monotonic()
        self.failures = 0
        self.gave_up = ""

    def __call__(self, error: Exception) -> float | bool:
        if not isinstance(error, Transient):
            return False
        self.failures += 1
        wait = self._wait(error)
        hopeless = error.unreachable and not self._answered()
        seconds = min(FIRST_SECONDS, self._options.total_seconds) if hopeless else self._options.total_seconds
        if self.failures >= self._options.tries:
            self.gave_up = f"tried {self.failures} times"
            return False
        if time.monotonic() + wait > self._started + seconds:
            late = "" if hopeless else f"; the next try would be in {wait:.0f} s, which is too late"
            self.gave_up = f"tried {self.failures} times{late}"
            return False
        if self._on_retry is not None and not hopeless:
            self._on_retry(Retry(printable_url(self._url), str(error.error), wait, self.failures))
        return wait

    def _wait(self, error: Transient) -> float:
        pause = self._options.pause_seconds
        if error.busy:
            # With the default ``pause_seconds`` of 5, the first pause is one second.
            return max(error.retry_after or 0.0, pause / 5 * 2.0 ** min(self.failures - 1, 6)) + _jitter(pause / 5)
        steps = self.failures if self.failures <= 3 else 3 * 2.0 ** (self.failures - 3)
        wait = min(pause * steps, LONGEST_PAUSE)
        return max(error.retry_after or 0.0, wait + _jitter(wait))


def _jitter(wait: float) -> float:
    return random.uniform(0, JITTER * wait)


async def retried(
    call: Callable[[], Awaitable[Result]],
    url: str,
    *,
    options: ApiOptions,
    on_retry: Callable[[Retry], None] | None = None,
    answered: Callable[[], bool] = lambda: True,
) -> Result:
    """Await ``call`` and return its result, with retries within the limits of the options.

    ``answered`` returns whether the server has answered any request.

    Raises:
        ApiError: the last attempt failed, or an attempt failed with an error that a retry cannot fix.

    """
    patience = _Patience(url, options, on_retry, answered)
    try:
        # The hook, not stamina, enforces the limits: only the hook knows how long the server asked the client to wait.
        async for attempt in stamina.retry_context(on=patience, attempts=None, timeout=None):
            with attempt:
                return await call()
    except Transient as failure:
        error = failure.error
        raise type(error)(
            f"{error} ({patience.gave_up})", status=error.status, internal_code=error.internal_code
        ) from None
    raise AssertionError("stamina ends with a result or an error")

"""Ends a run whose first sources all fail, because the given folder is then probably the wrong one."""

from __future__ import annotations

import threading
from collections.abc import Callable

from wsparquet.conversion.outcome import Outcome
from wsparquet.source import Failed, Source

__all__ = ["FailureLimit"]

Convert = Callable[[Source | Failed], Outcome]


class FailureLimit:
    """Begins no further source after ``most`` failures without any success; None or 0 means no limit.

    Any number of threads may use the limit. A source that is skipped counts as a success. ``not_begun``: how many
    sources were not begun because the limit was reached.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most or 0
        self._changed = threading.Condition()
        self._failures = self._in_progress = 0
        self._succeeded = False
        self.not_begun = 0

    def applied_to(self, convert: Convert) -> Callable[[Source | Failed], Outcome | None]:
        """Return ``convert`` with the limit.

        Once the limit is reached, the function returns None and begins no source.
        """

        def limited(source: Source | Failed) -> Outcome | None:
            if not self._begin():
                return None
            failed = True
            try:
                outcome = convert(source)
                failed = outcome.kind == "failed"
            finally:
                self._end(failed=failed)
            return outcome

        return limited if self._most else convert

    def _begin(self) -> bool:
        """Return whether a source may begin.

        If a failure of the source might exceed the limit, first wait for running sources.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._in_progress or self._failures + self._in_progress < self._most_now)
            reached = self.not_begun > 0 or self._failures >= self._most_now
            self.not_begun += reached
            self._in_progress += not reached
            return not reached

    @property
    def _most_now(self) -> float:
        return float("inf") if self._succeeded else self._most

    def _end(self, *, failed: bool) -> None:
        with self._changed:
            self._in_progress -= 1
            self._failures += failed
            self._succeeded = self._succeeded or not failed
            self._changed.notify_all()

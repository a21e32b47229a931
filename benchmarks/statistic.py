"""What several runs say: their median and how far they lie apart."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Series", "interleaved", "series"]

T = TypeVar("T")


@dataclass(frozen=True)
class Series:
    """The same figure of several runs, in their order."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest."""
        return min(self.values), max(self.values)

    def text(self, digits: int = 2) -> str:
        """Median, least and greatest, for people."""
        low, high = self.spread
        return f"{self.median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"

    def to_dict(self) -> dict[str, object]:
        """The figures as plain JSON values."""
        return {"median": self.median, "min": self.spread[0], "max": self.spread[1], "runs": list(self.values)}


def interleaved(names: Sequence[str], one: Callable[[str], T], *, runs: int) -> dict[str, list[T]]:
    """What ``one`` returns for every name, run A B C A B C, so that a drift of the machine hits all alike."""
    found: dict[str, list[T]] = {name: [] for name in names}
    for run in range(runs):
        for name in names:
            print(f"  run {run + 1} of {runs}: {name}", file=sys.stderr, flush=True)
            found[name].append(one(name))
    return found


def series(values: Iterable[float]) -> Series:
    """The runs' figures as a series."""
    return Series(tuple(values))

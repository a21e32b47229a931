"""Formats the texts that several results have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from wsparquet.cli.flags import in_flags
from wsparquet.cli.text import ErrorLine

if TYPE_CHECKING:
    from wsparquet.conversion.summary import Failure
    from wsparquet.decode.model import PathCounts

__all__ = ["counted", "counts", "failed", "path_counts", "time"]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``2 records``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def counts(title: str, numbers: Mapping[str, int]) -> Iterator[str]:
    """Yield a title and a line for each number, aligned to the right; yield nothing if there are no numbers."""
    if not numbers:
        return
    yield f"{title}:"
    width = max(len(f"{number:,}") for number in numbers.values())
    yield from (f"  {number:>{width},}  {name}" for name, number in numbers.items())


def path_counts(title: str, tables: Mapping[str, PathCounts]) -> Iterator[str]:
    """Yield a title and a line for each path of each table; in each table, the most frequent path comes first."""
    yield from counts(
        title, {f"{table}  {path}": number for table, paths in tables.items() for path, number in _frequent(paths)}
    )


def _frequent(paths: PathCounts) -> list[tuple[str, int]]:
    return sorted(paths.counts.items(), key=lambda each: -each[1])


def failed(failures: Iterable[Failure], *, kind: str = "failed") -> Iterator[ErrorLine]:
    """Yield a line for each failure. Each line begins with ``kind``."""
    for failure in failures:
        text = f"{kind}: {failure.name}: {in_flags(failure.error)}"
        yield ErrorLine(text, failure=(failure.name, failure.error))


def time(moment: datetime | str | None) -> str:
    """Return a time in UTC, to the minute; ``?`` if it is unknown."""
    if moment is None:
        return "?"
    moment = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%MZ}"

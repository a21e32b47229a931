"""The result of a verification: counts of what was checked, and the problems that were found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from wsparquet.json_values import in_json, milliseconds
from wsparquet.results import Result

__all__ = ["Kind", "Problem", "Verification"]

Kind = Literal[
    "record",
    "missing",
    "size",
    "checksum",
    "parquet",
    "schema",
    "rows",
    "times",
    "sums",
    "quarantine",
    "shared",
    "stray",
    "twin",
    "unsettled",
    "doubled",
    "published",
    "unerased",
    "uncommitted",
    "source",
    "values",
]
"""The kinds of problems.

``record``: a commit record or a day record is unreadable. ``missing``, ``parquet``: a file of a commit is missing, or
is not a Parquet file. ``size``, ``checksum``, ``schema``, ``rows``, ``times``: a file of a commit has a different
value than its commit record says. ``sums``, ``quarantine``: counts of a commit record do not add up, or do not match
the quarantine file. ``shared``: several commit records name the same file. ``stray``: no record names a file.
``twin``: two commits have rows of the same text, as after two simultaneous runs; one of them counts, and the next run
makes the other one yield. ``unsettled``: a day part has rows of a source that was replaced or removed; they do not
count, and the next run removes them. ``doubled``: two commits have the same rows although their texts differ.
``published``: a published Iceberg table differs from the commit records. ``unerased``: an erasure of people has begun
and not ended. ``uncommitted``, ``source``, ``values``: a
source is not committed, cannot be read, or has other values than the committed rows.
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """One difference that ``verify`` found; ``where`` is a path in the root, or the URL of a source.

    >>> print(wsparquet.Problem("rows", "record_type=geo/a.parquet", "3 rows", "2"))
    record_type=geo/a.parquet: expected 3 rows, found 2
    """

    kind: Kind
    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, found {self.found}"


@dataclass(repr=False)
class Verification(Result):
    """The result of ``verify``: counts of what was checked, and all problems.

    ``bytes`` is the total size of the parts. ``unchecked`` is the number of parts without a checksum in the commit
    record. ``sources`` is the number of sources that were decoded again, and ``compared_rows`` is the number of
    committed rows that were compared with these sources. ``interrupted``: whether the rest was not checked.

    >>> wsparquet.verify("lake").problems
    []
    """

    root: str
    commits: int = 0
    parts: int = 0
    bytes: int = 0
    rows: int = 0
    unchecked: int = 0
    sources: int = 0
    compared_rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    seconds: float = field(default=0.0, metadata=in_json(convert=milliseconds))
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """The exit code: 0 if there are no problems, 1 otherwise."""
        return 1 if self.problems else 0

    def add(self, other: Verification) -> None:
        """Add the counts and the problems of another verification."""
        for name in ("commits", "parts", "bytes", "rows", "unchecked", "sources", "compared_rows"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems

    def facts(self) -> Mapping[str, object]:
        """Return how much was checked, and the number of problems."""
        counts = {
            name: getattr(self, name) or None for name in ("commits", "parts", "rows", "sources", "compared_rows")
        }
        problems = len(self.problems) or None
        interrupted = self.interrupted or None
        return {"root": self.root, **counts, "problems": problems, "interrupted": interrupted, "seconds": self.seconds}

    def failed_sources(self) -> Iterable[tuple[str, str]]:
        """Yield the location and the text of each problem."""
        return [(each.where, f"{each.kind}: expected {each.expected}, found {each.found}") for each in self.problems]

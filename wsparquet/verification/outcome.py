"""What a verification looked at, and what it found wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from wsparquet.json_values import JsonResult, in_json, milliseconds

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
    "uncommitted",
    "source",
    "values",
]
"""What is wrong: a record that cannot be believed; a file of a record that is missing, has another size, checksum,
schema, number of rows or times, or is no Parquet; counts of a record, or a quarantine, that do not agree; a file that
two records name, or none; a source that is not committed, cannot be read, or holds other values than its rows."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be: ``where`` is a path in the root, or the URL of a source."""

    kind: Kind
    where: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, found {self.found}"


@dataclass
class Verification(JsonResult):
    """What was looked at, in counts, and what is wrong; ``sources`` were decoded again. Sizes are in bytes."""

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

    @property
    def exit_code(self) -> int:
        """0 if nothing is wrong, else 1."""
        return 1 if self.problems else 0

    def add(self, other: Verification) -> None:
        """Add what another one looked at and found."""
        for name in ("commits", "parts", "bytes", "rows", "unchecked", "sources", "compared_rows"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems

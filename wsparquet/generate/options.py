"""Options of the generator, and the name and time of each file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["HOUR_MS", "GenerateOptions"]

HOUR_MS = 3_600_000
PARTS_PER_HOUR = 2
_SUFFIXES = {"gzip": ".gz", "zstd": ".zst", "none": ".json"}


@dataclass(frozen=True)
class GenerateOptions:
    """What to generate. Equal options give equal text everywhere.

    ``size`` is the JSON of each file in bytes before compression, accurate to one record. ``records`` is the number of
    records of each file and replaces ``size``. A file with ``defects`` contains each kind at least once, whatever its
    size; ``only`` names the kinds, all of ``DEFECTS`` if empty. ``start_ms`` is the first file's start in milliseconds
    since 1970, two parts make an hour. ``line_size`` is bytes per container line of the form ``lines``.
    ``gzip_members`` counts members of a gzip file, frames of a zstd one.

    Raises:
        ValueError: a number is too small, or an option has none of its values.

    """

    files: int = 1
    size: int = 1_000_000
    seed: int = 0
    form: Literal["lines", "document"] = "lines"
    defects: bool = False
    account: str = "75555851"
    start_ms: int = 1_467_291_600_000
    compression: Literal["gzip", "zstd", "none"] = "gzip"
    gzip_members: int = 1
    line_size: int = 1_000_000
    records: int | None = None
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse options that cannot be met."""
        for name in ("files", "size", "gzip_members", "line_size"):
            _at_least(name, getattr(self, name), minimum=1)
        for name in ("seed", "start_ms"):
            _at_least(name, getattr(self, name), minimum=0)
        if self.records is not None:
            _at_least("records", self.records, minimum=1)
        _one_of("form", self.form, allowed=("lines", "document"))
        _one_of("compression", self.compression, allowed=tuple(_SUFFIXES))

    def hour(self, file_number: int) -> tuple[int, int]:
        """The start and the end of a file's time range, in milliseconds since 1970."""
        start = self.start_ms + file_number // PARTS_PER_HOUR * HOUR_MS
        return start, start + HOUR_MS

    def file_name(self, file_number: int) -> str:
        """The name that the Data Access API would give the file."""
        start, end = self.hour(file_number)
        part = file_number % PARTS_PER_HOUR
        return f"WebSession.{start}.{end}.part-{part:05d}-0{_SUFFIXES[self.compression]}"


def _at_least(name: str, value: int, *, minimum: int) -> None:
    if value < minimum:
        raise ValueError(f"{name} must be {minimum} or more, not {value}")


def _one_of(name: str, value: str, *, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")

"""The options for generated files, and the hour and the name of each file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypedDict

from wsparquet.options import check_choice, check_kind, check_number

__all__ = ["HOUR_MS", "GenerateKeywords", "GenerateOptions"]

HOUR_MS = 3_600_000
PARTS_PER_HOUR = 2
_SUFFIXES = {"gzip": ".gz", "zstd": ".zst", "none": ".json"}


class GenerateKeywords(TypedDict, total=False):
    """The fields of ``GenerateOptions`` as keyword arguments."""

    files: int
    size: int
    seed: int
    form: Literal["lines", "document"]
    defects: bool
    account: str
    start_ms: int
    compression: Literal["gzip", "zstd", "none"]
    gzip_members: int
    line_size: int
    records: int | None
    only: tuple[str, ...]


@dataclass(frozen=True)
class GenerateOptions:
    """Options of ``generate_files``. The function also accepts each field as a keyword argument.

    Equal options result in equal text on every machine. ``files``: the number of files. ``size``: the bytes of JSON in
    each file before compression, exact to within one record. ``records``: the number of records in each file; replaces
    ``size``. ``defects``: also write bad input; each file then contains every kind at least once, even if this makes it
    larger than ``size``. ``only``: the kinds of bad input, by default all ``DEFECTS``. ``start_ms``: the start of the
    first file in milliseconds since 1970; two files cover one hour. ``form``: ``lines`` for one container on each line,
    ``document`` for a single pretty-printed container. ``line_size``: the bytes of a container in the form ``lines``.
    ``gzip_members``: the number of members in a gzip file, or of frames in a zstd file.

    >>> wsparquet.GenerateOptions(records=10).file_name(0)
    'WebSession.1467291600000.1467295200000.part-00000-0.gz'

    Raises:
        OptionError: a number is too small, or a field has a value that it cannot have.

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
        """Refuse wrong values."""
        for name in ("files", "size", "gzip_members", "line_size"):
            check_number(name, getattr(self, name), minimum=1)
        for name in ("seed", "start_ms"):
            check_number(name, getattr(self, name), minimum=0)
        check_number("records", self.records, minimum=1, optional=True)
        check_kind("account", self.account, str, "the account's number as text")
        check_kind("defects", self.defects, bool, "True or False")
        check_choice("form", self.form, ("lines", "document"))
        check_choice("compression", self.compression, tuple(_SUFFIXES))

    def hour(self, file_number: int) -> tuple[int, int]:
        """Return the start and end of the hour that a file covers, in milliseconds since 1970."""
        start = self.start_ms + file_number // PARTS_PER_HOUR * HOUR_MS
        return start, start + HOUR_MS

    def file_name(self, file_number: int) -> str:
        """Return the name of a file, in the format of the Data Access API."""
        start, end = self.hour(file_number)
        part = file_number % PARTS_PER_HOUR
        return f"WebSession.{start}.{end}.part-{part:05d}-0{_SUFFIXES[self.compression]}"

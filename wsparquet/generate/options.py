"""The options for generated files, and the hour and the name of each file."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal, TypedDict

from wsparquet.errors import OptionError
from wsparquet.options import check_choice, check_kind, check_number

__all__ = ["HOUR_MS", "PARTS_PER_HOUR", "PRESETS", "GenerateKeywords", "GenerateOptions", "Mix"]

HOUR_MS = 3_600_000
PARTS_PER_HOUR = 2
_SUFFIXES = {"gzip": ".gz", "zstd": ".zst", "none": ".json"}


@dataclass(frozen=True)
class Mix:
    """What makes data easy or hard to convert. ``GenerateOptions`` explains the fields."""

    visits: int | None
    distinct: float
    session_minutes: int
    midnight: float | None
    returning: float


PRESETS = {
    "easy": Mix(visits=None, distinct=0.0, session_minutes=5, midnight=0.0, returning=0.0),
    "shop": Mix(visits=None, distinct=0.15, session_minutes=12, midnight=None, returning=0.25),
    "hard": Mix(visits=1, distinct=0.9, session_minutes=45, midnight=0.4, returning=0.25),
}
"""The presets: text that repeats and is therefore easy to decode, a plausible shop, and text as hard as that of real
files."""


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
    preset: Literal["easy", "shop", "hard"]
    visits: int | None
    distinct: float | None
    session_minutes: int | None
    midnight: float | None
    returning: float | None


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

    ``preset``: ``shop`` is a plausible shop, ``easy`` repeats most values, and ``hard`` repeats few, has one visit in
    each container, and has sessions that span midnight. Each of the following options overrides the preset if it is not
    None. ``visits``: the number of visits in a container of the form ``lines``, instead of ``line_size``. ``distinct``:
    the share, 0 to 1, of values that differ in each visit; the others repeat. ``session_minutes``: the median length of
    a visit; a few take 20 times as long, up to 12 hours. Visits end in the hour of their file. ``midnight``: the share,
    0 to 1, of visits that span midnight (UTC), because a page stays open over night; the others do not span midnight.
    In the preset ``shop``, the length of each visit decides whether it spans midnight. ``returning``: the share of
    visits, 0 to 1, of visitors who come back in other files.

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
    preset: Literal["easy", "shop", "hard"] = "shop"
    visits: int | None = None
    distinct: float | None = None
    session_minutes: int | None = None
    midnight: float | None = None
    returning: float | None = None

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
        check_choice("preset", self.preset, tuple(PRESETS))
        for name in ("visits", "session_minutes"):
            check_number(name, getattr(self, name), minimum=1, optional=True)
        for name in ("distinct", "midnight", "returning"):
            _check_share(name, getattr(self, name))

    @property
    def mix(self) -> Mix:
        """The preset's mix with the options that override it."""
        own = {field.name: getattr(self, field.name) for field in fields(Mix)}
        return replace(PRESETS[self.preset], **{name: value for name, value in own.items() if value is not None})

    def hour(self, file_number: int) -> tuple[int, int]:
        """Return the start and end of the hour that a file covers, in milliseconds since 1970."""
        start = self.start_ms + file_number // PARTS_PER_HOUR * HOUR_MS
        return start, start + HOUR_MS

    def file_name(self, file_number: int) -> str:
        """Return the name of a file, in the format of the Data Access API."""
        start, end = self.hour(file_number)
        part = file_number % PARTS_PER_HOUR
        return f"WebSession.{start}.{end}.part-{part:05d}-0{_SUFFIXES[self.compression]}"


def _check_share(name: str, value: object) -> None:
    check_number(name, value, minimum=0, whole=False, optional=True)
    if isinstance(value, int | float) and value > 1:
        raise OptionError(name, f"expected a share from 0 to 1 or None, found {value!r}")

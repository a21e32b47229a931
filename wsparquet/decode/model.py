"""The inputs and outputs of a decoder: limits, decoded batches, quarantined texts, and counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import pyarrow as pa

from wsparquet.json_values import JsonResult, in_json
from wsparquet.options import check_number
from wsparquet.schema import DOCUMENTED, Schema
from wsparquet.schema.fields import DAY_MS, EPOCH, plausible_ms
from wsparquet.schema.lookup import in_table_order

if TYPE_CHECKING:
    from wsparquet.decode.masks import Masks

__all__ = [
    "BATCH_FACTOR",
    "MAX_REPORTED_PATHS",
    "Days",
    "Decoded",
    "Decoder",
    "DecoderOptions",
    "Limits",
    "PathCounts",
    "Quarantined",
    "Report",
    "add_counts",
]

MAX_REPORTED_PATHS = 1000

BATCH_FACTOR = 48
"""The factor between ``Limits.batch_bytes`` and the source text of all unfinished native batches together.

When the source text reaches the product, the native decoder returns the largest batch. Native columns are smaller than
their text and far smaller than Python rows, and each batch has a fixed cost, mostly for writing it.

CPU time was measured with 8 files of 50 MB, as medians of 9 runs, relative to a factor of 16 for each table: a factor
of 64 for all tables takes 0.95 times the CPU time, and a factor of 112 takes as much as 64.
"""
OTHER_PATHS = "(other)"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A text that could not become a row. ``data`` is the complete text.

    ``data`` is empty if a policy of masks drops quarantined text. ``start`` and ``end`` are byte offsets in the
    inflated source. ``kind`` is ``record`` if the text counts as a record
    of the source, otherwise ``item``. A long item comes in several pieces; ``continued`` is true for all but the first.

    >>> texts = []
    >>> _ = Path("broken.json").write_text('{"dataType": "WebSession", "recordCollection": [1]}')
    >>> _ = wsparquet.read("broken.json", on_quarantined=texts.append)
    >>> [(text.kind, text.data) for text in texts]
    [('record', b'1')]
    """

    kind: Literal["record", "item"]
    start: int
    end: int
    container: int | None
    record_number: int | None
    path: str | None
    reason: str
    data: bytes
    continued: bool = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """The output of one call: ``(table, batch)`` pairs, in source order for each table, and quarantined texts.

    If ``DecoderOptions`` has ``days``, all rows of a batch have the same day, and the source order holds for each table
    and day. ``days`` then has the day of each batch, in days since 1970; otherwise it is empty.
    """

    batches: tuple[tuple[str, pa.RecordBatch], ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    days: tuple[int | None, ...] = ()

    def by_day(self) -> Iterator[tuple[str, date | None, pa.RecordBatch]]:
        """Yield the table, the UTC day, and the rows of each batch. Raises ValueError if ``days`` is missing."""
        for (table, batch), day in zip(self.batches, self.days, strict=True):
            yield table, None if day is None else EPOCH + timedelta(day), batch


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits, in bytes, for the decoding of one source. A source that exceeds a limit fails.

    ``max_record``: the size of one record, or of one container value outside the records. ``max_line``: the size of one
    stretch of text outside of all readable containers. ``max_held``: the total size of the records of a container that
    precede its ``metaData``. ``max_container_values``: the total size of the container values that have no column; the
    commit record stores them. ``batch_bytes`` does not make a source fail: when the source text of a table's rows
    reaches this size, the decoder returns a record batch. The native decoder counts all tables together, and multiplies
    this size by ``BATCH_FACTOR``.

    >>> tables = wsparquet.read("session.gz", limits=wsparquet.Limits(max_record=1 << 20))

    Raises:
        OptionError: a limit is not a whole number, or is negative.

    """

    max_record: int = 64 << 20
    max_line: int = 256 << 20
    max_held: int = 256 << 20
    max_container_values: int = 16 << 20
    batch_bytes: int = 256 << 10

    def __post_init__(self) -> None:
        """Reject invalid values."""
        for name in ("max_record", "max_line", "max_held", "max_container_values", "batch_bytes"):
            check_number(name, getattr(self, name), minimum=0)


@dataclass(frozen=True, slots=True)
class Days:
    """Makes a decoder separate days: all rows of a batch then have the same UTC day.

    The day of a row is the day of its earliest own timestamp, which means any timestamp outside of ``metaData``. A row
    without an own timestamp has the day of ``metaData.startTime`` or, if this is null, the day ``fallback`` (in days
    since 1970).
    """

    fallback: int | None = None

    @classmethod
    def of(cls, fallback_ms: int | None) -> Self:
        """Return an instance with the day of ``fallback_ms`` (since 1970) if its year is from 2000 to 2099."""
        return cls(fallback_ms // DAY_MS if fallback_ms is not None and plausible_ms(fallback_ms) else None)


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """The options of a decoder.

    These are the value of ``source_file``, the limits, whether days are separated, the schema, and the masks of values.
    """

    source_file: str = ""
    limits: Limits = field(default_factory=Limits)
    days: Days | None = None
    schema: Schema = DOCUMENTED
    masks: Masks | None = None

    def quarantined(self, entries: Iterable[Quarantined]) -> tuple[Quarantined, ...]:
        """Return quarantined texts as the policy of the masks wants them: as they are, or only where and why."""
        if self.masks is None or self.masks.policy.quarantine == "keep":
            return tuple(entries)
        return tuple(replace(entry, data=b"") for entry in entries)


class PathCounts:
    """Counts by path or by another text.

    Each of the first 1,000 texts has its own count. All other texts are counted together as ``(other)``.
    """

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        self.counts: dict[str, int] = dict(counts or {})

    def to_dict(self) -> dict[str, int]:
        """Return the counts by path, in order of appearance."""
        return dict(self.counts)

    def add(self, path: str, count: int = 1) -> None:
        """Add ``count`` to ``path``, or to ``(other)`` if there are already 1,000 paths."""
        if path not in self.counts and len(self.counts) >= MAX_REPORTED_PATHS:
            path = OTHER_PATHS
        self.counts[path] = self.counts.get(path, 0) + count

    def update(self, other: PathCounts) -> None:
        """Add the counts of ``other``."""
        for path, count in other.counts.items():
            self.add(path, count)


@dataclass(slots=True)
class Report(JsonResult):
    """The counts and times of one source.

    ``records = sum(rows) + quarantined`` is always true of a decoder. ``left_out`` counts what a conversion did not
    commit: ``expired`` records of days that the root does not keep, ``erased`` records of people who were erased,
    and ``erased_items``, which are quarantined items with text of these people. ``rows``, ``quarantined`` and
    ``items`` do not count them. A count of 0 has no entry. ``items`` is the number of quarantined texts outside of
    records. ``rescued`` counts values without a matching column. ``undocumented`` counts enum values that are not
    in the documentation. ``rescued`` and ``undocumented`` are grouped by table and then by path, with ``[*]``
    instead of indices. Tables are in the order of the schema. ``container_values`` lists the values without a
    column in containers and in their ``metaData``, as ``{"containers": [first, last], "values": {path: value as
    JSON text}}``.
    ``start_time`` is the earliest time of the containers, rounded down, and ``end_time`` is the latest time, rounded
    up; both are in milliseconds since 1970.

    >>> (found,) = wsparquet.inspect("session.gz")
    >>> found.report.records == sum(found.report.rows.values())
    True
    """

    containers: int = 0
    records: int = 0
    quarantined: int = 0
    items: int = 0
    left_out: dict[str, int] = field(default_factory=dict, metadata=in_json(flat=True))
    rows: dict[str, int] = field(default_factory=dict)
    rescued: dict[str, PathCounts] = field(default_factory=dict)
    undocumented: dict[str, PathCounts] = field(default_factory=dict)
    container_values: list[dict[str, Any]] = field(default_factory=list)
    accounts: PathCounts = field(default_factory=PathCounts)
    schema_versions: PathCounts = field(default_factory=PathCounts)
    start_time: int | None = None
    end_time: int | None = None

    @property
    def row_count(self) -> int:
        """The number of rows of all tables."""
        return sum(self.rows.values())

    def count_rows(self, table: str, count: int) -> None:
        """Add ``count`` to the number of rows of a table."""
        self.rows = in_table_order({**self.rows, table: self.rows.get(table, 0) + count})

    def rescued_of(self, table: str) -> PathCounts:
        """Return the counts of the rescued values of a table. The caller adds to these counts."""
        return _paths_of(self.rescued, table)

    def undocumented_of(self, table: str) -> PathCounts:
        """Return the counts of the undocumented values of a table. The caller adds to these counts."""
        return _paths_of(self.undocumented, table)

    def add(self, other: Report) -> None:
        """Add the counts and the times of another source; its container values are not added."""
        for name in ("containers", "records", "quarantined", "items"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for table, count in other.rows.items():
            self.count_rows(table, count)
        self.left_out = add_counts(self.left_out, other.left_out)
        for table, paths in other.rescued.items():
            self.rescued_of(table).update(paths)
        for table, paths in other.undocumented.items():
            self.undocumented_of(table).update(paths)
        self.accounts.update(other.accounts)
        self.schema_versions.update(other.schema_versions)
        starts, ends = (self.start_time, other.start_time), (self.end_time, other.end_time)
        self.start_time = min((time for time in starts if time is not None), default=None)
        self.end_time = max((time for time in ends if time is not None), default=None)


def add_counts(counts: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """Return the sums of two sets of counts, without zeros."""
    names = sorted({*counts, *others})
    return {name: total for name in names if (total := counts.get(name, 0) + others.get(name, 0))}


def _paths_of(by_table: dict[str, PathCounts], table: str) -> PathCounts:
    """Return the counts of a table. If the table has none yet, insert empty counts in the order of the tables."""
    if table not in by_table:
        ordered = in_table_order({**by_table, table: PathCounts()})
        by_table.clear()
        by_table.update(ordered)
    return by_table[table]


class Decoder(Protocol):
    """Converts bytes of containers to Arrow batches for each table. Both decoders implement docs/decoding.md."""

    @property
    def report(self) -> Report:
        """The counts so far. The counts are final after ``finish``."""
        ...

    def feed(self, data: bytes) -> Decoded:
        """Decode the next bytes of the decompressed text.

        Return the batches and quarantined texts that are now complete.

        Raises:
            DecodeError: the source is not a Web Session file, or exceeds a limit.

        """
        ...

    def finish(self) -> Decoded:
        """Decode the rest of the text.

        Raises:
            DecodeError: as for ``feed``, or the source contains no container.

        """
        ...

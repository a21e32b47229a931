"""Reports the contents of sources, without writing anything."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict, Unpack, overload

import pyarrow as pa
import pyarrow.compute as pc

from wsparquet.decode import Decoded, DecoderOptions, Limits, Quarantined, Report, make_decoder
from wsparquet.decode.model import PathCounts
from wsparquet.errors import WsparquetError
from wsparquet.json_values import JsonResult, in_json, texts
from wsparquet.options import check_number, make_options
from wsparquet.results import Failure, Result
from wsparquet.schema import DOCUMENTED, Schema, Table
from wsparquet.schema.extended import read_extension
from wsparquet.schema.fields import ceiling_ms, floor_ms
from wsparquet.schema.leaves import leaf_columns
from wsparquet.schema.lookup import in_table_order
from wsparquet.source import Failed, Source, SourceLimits, Sources, as_list, expand
from wsparquet.stream import check_common, decoded

__all__ = ["InspectKeywords", "InspectOptions", "Inspection", "Inspections", "inspect", "inspect_source"]

# The byte offset in a reason for quarantine.
# The offset differs from record to record, so it is removed before equal reasons are counted together.
_BYTE = re.compile(r" at byte \d+")

MAX_SAMPLE = 2000
"""The maximum number of bytes of a quarantined text in a sample; a conversion keeps the complete text."""


class InspectKeywords(TypedDict, total=False):
    """The fields of ``InspectOptions`` as keyword arguments."""

    samples: int
    decoder: str
    source_limits: SourceLimits
    limits: Limits
    storage_options: Mapping[str, Any] | None
    extension: str | os.PathLike[str] | None


@dataclass(frozen=True)
class InspectOptions:
    """The options of ``inspect``. The function also takes each field as a keyword argument.

    ``samples``: the number of rows of each table, and of quarantined texts, that each result includes. Samples contain
    personal data. ``storage_options``: options for fsspec. ``extension``: the TOML file of an extension.
    The other fields mean the same as in ``ConvertOptions``.

    >>> (found,) = wsparquet.inspect("session.gz", options=wsparquet.InspectOptions(samples=1))
    >>> len(found.samples["geo"])
    1

    Raises:
        OptionError: a field has an invalid value.

    """

    samples: int = 0
    decoder: str = "auto"
    source_limits: SourceLimits = field(default_factory=SourceLimits)
    limits: Limits = field(default_factory=Limits)
    storage_options: Mapping[str, Any] | None = field(default=None, repr=False)
    extension: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Reject invalid values."""
        check_number("samples", self.samples, minimum=0)
        check_common(self.decoder, self.source_limits, self.limits, self.storage_options)


@dataclass(repr=False)
class Inspection(Result):
    """The contents of one source.

    ``format`` is the compression. ``form`` is ``lines`` if each container is on its own line, ``document`` if the
    source is one container on several lines, and ``documents`` if the source has several such containers. ``first`` is
    the earliest time in the records, rounded down, and ``last`` is the latest time, rounded up; both are in
    milliseconds since 1970. ``reasons`` maps each reason for quarantine to its count.

    >>> (found,) = wsparquet.inspect("session.gz")
    >>> found
    <Inspection name=session.gz, format=gzip, form=lines, records=20>
    >>> found.report.records
    20
    """

    name: str
    url: str
    format: str = ""
    form: str = ""
    stored_bytes: int = 0
    inflated_bytes: int = 0
    first: int | None = None
    last: int | None = None
    report: Report = field(default_factory=Report, metadata=in_json(flat=True))
    reasons: dict[str, int] = field(default_factory=dict)
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict, metadata=in_json(convert=texts))
    quarantine_samples: list[dict[str, Any]] = field(default_factory=list)

    def facts(self) -> Mapping[str, object]:
        """Return the form of the source and its number of records."""
        return {
            "name": self.name,
            "format": self.format,
            "form": self.form,
            "records": self.report.records,
            "quarantined": self.report.quarantined or None,
            "items": self.report.items or None,
        }


@dataclass(frozen=True)
class Totals(JsonResult):
    """The counts of several sources together; the fields mean the same as in ``Inspection`` and ``Report``.

    Only ``container_values`` differs: it is the number of container values without a column.
    """

    sources: int
    stored_bytes: int
    inflated_bytes: int
    first: int | None
    last: int | None
    containers: int
    records: int
    quarantined: int
    items: int
    rows: dict[str, int]
    rescued: dict[str, PathCounts]
    undocumented: dict[str, PathCounts]
    container_values: int
    accounts: PathCounts
    schema_versions: PathCounts
    start_time: int | None
    end_time: int | None
    reasons: dict[str, int]

    @classmethod
    def of(cls, found: Sequence[Inspection]) -> Totals:
        """Return the totals of the inspections."""
        report, reasons = Report(), PathCounts()
        for each in found:
            report.add(each.report)
            reasons.update(PathCounts(each.reasons))
        # An inspection has no root, so nothing was erased or expired from it.
        counts = {field.name: getattr(report, field.name) for field in fields(report) if field.name != "left_out"}
        counts["container_values"] = sum(len(each.report.container_values) for each in found)
        return cls(
            sources=len(found),
            stored_bytes=sum(each.stored_bytes for each in found),
            inflated_bytes=sum(each.inflated_bytes for each in found),
            first=min((each.first for each in found if each.first is not None), default=None),
            last=max((each.last for each in found if each.last is not None), default=None),
            reasons=reasons.counts,
            **counts,
        )


@dataclass(frozen=True, repr=False)
class Inspections(Result, Sequence[Inspection]):
    """The inspections of several sources, as a sequence.

    ``failures`` lists the sources that cannot be read, and ``totals`` has the total counts of all other sources.

    >>> found = wsparquet.inspect(["downloads/", "missing.gz"])
    >>> found
    <Inspections sources=3, records=40, failed=1>
    >>> found[0].format, len(found), [failure.name for failure in found.failures]
    ('gzip', 2, ['missing.gz'])
    >>> found.totals.sources, sum(found.totals.rows.values())
    (2, 40)
    """

    json_properties = (("totals", "failures"),)

    found: tuple[Inspection, ...] = field(default=(), metadata=in_json("sources"))
    failures: tuple[Failure, ...] = field(default=(), metadata=in_json("failed"))

    @overload
    def __getitem__(self, index: int) -> Inspection: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Inspection, ...]: ...

    def __getitem__(self, index: int | slice) -> Inspection | tuple[Inspection, ...]:
        return self.found[index]

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[Inspection]:
        return iter(self.found)

    def __bool__(self) -> bool:
        return bool(self.found or self.failures)

    @property
    def totals(self) -> Totals:
        """The total counts of all sources that can be read, and their earliest and latest time."""
        return Totals.of(self.found)

    @property
    def exit_code(self) -> int:
        """0 if all sources can be read, 1 otherwise."""
        return 1 if self.failures else 0

    def facts(self) -> Mapping[str, object]:
        """Return the number of sources and the number of their records."""
        return {
            "sources": len(self.found) + len(self.failures),
            "records": sum(each.report.records for each in self.found),
            "failed": len(self.failures) or None,
        }

    def failed_sources(self) -> Iterable[tuple[str, str]]:
        """Yield the name and the error of each source that cannot be read."""
        return [(failure.name, failure.error) for failure in self.failures]


def inspect(
    sources: Sources, *, options: InspectOptions | None = None, **keywords: Unpack[InspectKeywords]
) -> Inspections:
    """Report the contents of each source: form, containers, accounts, times, records per table, undocumented values.

    ``sources`` is a path, glob, folder or fsspec URL, ``-`` for standard input, or a list of these. If a source cannot
    be read, the reason is in the result's ``failures``. The keyword arguments are the fields of ``InspectOptions``, and
    they take precedence over ``options``.

    >>> wsparquet.inspect("downloads/").raise_for_failures()
    <Inspections sources=2, records=40>

    Raises:
        OptionError: a keyword argument is unknown or has an invalid value; this error is also a ValueError.

    """
    options = make_options(InspectOptions, options, keywords)
    found: list[Inspection] = []
    failures: list[Failure] = []
    for source in expand(as_list(sources), storage_options=options.storage_options):
        try:
            if isinstance(source, Failed):
                raise source.error
            found.append(inspect_source(source, options=options))
        except WsparquetError as error:
            failures.append(Failure(source.name, source.url, str(error)))
    return Inspections(tuple(found), tuple(failures))


def inspect_source(source: Source, *, options: InspectOptions | None = None) -> Inspection:
    """Report the contents of one source.

    Raises:
        SourceError: the source cannot be read.
        DecodeError: the source is not a Web Session file.

    """
    options = options or InspectOptions()
    schema = DOCUMENTED if options.extension is None else read_extension(options.extension)
    decoder = make_decoder(DecoderOptions(source.name, options.limits, schema=schema), decoder=options.decoder)
    found = Inspection(source.name, source.url, report=decoder.report)
    with source.open(options.source_limits) as reader:
        lines = _LineCounter()
        for piece in decoded(source, reader, decoder, on_chunk=lines):
            _take(found, piece, options.samples, schema)
        found.format = reader.format
        found.stored_bytes, found.inflated_bytes = reader.stored_bytes, reader.inflated_bytes
    found.form = _form(lines.count, decoder.report)
    found.samples = in_table_order(found.samples)
    return found


class _LineCounter:
    """Counts the line ends in all text that is passed to it."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, chunk: bytes) -> None:
        self.count += chunk.count(b"\n")


def _form(lines: int, report: Report) -> str:
    if lines <= report.containers + report.items:
        return "lines"
    return "document" if report.containers == 1 else "documents"


def _take(found: Inspection, piece: Decoded, samples: int, schema: Schema) -> None:
    for table, batch in piece.batches:
        _widen(found, schema.tables[table], batch)
        shown = found.samples.setdefault(table, []) if samples else []
        shown.extend(batch.slice(0, max(samples - len(shown), 0)).to_pylist())
    for entry in piece.quarantined:
        if not entry.continued:
            reason = _BYTE.sub("", entry.reason)
            found.reasons[reason] = found.reasons.get(reason, 0) + 1
            if len(found.quarantine_samples) < samples:
                found.quarantine_samples.append(_sample(entry))


def _widen(found: Inspection, table: Table, batch: pa.RecordBatch) -> None:
    """Extend the time span of the inspection to include the timestamps of a batch, except those of ``metaData``."""
    for column in leaf_columns(table.schema):
        if not pa.types.is_timestamp(column.field.type) or column.steps[0] == "metaData":
            continue
        times = column.values(batch).cast(pa.int64())
        first, last = pc.min(times).as_py(), pc.max(times).as_py()
        if first is not None and last is not None:
            first, last = floor_ms(first), ceiling_ms(last)
            found.first = first if found.first is None else min(first, found.first)
            found.last = last if found.last is None else max(last, found.last)


def _sample(entry: Quarantined) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "start": entry.start,
        "end": entry.end,
        "container": entry.container,
        "record_number": entry.record_number,
        "reason": entry.reason,
        "text": entry.data[:MAX_SAMPLE].decode("utf-8", "backslashreplace"),
    }

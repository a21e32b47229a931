"""What is in a source, told without writing anything."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from wsparquet.decode import Decoded, DecoderOptions, Limits, Quarantined, Report, make_decoder
from wsparquet.json_values import JsonResult, in_json, texts
from wsparquet.schema import TABLES
from wsparquet.schema.leaves import leaf_columns
from wsparquet.source import Source, SourceLimits
from wsparquet.stream import decoded

__all__ = ["InspectOptions", "Inspection", "inspect"]

# A reason says where in the record it is; so precise, no two would count as the same.
_BYTE = re.compile(r" at byte \d+")

MAX_SAMPLE = 2000
"""Longest text of a quarantined sample, in characters; the whole of it is kept by a conversion."""


@dataclass(frozen=True)
class InspectOptions:
    """How to look: rows per table and quarantined entries to show as ``samples``, which are personal data."""

    samples: int = 0
    decoder: str = "auto"
    source_limits: SourceLimits = field(default_factory=SourceLimits)
    limits: Limits = field(default_factory=Limits)


@dataclass
class Inspection(JsonResult):
    """What one source holds.

    ``format`` is its compression, ``form`` how containers lie in it: ``lines`` (one a line), ``document`` (one over
    many lines) or ``documents``. ``first`` and ``last`` are the records' own times in milliseconds since 1970.
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
    reasons: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict, metadata=in_json(convert=texts))
    quarantine_samples: list[dict[str, Any]] = field(default_factory=list)


def inspect(source: Source, *, options: InspectOptions | None = None) -> Inspection:
    """What is in ``source``: form, containers, accounts, schema versions, records per table, times, drift.

    Raises:
        SourceError: it cannot be read.
        DecodeError: it is no Web Session file.

    """
    options = options or InspectOptions()
    decoder = make_decoder(DecoderOptions(source.name, options.limits), decoder=options.decoder)
    found = Inspection(source.name, source.url, report=decoder.report)
    with source.open(options.source_limits) as reader:
        lines = _LineCounter()
        for piece in decoded(source, reader, decoder, on_chunk=lines):
            _take(found, piece, options.samples)
        found.format = reader.format
        found.stored_bytes, found.inflated_bytes = reader.stored_bytes, reader.inflated_bytes
    found.form = _form(lines.count, decoder.report)
    return found


class _LineCounter:
    """Counts line ends in text that it is called with."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, chunk: bytes) -> None:
        self.count += chunk.count(b"\n")


def _form(lines: int, report: Report) -> str:
    if lines <= report.containers + report.items:
        return "lines"
    return "document" if report.containers == 1 else "documents"


def _take(found: Inspection, piece: Decoded, samples: int) -> None:
    for table, batch in piece.batches:
        _widen(found, table, batch)
        shown = found.samples.setdefault(table, []) if samples else []
        shown.extend(batch.slice(0, max(samples - len(shown), 0)).to_pylist())
    for entry in piece.quarantined:
        if not entry.continued:
            found.reasons[_BYTE.sub("", entry.reason)] += 1
            if len(found.quarantine_samples) < samples:
                found.quarantine_samples.append(_sample(entry))


def _widen(found: Inspection, table: str, batch: pa.RecordBatch) -> None:
    """Let the time span take in a batch's own timestamps."""
    for column in leaf_columns(TABLES[table].schema):
        if not pa.types.is_timestamp(column.field.type) or column.steps[0] == "metaData":
            continue
        times = column.values(batch).cast(pa.int64())
        first, last = pc.min(times).as_py(), pc.max(times).as_py()
        if first is not None and last is not None:
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

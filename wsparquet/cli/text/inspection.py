"""The text of the inspection of sources."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from wsparquet.cli.terminal import human_bytes
from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted, counts, failed, path_counts
from wsparquet.decode import Report
from wsparquet.inspection import Inspection, Inspections, Totals


@lines.register
def _(found: Inspections) -> Iterator[str]:
    """Yield one block for each source, then the failures, and then the totals if there are several sources."""
    for each in found:
        yield from lines(each)
    yield from failed(found.failures)
    if len(found) + len(found.failures) > 1:
        yield from lines(found.totals)
        if found.failures:
            yield f"  {counted(len(found.failures), 'other source')} cannot be read"


@lines.register
def _(found: Inspection) -> Iterator[str]:
    """Yield a block of facts, then the counts, and finally the samples."""
    yield f"{found.name}: {found.format}, {found.form}, {human_bytes(found.inflated_bytes)} of JSON"
    yield from _counts(found.report, found, found.reasons)
    yield from _container_values(found)
    yield from _samples(found)


@lines.register
def _(total: Totals) -> Iterator[str]:
    """Yield the same facts and counts as for one source."""
    yield (
        f"total: {counted(total.sources, 'source')}, {human_bytes(total.inflated_bytes)} of JSON "
        f"({human_bytes(total.stored_bytes)} stored)"
    )
    yield from _counts(total, total, total.reasons)
    if total.container_values:
        yield f"  container values without a column: {total.container_values:,}"


def _counts(report: Report | Totals, times: Inspection | Totals, reasons: Mapping[str, int]) -> Iterator[str]:
    yield from (f"  {name + ':':17}{value}" for name, value in _facts(report, times).items())
    yield from counts("rows", report.rows)
    yield from path_counts("rescued values", report.rescued)
    yield from path_counts("values that the documentation does not list", report.undocumented)
    yield from counts("quarantined records and items", reasons)


def _facts(report: Report | Totals, times: Inspection | Totals) -> dict[str, str]:
    return {
        "containers": f"{report.containers:,}",
        "accounts": ", ".join(report.accounts.counts) or "none",
        "schema versions": ", ".join(report.schema_versions.counts) or "none",
        "container times": _span(report.start_time, report.end_time),
        "record times": _span(times.first, times.last),
        "records": f"{report.records:,}",
    }


def _container_values(found: Inspection) -> Iterator[str]:
    for entry in found.report.container_values:
        first, last = entry["containers"]
        which = f"container {first}" if first == last else f"containers {first} to {last}"
        for path, text in entry["values"].items():
            yield f"  {which}: {path} = {text[:200]}"


def _samples(found: Inspection) -> Iterator[str]:
    for table, rows in found.samples.items():
        for row in rows:
            yield f"  {table}: {json.dumps(row, default=str, ensure_ascii=False)}"
    for sample in found.quarantine_samples:
        yield f"  quarantined at byte {sample['start']}: {sample['text']}"


def _span(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return "none"
    moments = (datetime.fromtimestamp(milliseconds / 1000, UTC) for milliseconds in (first, last))
    return " to ".join(moment.isoformat(timespec="milliseconds") for moment in moments)

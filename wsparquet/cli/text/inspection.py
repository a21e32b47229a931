"""The text of the inspection of a source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from wsparquet.cli.terminal import human_bytes
from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counts, path_counts
from wsparquet.inspection import Inspection


@lines.register
def _(found: Inspection) -> Iterator[str]:
    """Yield a block of facts, then the counts, and finally the samples."""
    yield f"{found.name}: {found.format}, {found.form}, {human_bytes(found.inflated_bytes)} of JSON"
    yield from (f"  {name + ':':17}{value}" for name, value in _facts(found).items())
    yield from counts("rows", found.report.rows)
    yield from path_counts("rescued values", found.report.rescued)
    yield from path_counts("values that the documentation does not list", found.report.undocumented)
    yield from counts("quarantined records and items", found.reasons)
    yield from _container_values(found)
    yield from _samples(found)


def _facts(found: Inspection) -> dict[str, str]:
    report = found.report
    return {
        "containers": f"{report.containers:,}",
        "accounts": ", ".join(report.accounts.counts) or "none",
        "schema versions": ", ".join(report.schema_versions.counts) or "none",
        "container times": _span(report.start_time, report.end_time),
        "record times": _span(found.first, found.last),
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

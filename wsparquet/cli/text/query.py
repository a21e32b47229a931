"""The text of the results of `wsparquet changes`, `wsparquet drift` and `wsparquet views`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted, time
from wsparquet.query import Changes, Drift, Finding, StoredViews


@lines.register
def _(changes: Changes) -> Iterator[str]:
    """Yield a line for each source, and then the number of sources of each kind."""
    for source in changes.removed:
        yield f"removed:  {source.source_file} of account {source.account}"
    for source in changes.replaced:
        was = "" if source.before == source.source_file else f", before: {source.before}"
        yield f"replaced: {source.source_file} of account {source.account} ({counted(source.rows, 'row')}{was})"
    for source in changes.added:
        yield f"added:    {source.source_file} of account {source.account} ({counted(source.rows, 'row')})"
    yield f"{len(changes.added):,} added, {len(changes.replaced):,} replaced, {len(changes.removed):,} removed"


@lines.register
def _(drift: Drift) -> Iterator[str]:
    """Yield a line for each finding, below its period if there are periods."""
    if not drift.findings:
        yield f"{counted(drift.sources, 'source')}: all values are documented, and nothing is quarantined"
    for period, findings in groupby(drift.findings, key=lambda finding: finding.period):
        if period is not None:
            yield f"{period}:"
        yield from (_finding(finding) for finding in findings)


@lines.register
def _(stored: StoredViews) -> Iterator[str]:
    """Yield what the file has, why its views read files if the root is published, and which views stay empty."""
    over = "Iceberg tables (iceberg_scan)" if stored.over == "iceberg" else "files"
    yield f"{stored.into}: {counted(len(stored.views), 'view')} over the {over} of {stored.root}"
    if stored.reason:
        yield stored.reason
    if stored.empty:
        yield f"without files, so these views stay empty until you run this command again: {', '.join(stored.empty)}"


def _finding(finding: Finding) -> str:
    what = "  ".join(each for each in (finding.table, finding.path) if each)
    where = f"{finding.count:>7,} in {counted(finding.sources, 'source')}"
    return f"{finding.kind:15} {where:24} {time(finding.first)} to {time(finding.last)}  {what}".rstrip()

"""The text of the result of `wsparquet report`."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted
from wsparquet.overview import RootReport


@lines.register
def _(report: RootReport) -> Iterator[str]:
    """Yield the file and the main numbers, and then what may need attention."""
    rows = sum(each.rows for each in report.tables)
    files = sum(each.files for each in report.tables)
    yield f"{report.html}: {counted(report.sources, 'source')}, {counted(rows, 'row')} in {counted(files, 'file')}"
    facts = report.facts()
    nouns = {"gaps": "gap", "drift": "finding", "quarantined": "quarantined text", "failed": "failed source"}
    found = [counted(number, noun) for name, noun in nouns.items() if isinstance(number := facts[name], int) and number]
    if found:
        yield f"look at: {', '.join(found)}"

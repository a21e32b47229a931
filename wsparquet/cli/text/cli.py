"""The text of results that only the command line has."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.results import Generated, Inspections
from wsparquet.cli.text import ErrorLine, lines
from wsparquet.cli.text.parts import failed


@lines.register
def _(found: Inspections) -> Iterator[str]:
    """Yield a block for each source; failures are lines for standard error."""
    for each in found.sources:
        yield from lines(each)
    yield from map(ErrorLine, failed(found.failed))


@lines.register
def _(generated: Generated) -> Iterator[str]:
    """Yield a line for each file."""
    yield from generated.files

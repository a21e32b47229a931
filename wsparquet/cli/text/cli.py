"""The text of results that only the command line has."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.results import Generated
from wsparquet.cli.text import lines


@lines.register
def _(generated: Generated) -> Iterator[str]:
    """Yield a line for each file."""
    yield from generated.files

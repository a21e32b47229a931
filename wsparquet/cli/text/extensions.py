"""The text of the results of `wsparquet extend`."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted
from wsparquet.extensions import CheckedExtension, Extended


@lines.register
def _(found: CheckedExtension) -> Iterator[str]:
    """Yield the new columns of each table."""
    for table, columns in found.columns.items():
        new = " (new table)" if table in found.tables else ""
        yield from (f"{table}{new}: {path}, {kind}" for path, kind in columns.items())
    number = sum(map(len, found.columns.values()))
    yield f"{found.file} is valid: it adds {counted(number, 'column')} and {counted(len(found.tables), 'table')}"


@lines.register
def _(found: Extended) -> Iterator[str]:
    """Yield what was promoted and what was written anew."""
    yield f"the extension of {found.root} adds {counted(found.columns, 'column')}"
    if found.sources or found.days:
        promoted = f"promoted {counted(found.values, 'value')} and {counted(found.rows, 'row')}"
        yield f"{promoted} in {counted(found.sources, 'source')} and {counted(found.days, 'merged day')}"

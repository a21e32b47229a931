"""The text of a comparison between the schemas of the server and of wsparquet."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted
from wsparquet.remote_schema import SchemaComparison


@lines.register
def _(comparison: SchemaComparison) -> Iterator[str]:
    """Yield a line about what was compared, and a line for each difference."""
    yield f"{counted(comparison.fields, 'field')} compared in {counted(len(comparison.tables), 'table')}"
    for each in comparison.differences:
        both = f"{each.server or 'nothing'} there, {each.ours or 'nothing'} here"
        yield f"{each.kind}: {' '.join(filter(None, (each.table, each.path)))}: {both}"
    yield counted(len(comparison.differences), "difference") if comparison.differences else "no differences"

"""The text of the result of `wsparquet changes`."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted
from wsparquet.query import Changes


@lines.register
def _(changes: Changes) -> Iterator[str]:
    """Yield a line for each source, and then the numbers of sources."""
    for source in changes.removed:
        yield f"removed:  {source.source_file} of account {source.account}"
    for source in changes.replaced:
        was = "" if source.before == source.source_file else f", before: {source.before}"
        yield f"replaced: {source.source_file} of account {source.account} ({counted(source.rows, 'row')}{was})"
    for source in changes.added:
        yield f"added:    {source.source_file} of account {source.account} ({counted(source.rows, 'row')})"
    yield f"{len(changes.added):,} added, {len(changes.replaced):,} replaced, {len(changes.removed):,} removed"

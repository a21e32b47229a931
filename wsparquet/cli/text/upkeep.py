"""The text of the result of `wsparquet remove`."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted
from wsparquet.upkeep import Removal


@lines.register
def _(removal: Removal) -> Iterator[str]:
    """Yield a line for each source."""
    done = "would remove" if removal.dry_run else "removed"
    for source in removal.removed:
        yield f"{done} {source.name} of account {source.account}: {counted(source.rows, 'row')}"
    if removal.dry_run:
        rows = counted(sum(each.rows for each in removal.removed), "row")
        yield f"nothing was changed; to remove {counted(len(removal.removed), 'source')} with {rows}, add --yes"

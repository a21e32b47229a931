"""The text of the result of `wsparquet remove`."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted
from wsparquet.upkeep import Removal


@lines.register
def _(removal: Removal) -> Iterator[str]:
    """Yield a line for each source."""
    for source in removal.removed:
        yield f"removed {source.name} of account {source.account}: {counted(source.rows, 'row')}"

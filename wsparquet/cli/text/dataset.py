"""The text of the result of `wsparquet clean`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from wsparquet.cli.terminal import human_bytes
from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted
from wsparquet.dataset import Cleaning


@lines.register
def _(cleaning: Cleaning) -> Iterator[str]:
    """Yield a line for each stray, and then whether the strays were deleted."""
    for each in cleaning.strays:
        since = datetime.fromtimestamp(each.modified, UTC)
        yield f"{each.kind + ':':11} {since:%Y-%m-%d %H:%MZ}  {human_bytes(each.size):>9}  {each.path}"
    if cleaning.unlisted:
        yield f"not listed: {cleaning.unlisted}"
    yield _total(cleaning)


def _total(cleaning: Cleaning) -> str:
    foreign = sum(each.kind == "foreign" for each in cleaning.strays)
    strays = len(cleaning.strays) - foreign
    kept = f"; {counted(foreign, 'foreign file')} not touched" if foreign else ""
    if not strays:
        return f"no strays: commit records name every {'other ' if foreign else ''}file{kept}"
    done = "deleted" if cleaning.deleted else "nothing deleted; delete with --delete"
    return f"{counted(strays, 'stray')}: {done}{kept}"

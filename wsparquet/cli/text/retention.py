"""The text of the result of `wsparquet expire`."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted
from wsparquet.retention import Expiry


@lines.register
def _(expiry: Expiry) -> Iterator[str]:
    """Yield a line for each table."""
    for each in expiry.tables:
        dropped = f"{counted(each.rows, 'row')} of {counted(each.days, 'day')} before {each.before}"
        yield f"{'would drop' if expiry.dry_run else 'dropped'} {dropped} from {each.table}"
    if expiry.stopped:
        yield f"the root {'would forget' if expiry.dry_run else 'has forgotten'} which days have expired"
    if expiry.dry_run:
        yield "nothing was changed; to do it, add --yes"

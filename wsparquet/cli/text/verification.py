"""The text of the result of a verification."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.flags import in_flags
from wsparquet.cli.terminal import human_bytes
from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted
from wsparquet.verification import Verification


@lines.register
def _(found: Verification) -> Iterator[str]:
    """Yield the counts, and a line for each problem."""
    yield (
        f"{counted(found.commits, 'commit')}, {counted(found.parts, 'part')} of {human_bytes(found.bytes)} with "
        f"{counted(found.rows, 'row')} read in {found.seconds:.1f} s"
    )
    if found.sources:
        yield f"{counted(found.sources, 'source')} decoded again, {counted(found.compared_rows, 'row')} compared"
    if found.unchecked:
        yield f"{counted(found.unchecked, 'part')} without a checksum, from an older version of wsparquet"
    yield from (f"{problem.kind}: {in_flags(str(problem))}" for problem in found.problems)
    problems = counted(len(found.problems), "problem")
    if found.interrupted:
        yield f"interrupted: {problems} so far"
    else:
        yield problems if found.problems else "verified"

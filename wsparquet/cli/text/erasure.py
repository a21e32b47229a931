"""The text of the result of `wsparquet erase`."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.flags import in_flags
from wsparquet.cli.text import ErrorLine, lines
from wsparquet.cli.text.parts import counted, counts
from wsparquet.erasure import Certificate


@lines.register
def _(found: Certificate) -> Iterator[str]:
    """Yield what was erased, what was searched, which raw files have the ids, and what could not be reached."""
    looked, erased, done = found.looked_at, found.erased, found.rewritten
    yield (
        f"looked at {counted(looked.commits, 'source')}: {counted(looked.parts, 'part')}, of which "
        f"{looked.skipped} could be skipped, and {counted(looked.quarantine_files, 'file')} of quarantine"
    )
    yield from counts("rows that would be erased" if found.dry_run else "erased rows", erased.rows)
    if erased.quarantined or erased.items or erased.container_values:
        yield (
            f"from quarantine: {counted(erased.quarantined, 'record')}, {counted(erased.items, 'item')}; "
            f"from commit records: {counted(erased.container_values, 'value')}"
        )
    if found.visits_of_customers:
        yield f"{counted(found.visits_of_customers, 'visit')} in which a customer was recognized"
    would = "would rewrite" if found.dry_run else "rewrote"
    yield (
        f"{would} {counted(done.sources, 'source')}: rows were in {counted(done.parts, 'part')} and "
        f"{counted(done.day_parts, 'merged part')}"
    )
    if found.published:
        yield "published again, and deleted all older snapshots"
    yield from _raw_files(found)
    yield "not reached:"
    yield from (f"  {in_flags(each)}" for each in found.not_reached)
    if found.dry_run:
        yield "nothing was changed; to erase these people, add --yes"


def _raw_files(found: Certificate) -> Iterator[str]:
    if not found.raw_files:
        return
    having = [each for each in found.raw_files if each.found]
    yield f"{counted(len(having), 'raw file')} of {len(found.raw_files)} with these ids{':' if having else ''}"
    yield from (f"  {each.url}" for each in having)
    for each in found.raw_files:
        if each.found is None:
            yield ErrorLine(f"failed: {each.url}: {in_flags(each.error or '')}", failure=(each.url, each.error or ""))

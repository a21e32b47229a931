"""The text of the result of a compaction."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.flags import in_flags
from wsparquet.cli.terminal import human_bytes
from wsparquet.cli.text import ErrorLine, lines
from wsparquet.cli.text.parts import counted
from wsparquet.compaction import Compaction, MergedTable


@lines.register
def _(found: Compaction) -> Iterator[str]:
    """Yield files, bytes and rows before and after, by table and in total."""
    if not found.tables and not found.failures:
        yield "nothing to merge: no table has enough small files on a day that is old enough"
    yield from (f"  {each.table}: {_sizes(each)}, {counted(each.rows, 'row')}" for each in found.tables)
    if found.tables:
        done = "would merge" if found.dry_run else "merged"
        yield f"{done} {counted(found.days, 'day')}: {_sizes(_total(found))}, {found.seconds:.1f} s"
    if found.keeps_replaced:
        yield "replaced files stay for now: readers of folders count rows twice; open_dataset, scan and sql do not"
    if found.changing:
        yield f"{counted(found.changing, 'day')} left to the next run, because other runs changed them meanwhile"
    for day in found.failures:
        name = f"{day.account} {day.date or 'without a day'}"
        yield ErrorLine(f"failed: {name}: {in_flags(day.error)}", failure=(name, day.error))


def _total(found: Compaction) -> MergedTable:
    def total(name: str) -> int:
        return sum(getattr(each, name) or 0 for each in found.tables)

    names = ("rows", "files_before", "bytes_before", "files_after", "bytes_after")
    sums = {name: total(name) for name in names}
    if found.dry_run:
        sums |= {"files_after": None, "bytes_after": None}  # type: ignore[dict-item]
    return MergedTable("", found.days, **sums)


def _sizes(each: MergedTable) -> str:
    before = f"{counted(each.files_before, 'file')} of {human_bytes(each.bytes_before)}"
    if each.files_after is None or each.bytes_after is None:
        return before
    return f"{before} became {counted(each.files_after, 'file')} of {human_bytes(each.bytes_after)}"

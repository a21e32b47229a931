"""The text of the result of `wsparquet publish`."""

from __future__ import annotations

from collections.abc import Iterator

from wsparquet.cli.text import lines
from wsparquet.cli.text.parts import counted
from wsparquet.iceberg import Publishing


@lines.register
def _(publishing: Publishing) -> Iterator[str]:
    """Yield a line for each table, with the file from which engines can open it."""
    if publishing.stopped:
        yield f"{publishing.root} is not published any more; its Parquet files are unchanged"
        return
    width = max(len(each.name) for each in publishing.tables)
    for each in publishing.tables:
        yield f"{each.name:{width}}  {counted(each.rows, 'row')} in {counted(each.files, 'file')}  {each.metadata}"
    added = sum(each.added for each in publishing.tables)
    removed = sum(each.removed for each in publishing.tables)
    where = f"in the catalog {publishing.catalog}" if publishing.catalog else "in the root itself"
    yield f"published {where}: {counted(added, 'file')} added, {counted(removed, 'file')} removed"

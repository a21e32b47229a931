"""`wsparquet compact`: merge the small files of a root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.options import ProgressOptions, RootOptions, output_option, progress_options, root_options
from wsparquet.cli.output import present
from wsparquet.cli.parameter_types import AGE, BYTES, PARTITION_DAY
from wsparquet.cli.progress import progress

if TYPE_CHECKING:
    from wsparquet.compaction import Compaction

__all__ = ["Arguments", "compact", "execute"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet compact`."""

    root: str
    older_than: timedelta
    dates: tuple[date | None, ...]
    tables: tuple[str, ...]
    min_files: int
    target_size: int
    keep: timedelta
    jobs: int | None
    memory: int
    dry_run: bool
    output: str
    progress: ProgressOptions = field(metadata=group(ProgressOptions))
    root_options: RootOptions = field(metadata=group(RootOptions))


@click.command(short_help="Merge the small files of days into few large ones.")
@click.argument("root")
@click.option(
    "--older-than",
    type=AGE,
    default="2d",
    show_default=True,
    help="Merge days that ended at least this long ago; files of younger days may still arrive.",
)
@click.option(
    "--date",
    "dates",
    type=PARTITION_DAY,
    multiple=True,
    metavar="DATE",
    help="Merge this day, whatever its age; none means the rows without a day. Repeatable.",
)
@click.option("--table", "tables", multiple=True, metavar="TABLE", help="Merge only this table; repeatable.")
@click.option(
    "--min-files",
    type=click.IntRange(min=2),
    default=8,
    show_default=True,
    metavar="N",
    help="Merge a table's day only if it has at least N small files.",
)
@click.option("--target-size", type=BYTES, default="512MiB", show_default=True, help="Size in bytes of a merged file.")
@click.option(
    "--keep",
    type=AGE,
    default="0s",
    show_default=True,
    help="How long replaced files stay. Until then, readers of folders count rows twice: only for roots that are read "
    "through open_dataset, scan, sql or Iceberg.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Number of days to merge at once."
)
@click.option(
    "--memory",
    type=BYTES,
    default="384MiB",
    show_default=True,
    help="Memory in bytes for the rows of all jobs together.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be merged, but write nothing.")
@root_options
@output_option
@progress_options
@takes(Arguments)
def compact(given: Arguments) -> int:
    """Merge the small files of each table and day below ROOT into few large ones.

    Hourly sources make many small files, which every query has to open. After a compaction, a table's day has one file
    up to the target size, sorted by visit and time, with Bloom filters on visitId and visitorId. The rows are the same.
    Converting or removing a source later still replaces exactly its rows. The command may run at any time, also beside
    other runs; a query that has listed the old files fails once with a missing file.

    \b
    Examples:
      wsparquet compact lake
      wsparquet compact lake --older-than 1d --min-files 2
      wsparquet compact lake --date 2026-06-30 --table navigation --dry-run
    """
    from wsparquet.compaction import compact as run

    return execute(given, run)


def execute(given: Arguments, run: Callable[..., Compaction]) -> int:
    """Merge with ``run``, show the result, and return the exit code."""
    from wsparquet.compaction import CompactOptions

    options = CompactOptions(
        older_than=given.older_than,
        dates=given.dates,
        tables=given.tables,
        min_files=given.min_files,
        target_size=given.target_size,
        keep=given.keep,
        jobs=given.jobs or 1,
        memory=given.memory,
        dry_run=given.dry_run,
        storage_options=given.root_options.storage or None,
        single_writer=given.root_options.single_writer,
    )
    with progress(given.progress, given.output) as shown:
        found = run(given.root, options=options, on_progress=shown)
    present(found, given.output, quiet=given.progress.quiet, shown=shown.failures)
    return found.exit_code

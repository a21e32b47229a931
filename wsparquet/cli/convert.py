"""`wsparquet convert`: convert files into datasets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.options import (
    ConversionOptions,
    ProgressOptions,
    conversion_options,
    force_account_option,
    output_option,
    progress_options,
    to_option,
)
from wsparquet.cli.output import present
from wsparquet.cli.parameter_types import account_option
from wsparquet.cli.progress import progress

if TYPE_CHECKING:
    from wsparquet.conversion.summary import Summary

__all__ = ["Arguments", "convert", "execute"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet convert`."""

    sources: tuple[str, ...]
    root: str
    account: str | None
    dry_run: bool
    compact: bool
    again: bool
    force_account: bool
    max_failures: int
    shard: str | None
    output: str
    progress: ProgressOptions = field(metadata=group(ProgressOptions))
    conversion: ConversionOptions = field(metadata=group(ConversionOptions))


@click.command(short_help="Convert Web Session files into datasets below a root.")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@to_option
@account_option("The account of all sources; needed if neither the URL nor the content of a source names the account.")
@click.option("--dry-run", is_flag=True, help="Decode and count, but write nothing.")
@click.option("--compact", is_flag=True, help="At the end, merge the small files of older days, as `compact` does.")
@click.option("--again", is_flag=True, help="Convert committed sources, too, and replace their rows.")
@force_account_option
@click.option(
    "--max-failures",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    metavar="N",
    help="Begin no further source after N failures without a success; 0 means no limit.",
)
@click.option(
    "--shard",
    metavar="NUMBER/OF",
    help="Convert only one shard of the sources, such as 3/16; shards are numbered from 0.",
)
@conversion_options
@output_option
@progress_options
@takes(Arguments)
def convert(given: Arguments) -> int:
    """Convert Web Session files into nested Parquet datasets below ROOT.

    A SOURCE is a file, a glob, a folder, an fsspec URL, or - for standard input. A SOURCE may be compressed by gzip,
    zstd or zip. Each source becomes one commit: all of its rows, or none. Committed sources are skipped, so it is
    always safe to run the same command again. Exit code 3 means that everything is converted, but some text was
    quarantined.

    \b
    Examples:
      wsparquet convert downloads/ --to lake
      wsparquet convert 'raw/WebSession.*.gz' --to lake --jobs 4 --output json
      zcat session.gz | wsparquet convert - --to lake --account 75555851
    """
    from wsparquet.conversion.run import convert as run

    return execute(given, run)


def execute(given: Arguments, run: Callable[..., Summary]) -> int:
    """Convert with ``run``, present the result, and return the exit code."""
    options = given.conversion.made(
        account=given.account,
        dry_run=given.dry_run,
        compact=given.compact,
        again=given.again,
        force_account=given.force_account,
        max_failures=given.max_failures,
        shard=given.shard,
    )
    with progress(given.progress, given.output) as shown:
        summary = run(given.sources, given.root, options=options, on_progress=shown)
    present(summary, given.output, quiet=given.progress.quiet, shown=shown.failures)
    return summary.exit_code

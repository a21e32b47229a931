"""`wsparquet replay`: convert sources again with a version of wsparquet that understands more of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import (
    ConversionOptions,
    ProgressOptions,
    conversion_options,
    output_option,
    progress_options,
)
from wsparquet.cli.output import present, say
from wsparquet.cli.progress import progress

if TYPE_CHECKING:
    from wsparquet.conversion.summary import Summary

__all__ = ["Arguments", "execute", "replay"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet replay`."""

    root: str
    raw: tuple[str, ...]
    dry_run: bool
    again: bool
    output: str
    progress: ProgressOptions = field(metadata=group(ProgressOptions))
    conversion: ConversionOptions = field(metadata=group(ConversionOptions))


@click.command(short_help="Convert again the sources that were not fully understood.")
@click.argument("root")
@click.argument("raw", nargs=-1, required=True, metavar="RAW...")
@click.option("--dry-run", is_flag=True, help="Find the files, decode and count, but write nothing.")
@click.option("--again", is_flag=True, help="Also convert sources that this version has already converted.")
@conversion_options
@output_option
@progress_options
@takes(Arguments)
def replay(given: Arguments) -> int:
    """Convert again the sources below ROOT that were not fully understood.

    A source was not fully understood if another version of wsparquet rescued values or quarantined text of the source,
    or if the source was committed with an older schema version. RAW names the paths or URLs of the files. A file is
    found by name and checksum, or by checksum alone if the source came from standard input. A file of RAW that cannot
    be read is a failure.

    After an upgrade that supports more fields, replay upgrades the complete root to the new schema version. The upgrade
    starts only if every file is found. Until every source is converted, only another replay can use the root.

    \b
    Examples:
      wsparquet replay lake raw/
      wsparquet replay lake raw/ --dry-run --output json
    """
    from wsparquet.conversion.replay import replay as run

    return execute(given, run)


def execute(given: Arguments, run: Callable[..., Summary]) -> int:
    """Replay with ``run``, present the result, and return the exit code."""
    options = given.conversion.made(dry_run=given.dry_run, again=given.again)
    with progress(given.progress, given.output) as shown:
        summary = run(given.root, given.raw, options=options, on_progress=shown)
    if not summary.sources and given.output == "text":
        if not given.progress.quiet:
            say("nothing to replay: no source has values that another version did not understand")
        return ExitCode.DONE
    present(summary, given.output, quiet=given.progress.quiet, shown=shown.failures)
    return summary.exit_code

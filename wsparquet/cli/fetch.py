"""`wsparquet fetch`: download files from the Data Access API, without converting them."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from wsparquet.cli.api_options import RangeOptions, ServerOptions, api_options, fetch_options, range_options
from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import ProgressOptions, output_option, progress_options, storage_option
from wsparquet.cli.output import present
from wsparquet.cli.progress import log_option, sync_progress
from wsparquet.cli.signals import stopping

__all__ = ["fetch"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet fetch`."""

    into: str
    storage: dict[str, object] = field(repr=False)
    output: str
    log_format: str
    progress: ProgressOptions = field(metadata=group(ProgressOptions))
    server: ServerOptions = field(metadata=group(ServerOptions))
    range: RangeOptions = field(metadata=group(RangeOptions))


@click.command(short_help="Download files from the Data Access API.")
@api_options()
@click.option("--into", required=True, metavar="DIR|URL", help="The folder or URL for the downloaded files.")
@range_options
@storage_option
@output_option
@log_option
@progress_options
@takes(Arguments)
def fetch(given: Arguments) -> int:
    """Download the files of the Data Access API, unchanged, into DIR/account/ID/.

    Files that are already there are skipped. A file appears under its name only after its complete content has been
    checked.

    \b
    Example:
      wsparquet fetch --account 75555851 --into raw --since 2d
      wsparquet convert raw --to lake
    """
    from wsparquet.synchronisation import fetch as run

    options = fetch_options(given.server, given.range, given.storage)
    showing = sync_progress(given.progress, given.output, log_format=given.log_format, last="downloaded")
    with stopping() as stop, showing as shown:
        summary = run(given.into, options=options, on_progress=shown, stop=stop)
    present(summary, given.output, quiet=given.progress.quiet, shown=shown.failures)
    return ExitCode.INTERRUPTED if stop.asked else summary.exit_code

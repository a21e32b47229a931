"""`wsparquet fetch`: files from the Data Access API, nothing converted."""

from __future__ import annotations

from typing import Any

import click

from wsparquet.cli.api_options import api_of, api_options, range_options
from wsparquet.cli.options import output_option, quiet_option, storage_option
from wsparquet.cli.output import make_output
from wsparquet.cli.progress import log_option, sync_progress
from wsparquet.cli.signals import INTERRUPTED, stopping

__all__ = ["fetch"]


@click.command(short_help="Download files from the Data Access API.")
@api_options()
@click.option("--into", required=True, metavar="DIR|URL", help="Where the files are put.")
@range_options
@storage_option
@output_option
@log_option
@quiet_option
def fetch(into: str, output: str, quiet: bool, log_format: str, storage: dict[str, object], **options: Any) -> int:
    """Download the files of the Data Access API, as they are, into DIR/account/ID/.

    Those that are there already are passed over. Each is checked to its end before it gets its name.

    \b
    Example:
      wsparquet fetch --account 75555851 --into raw --since 2d
      wsparquet convert raw --to lake
    """
    from wsparquet.synchronisation import FetchOptions
    from wsparquet.synchronisation import fetch as run

    account, credentials, api = api_of(options)
    wanted = FetchOptions(account=account, credentials=credentials, api=api, storage_options=storage or None, **options)
    with stopping() as stop, sync_progress(quiet=quiet, log_format=log_format, last="downloaded") as listener:
        summary = run(into, options=wanted, on_progress=listener, stop=stop)
    make_output(output).fetched(summary)
    return INTERRUPTED if stop.asked else summary.exit_code

"""`wsparquet sync`: from the Data Access API straight into the datasets."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import click

from wsparquet.cli.api_options import DURATION, api_of, api_options, range_options
from wsparquet.cli.options import conversion_options, limits
from wsparquet.cli.output import make_output
from wsparquet.cli.progress import log_option, sync_progress
from wsparquet.cli.signals import INTERRUPTED, stopping
from wsparquet.cli.terminal import with_flags
from wsparquet.redaction import printable

__all__ = ["sync"]


@click.command(short_help="Keep datasets current from the Data Access API.")
@api_options()
@click.option("--to", "root", required=True, metavar="ROOT", help="The folder, or s3://BUCKET/PATH, of the datasets.")
@range_options
@click.option("--raw", metavar="DIR|URL", help="Keep the downloaded files there.")
@click.option("--recheck", is_flag=True, help="Also take committed files again whose size has changed.")
@click.option("--every", type=DURATION, help="Repeat that often, until interrupted: 1h.")
@click.option("--jobs", type=click.IntRange(min=1), help="Conversions at a time.  [default: one for each core]")
@click.option("--max-quarantined", type=click.IntRange(min=0), metavar="N", help="More in one file, and it fails.")
@conversion_options
@log_option
def sync(root: str, output: str, quiet: bool, log_format: str, every: timedelta | None, **options: Any) -> int:
    """Keep the datasets below ROOT current from LivePerson's Data Access API.

    Each run lists all that the server keeps, 30 days, and takes what is not committed: files that came late, and those
    that failed before. Run it every hour, by cron or with --every; after anything, just again. Ctrl-C ends after the
    files under way, a second one at once. Exit codes are those of convert; a file that the server deleted before it
    could be taken is a failure, too.

    \b
    Examples:
      wsparquet sync --account 75555851 --to lake
      wsparquet sync --account 75555851 --to lake --raw raw --since 7d --log-format json
    """
    from wsparquet.synchronisation import repeated
    from wsparquet.synchronisation import sync as run

    wanted = _options(**options)
    code = 0
    with stopping() as stop, sync_progress(quiet=quiet, log_format=log_format) as listener:
        once = partial(run, root, options=wanted, on_progress=listener, stop=stop)
        for outcome in repeated(once, every=every.total_seconds() if every else None, stop=stop):
            if isinstance(outcome, Exception):
                click.echo(f"wsparquet: {printable(with_flags(str(outcome)))}", err=True)
                code = 1
            else:
                make_output(output).synchronised(outcome, line=every is not None)
                code = outcome.exit_code
    return INTERRUPTED if stop.asked else code


def _options(storage: dict[str, object], jobs: int | None, decoder: str, **options: Any) -> Any:
    from wsparquet.conversion.options import ConvertOptions, default_jobs
    from wsparquet.synchronisation import SyncOptions

    account, credentials, api = api_of(options)
    source_limits, decoder_limits = limits(options)
    convert = ConvertOptions(
        jobs=jobs or default_jobs(),
        max_quarantined=options.pop("max_quarantined"),
        single_writer=options.pop("single_writer"),
        decoder=decoder,
        source_limits=source_limits,
        limits=decoder_limits,
    )
    return SyncOptions(
        account=account, credentials=credentials, api=api, storage_options=storage or None, convert=convert, **options
    )

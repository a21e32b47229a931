"""`wsparquet sync`: download files from the Data Access API and convert them into the datasets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

from wsparquet.cli.api_options import RangeOptions, ServerOptions, api_options, fetch_options, range_options
from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import (
    ConversionOptions,
    ProgressOptions,
    conversion_options,
    force_account_option,
    output_option,
    progress_options,
    to_option,
)
from wsparquet.cli.output import complain, present
from wsparquet.cli.parameter_types import DURATION
from wsparquet.cli.progress import log_option, sync_progress
from wsparquet.cli.signals import stopping

if TYPE_CHECKING:
    from wsparquet.synchronisation import Stop, SyncOptions, SyncSummary

__all__ = ["Arguments", "sync"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet sync`."""

    root: str
    raw: str | None
    recheck: bool
    force_account: bool
    compact: bool
    every: timedelta | None
    output: str
    log_format: str
    progress: ProgressOptions = field(metadata=group(ProgressOptions))
    server: ServerOptions = field(metadata=group(ServerOptions))
    range: RangeOptions = field(metadata=group(RangeOptions))
    conversion: ConversionOptions = field(metadata=group(ConversionOptions))

    def options(self) -> SyncOptions:
        """Return these arguments as the library's ``SyncOptions``."""
        from wsparquet.synchronisation import SyncOptions

        common = fetch_options(self.server, self.range, self.conversion.root_options.storage)
        return SyncOptions(
            **vars(common),
            raw=self.raw,
            recheck=self.recheck,
            convert=self.conversion.made(force_account=self.force_account, compact=self.compact),
        )


@click.command(short_help="Keep datasets up to date with the Data Access API.")
@api_options()
@to_option
@range_options
@click.option("--raw", metavar="DIR|URL", help="The folder or URL in which to keep the downloaded files.")
@click.option("--recheck", is_flag=True, help="Convert committed files again if their size on the server has changed.")
@click.option("--compact", is_flag=True, help="At the end, merge the small files of older days, as `compact` does.")
@click.option("--every", type=DURATION, help="Repeat at this interval, such as 1h, until interrupted.")
@force_account_option
@conversion_options
@output_option
@progress_options
@log_option
@takes(Arguments)
def sync(given: Arguments) -> int:
    """Keep the datasets below ROOT up to date with LivePerson's Data Access API.

    The server keeps files for 30 days. Each run lists all files on the server, and converts the files that are not
    committed, including late files and files that failed before. Run the command every hour, by cron or with --every;
    it is always safe to run sync again. The first Ctrl-C ends the run after the current files; a second Ctrl-C ends it
    at once. If the server cannot be reached at all, the run ends within 30 seconds.

    Exit codes have the same meaning as for convert. A file that the server deleted before the download is a failure,
    too.

    \b
    Examples:
      wsparquet sync --account 75555851 --to lake
      wsparquet sync --account 75555851 --to lake --raw raw --since 7d --log-format json
    """
    from wsparquet.synchronisation import repeated
    from wsparquet.synchronisation import sync as run

    options = given.options()
    every = given.every.total_seconds() if given.every else None
    code: int = ExitCode.DONE
    shown_failures: set[tuple[str, str]] = set()

    def once(stop: Stop) -> SyncSummary:
        # Each run has a separate progress bar, so that the text of a result is never written into a bar.
        with sync_progress(given.progress, given.output, log_format=given.log_format) as shown:
            summary = run(given.root, options=options, on_progress=shown, stop=stop)
        shown_failures.update(shown.failures)
        return summary

    with stopping() as stop:
        for outcome in repeated(partial(once, stop), every=every, stop=stop):
            if isinstance(outcome, Exception):
                complain(str(outcome))
                code = ExitCode.FAILED
            else:
                one_line, quiet = every is not None, given.progress.quiet
                present(outcome, given.output, one_line=one_line, quiet=quiet, shown=shown_failures)
                shown_failures.clear()
                code = outcome.exit_code
    return ExitCode.INTERRUPTED if stop.asked else code

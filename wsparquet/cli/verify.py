"""`wsparquet verify`: whether datasets hold what their records, and their sources, say."""

from __future__ import annotations

from typing import Any

import click

from wsparquet.cli.options import limit_options, limits, output_option, quiet_option, storage_option
from wsparquet.cli.output import make_output
from wsparquet.cli.progress import checks_progress

__all__ = ["verify"]


def _rereadable(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    if "-" in values:
        raise click.BadParameter(
            "expected what can be read more than once, found standard input; save it to a file, of whatever name",
            param=parameter,
        )
    return values


@click.command(short_help="Check that datasets hold what they should.")
@click.argument("root")
@click.option(
    "--against",
    multiple=True,
    metavar="SOURCE",
    callback=_rereadable,
    help="Compare with this file, glob, folder or URL, too.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Checks at a time.  [default: one for each core]")
@limit_options
@storage_option
@output_option
@quiet_option
def verify(root: str, against: tuple[str, ...], output: str, quiet: bool, **options: Any) -> int:
    """Check that the datasets below ROOT hold exactly what their commit records say.

    Every file is read and has the size, checksum, schema, rows and times of its record, every record's counts agree,
    and no other file lies in a table's folder. With --against, sources are decoded again by the reference decoder, and
    compared with the tables value by value; it is slow. Nothing is changed. Exit code 1 says that something differs.

    \b
    Examples:
      wsparquet verify lake
      wsparquet verify lake --against raw/
    """
    from wsparquet.verification import verify as run

    with checks_progress(quiet=quiet or output == "json") as listener:
        found = run(root, against=against, options=_options(**options), on_progress=listener)
    make_output(output).verified(found)
    return found.exit_code


def _options(jobs: int | None, storage: dict[str, object], **options: Any) -> Any:
    from wsparquet.conversion.options import default_jobs
    from wsparquet.verification import VerifyOptions

    source_limits, decoder_limits = limits(options)
    return VerifyOptions(
        jobs=jobs or default_jobs(), source_limits=source_limits, limits=decoder_limits, storage_options=storage
    )

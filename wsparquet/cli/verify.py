"""`wsparquet verify`: check datasets against their commit records and their sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.options import (
    LimitOptions,
    key_file_option,
    limit_options,
    output_option,
    quiet_option,
    storage_option,
)
from wsparquet.cli.output import present
from wsparquet.cli.progress import checks_progress

if TYPE_CHECKING:
    from wsparquet.verification import Verification

__all__ = ["Arguments", "execute", "verify"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet verify`."""

    root: str
    sources: tuple[str, ...]
    against: tuple[str, ...]
    jobs: int | None
    key_file: str | None
    storage: dict[str, object] = field(repr=False)
    output: str
    quiet: bool
    limits: LimitOptions = field(metadata=group(LimitOptions))


def _rereadable(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    if "-" in values:
        raise click.BadParameter(
            "expected a source that can be read more than once, found standard input; save it to a file",
            param=parameter,
        )
    return values


@click.command(short_help="Check datasets against their commit records and sources.")
@click.argument("root")
@click.argument("sources", nargs=-1, metavar="[SOURCE...]", callback=_rereadable)
@click.option(
    "--against",
    multiple=True,
    metavar="SOURCE",
    callback=_rereadable,
    help="Another way to give a SOURCE; repeatable.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Number of checks to run at once.  [default: one for each core]"
)
@limit_options
@key_file_option
@storage_option
@output_option
@quiet_option
@takes(Arguments)
def verify(given: Arguments) -> int:
    """Check that the datasets below ROOT contain exactly what their commit records say.

    The command reads every part and compares its size, checksum, schema, rows and times with its commit record. The
    command also checks that the counts of each commit record agree, and that the folders of the tables contain no other
    files. A SOURCE is a file, a glob, a folder or a URL, such as the folder of the raw files. The command decodes each
    source again with the reference decoder, and compares the result with the tables value by value, which is slow. The
    command writes nothing, and needs no permission to write. Exit code 1 means that there are differences.

    \b
    Examples:
      wsparquet verify lake
      wsparquet verify lake raw/
      wsparquet verify lake raw/*.gz
    """
    from wsparquet.verification import verify as run

    return execute(given, run)


def execute(given: Arguments, run: Callable[..., Verification]) -> int:
    """Verify with ``run``, present the result, and return the exit code."""
    from wsparquet.conversion.options import default_jobs
    from wsparquet.verification import VerifyOptions

    options = VerifyOptions(
        jobs=given.jobs or default_jobs(),
        source_limits=given.limits.source_limits,
        limits=given.limits.limits,
        storage_options=given.storage,
        key_file=given.key_file,
    )
    with checks_progress(quiet=given.quiet, output=given.output) as listener:
        found = run(given.root, against=(*given.sources, *given.against), options=options, on_progress=listener)
    present(found, given.output, quiet=given.quiet)
    return found.exit_code

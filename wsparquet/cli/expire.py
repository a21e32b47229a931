"""`wsparquet expire`: drop the rows of days that are too old."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import RootOptions, output_option, root_options, yes_option
from wsparquet.cli.output import present
from wsparquet.cli.parameter_types import AGE

__all__ = ["expire"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet expire`."""

    root: str
    older_than: timedelta | None
    tables: tuple[str, ...]
    stop: bool
    yes: bool
    output: str
    root_options: RootOptions = field(metadata=group(RootOptions))


@click.command(short_help="Drop the rows of old days, and keep them out.")
@click.argument("root")
@click.option("--older-than", type=AGE, help="Drop days that ended at least this long ago, such as 400d.")
@click.option("--table", "tables", multiple=True, metavar="TABLE", help="Drop days of only this table; repeatable.")
@click.option("--stop", is_flag=True, help="Forget which days have expired, so that later runs may add their rows.")
@yes_option
@root_options
@output_option
@takes(Arguments)
def expire(given: Arguments) -> int:
    """Drop the partitions of days below ROOT that ended at least --older-than ago.

    Without --yes, the command only says what it would drop. The root remembers up to which day each table has expired:
    no later run adds rows of these days again, whatever files it converts, until --stop. Rows without a day,
    quarantined text, and raw files do not expire.

    \b
    Examples:
      wsparquet expire lake --older-than 400d
      wsparquet expire lake --older-than 90d --table geo --table engagement_attributes --yes
      wsparquet expire lake --stop --yes
    """
    from wsparquet.retention import expire as run

    if given.stop == (given.older_than is not None):
        raise click.UsageError(f"expected either --older-than or --stop, found {'both' if given.stop else 'neither'}")
    options = given.root_options
    found = run(
        given.root,
        older_than=given.older_than,
        tables=given.tables,
        stop=given.stop,
        yes=given.yes,
        storage_options=options.storage,
        single_writer=options.single_writer,
    )
    present(found, given.output)
    return ExitCode.DONE

"""`wsparquet remove`: remove the rows of a source from the datasets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import RootOptions, output_option, root_options, yes_option
from wsparquet.cli.output import present
from wsparquet.cli.parameter_types import DATE, account_option

__all__ = ["remove"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet remove`."""

    root: str
    names: tuple[str, ...]
    before: date | None
    account: str | None
    yes: bool
    output: str
    root_options: RootOptions = field(metadata=group(RootOptions))


@click.command(short_help="Remove the rows of sources from the datasets.")
@click.argument("root")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option(
    "--before",
    type=DATE,
    metavar="DATE",
    help="Remove only sources whose rows all lie in partitions of days before this UTC day.",
)
@account_option("Remove only sources of this account; needed if several accounts have a source with the same name.")
@yes_option
@root_options
@output_option
@takes(Arguments)
def remove(given: Arguments) -> int:
    """Remove the rows of sources from the datasets below ROOT, together with their quarantine.

    Without --yes, the command only lists what it would remove. A NAME is the file name of a source, with or without its
    suffix, or a glob in quotes. A source is removed only if it fits all that is given: a name, --before, and --account.
    If sources of one account have the same file name and different content, all of them are removed. A later
    conversion of a removed source adds its rows again; `wsparquet expire` removes days for good.

    \b
    Examples:
      wsparquet remove lake WebSession.1467291600000.1467295200000.part-00000-0.gz --yes
      wsparquet remove lake 'WebSession.1467*'
      wsparquet remove lake --before 2026-01-01 --account 75555851
    """
    from wsparquet.upkeep import remove as run

    if not given.names and given.before is None and given.account is None:
        raise click.UsageError("expected a NAME, --before or --account, found none of them")
    options = given.root_options
    present(
        run(
            given.root,
            given.names,
            before=given.before,
            account=given.account,
            yes=given.yes,
            storage_options=options.storage,
            single_writer=options.single_writer,
        ),
        given.output,
    )
    return ExitCode.DONE

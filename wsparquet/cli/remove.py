"""`wsparquet remove`: remove the rows of a source from the datasets."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import RootOptions, output_option, root_options
from wsparquet.cli.output import present
from wsparquet.cli.parameter_types import account_option

__all__ = ["remove"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet remove`."""

    root: str
    names: tuple[str, ...]
    account: str | None
    output: str
    root_options: RootOptions = field(metadata=group(RootOptions))


@click.command(short_help="Remove the rows of sources from the datasets.")
@click.argument("root")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@account_option("The account, needed if several accounts have a source with the same name.")
@root_options
@output_option
@takes(Arguments)
def remove(given: Arguments) -> int:
    """Remove the rows of sources from the datasets below ROOT, together with their quarantine.

    A NAME is the file name of a source, with or without its suffix. If sources of one account have the same file name
    and different content, all of them are removed. A later conversion of a removed source adds its rows again.

    \b
    Example:
      wsparquet remove lake WebSession.1467291600000.1467295200000.part-00000-0.gz
    """
    from wsparquet.upkeep import remove as run

    options = given.root_options
    present(
        run(
            given.root,
            given.names,
            account=given.account,
            storage_options=options.storage,
            single_writer=options.single_writer,
        ),
        given.output,
    )
    return ExitCode.DONE

"""`wsparquet clean`: list and delete the files of a root that no commit record names."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import RootOptions, output_option, root_options
from wsparquet.cli.output import present
from wsparquet.cli.parameter_types import AGE

__all__ = ["clean"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet clean`."""

    root: str
    older_than: timedelta
    delete: bool
    output: str
    root_options: RootOptions = field(metadata=group(RootOptions))


@click.command(short_help="List or delete files that no commit record names.")
@click.argument("root")
@click.option(
    "--older-than",
    type=AGE,
    default="1d",
    show_default=True,
    help="Minimum age of the files to list or delete; younger files may belong to an unfinished run.",
)
@click.option("--delete", is_flag=True, help="Delete the files; without this option they are only listed.")
@root_options
@output_option
@takes(Arguments)
def clean(given: Arguments) -> int:
    """List the files below ROOT that no commit record names, and delete them with --delete.

    Strays are parts, quarantine files, temporary files and intents of runs that were killed, and unfinished
    uploads. wsparquet deletes each stray individually, by its full path. Files that wsparquet did not write are listed
    as foreign, and are never deleted. Without --delete, the command writes nothing and needs no permission to write.

    \b
    Examples:
      wsparquet clean lake
      wsparquet clean lake --older-than 1h --delete
    """
    from wsparquet.upkeep import clean as run

    options = given.root_options
    found = run(
        given.root,
        older_than=given.older_than,
        delete=given.delete,
        storage_options=options.storage,
        single_writer=options.single_writer,
    )
    present(found, given.output)
    return ExitCode.DONE

"""`wsparquet list`: list the files that the Data Access API offers, and which of them are committed."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from wsparquet.cli.api_options import RangeOptions, ServerOptions, api_options, fetch_options, range_options
from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import output_option, storage_option
from wsparquet.cli.output import present

__all__ = ["list_files"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet list`."""

    root: str | None
    missing: bool
    storage: dict[str, object] = field(repr=False)
    output: str
    server: ServerOptions = field(metadata=group(ServerOptions))
    range: RangeOptions = field(metadata=group(RangeOptions))


@click.command("list", short_help="List the files of the Data Access API.")
@api_options()
@click.option("--to", "root", metavar="ROOT", help="The root with which to compare the list.")
@click.option("--missing", is_flag=True, help="List only the files that are not committed in ROOT.")
@range_options
@storage_option
@output_option
@takes(Arguments)
def list_files(given: Arguments) -> int:
    """List the files of the Data Access API.

    The list shows which files are committed in ROOT, and how long the server keeps the others.

    \b
    Examples:
      wsparquet list --account 75555851 --to lake
      wsparquet list --account 75555851 --to lake --missing
      wsparquet list --account 75555851 --since 2d --output json
    """
    from wsparquet.dataset import Access, Root
    from wsparquet.synchronisation import list_states

    if given.missing and given.root is None:
        raise click.UsageError("expected --to ROOT with --missing, found no root to compare with")
    options = fetch_options(given.server, given.range, given.storage)
    root = None if given.root is None else Root.open(given.root, create=False, access=Access(given.storage))
    files = list_states(options, root=root, missing=given.missing)
    present(files, given.output)
    return ExitCode.FAILED if files.refused else ExitCode.DONE

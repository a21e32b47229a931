"""`wsparquet changes`: list the sources that were added, replaced and removed since an earlier call."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from wsparquet.cli.arguments import takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import output_option, storage_option
from wsparquet.cli.output import present
from wsparquet.cli.target_file import check_target, written_whole

__all__ = ["changes"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet changes`; ``since`` has a token, and ``following`` gets the next one."""

    root: str
    since: str | None
    following: str | None
    storage: dict[str, object] = field(repr=False)
    output: str


@click.command(short_help="List what is new since your last load.")
@click.argument("root")
@click.option(
    "--since",
    type=click.Path(dir_okay=False, exists=True, allow_dash=True),
    metavar="FILE",
    help="The file with the token of your last load, or - for standard input.  [default: all sources are new]",
)
@click.option(
    "--next",
    "following",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The file that gets the token for the next load; it is replaced.",
)
@storage_option
@output_option
@takes(Arguments)
def changes(given: Arguments) -> int:
    """List the sources of ROOT that were added, replaced and removed since the token in --since was written.

    To load a warehouse, delete the rows of replaced and removed sources by their source_file, insert the rows of added
    and replaced sources, and then replace the file of --since by the file of --next. If the load fails, do not replace
    the file: the next call lists the same sources again, and those that came later.

    \b
    Examples:
      wsparquet changes lake
      wsparquet changes lake --next load.token
      wsparquet changes lake --since load.token --next next.token --output json
    """
    from wsparquet.query import changes as find

    if given.following is not None:
        check_target("--next", given.following)
    found = find(given.root, _token(given.since), storage_options=given.storage)
    if given.following is not None:
        with written_whole(given.following) as temporary:
            temporary.write_text(found.token + "\n", encoding="ascii")
    present(found, given.output)
    return ExitCode.DONE


def _token(file: str | None) -> str | None:
    if file is None:
        return None
    with click.open_file(file, "rb") as opened:
        data: bytes = opened.read()
    return data.decode("ascii", errors="replace")

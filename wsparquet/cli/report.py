"""`wsparquet report`: write a page about a root."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from wsparquet.cli.arguments import takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import output_option, storage_option
from wsparquet.cli.output import present

__all__ = ["report"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet report`."""

    root: str
    html: str
    samples: int
    storage: dict[str, object] = field(repr=False)
    output: str


@click.command(short_help="Write a page about a root, with charts.")
@click.argument("root")
@click.option(
    "--html",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    required=True,
    help="The file that gets the page; it is replaced.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="How many quarantined texts of each source to show. These texts are content of the sources.",
)
@storage_option
@output_option
@takes(Arguments)
def report(given: Arguments) -> int:
    """Write a page about ROOT: rows by day and table, covered hours, drift, quarantine, files, slow and failed sources.

    The page is one file of HTML, without scripts, which loads nothing when it is opened. The facts come from the commit
    records; no data file is read. With --output json, the numbers of the page are also printed. This command needs
    Altair: pip install 'wsparquet[report]'.

    \b
    Examples:
      wsparquet report lake --html lake.html
      wsparquet report lake --html lake.html --samples 3
    """
    from wsparquet.overview import report as write

    present(write(given.root, given.html, samples=given.samples, storage_options=given.storage), given.output)
    return ExitCode.DONE

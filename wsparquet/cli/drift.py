"""`wsparquet drift`: report what sources have that the documentation does not have, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import click

from wsparquet.cli.arguments import takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import output_option, storage_option
from wsparquet.cli.output import present

__all__ = ["drift"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet drift`."""

    root: str
    by: Any
    storage: dict[str, object] = field(repr=False)
    output: str


@click.command(short_help="Report how the sources drift away from the documentation.")
@click.argument("root")
@click.option(
    "--by",
    type=click.Choice(("day", "hour", "schema-version")),
    help="Report each day, hour (UTC) or version of the source's schema separately.  [default: all together]",
)
@storage_option
@output_option
@takes(Arguments)
def drift(given: Arguments) -> int:
    """Report values without a column, undocumented values, unknown records and quarantine in ROOT, with their times.

    The report comes from the commit records; no data file is read. The times come from the sources' containers. New
    findings usually mean that LivePerson has changed its schema.

    \b
    Examples:
      wsparquet drift lake
      wsparquet drift lake --by day --output json
    """
    from wsparquet.query import drift as find

    present(find(given.root, by=given.by, storage_options=given.storage), given.output)
    return ExitCode.DONE

"""`wsparquet views`: store views of a root in a DuckDB database file."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from wsparquet.cli.arguments import takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import output_option, storage_option
from wsparquet.cli.output import present

__all__ = ["views"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet views`."""

    root: str
    into: str
    storage: dict[str, object] = field(repr=False)
    output: str


@click.command(short_help="Store views of a root in a DuckDB file, for other tools.")
@click.argument("root")
@click.option(
    "--into",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    required=True,
    help="The DuckDB database that gets the views; it is created if it is missing.",
)
@storage_option
@output_option
@takes(Arguments)
def views(given: Arguments) -> int:
    """Create or replace views of all tables of ROOT, and the flat views, in a DuckDB database file.

    Tools such as DBeaver, Metabase and dbt can open the file. If the root is published in itself and DuckDB has its
    extension `iceberg` here, the views read the published tables: they show exactly the rows of the last publication.
    Otherwise they read all files of the tables each time: they show later commits, and during a run also files that do
    not count yet. The output says which. For queries that must see exactly the rows that count, use `wsparquet sql`.
    This command needs DuckDB: pip install 'wsparquet[duckdb]'.

    \b
    Example:
      wsparquet views lake --into lake.duckdb
    """
    from wsparquet.query import write_views

    present(write_views(given.root, given.into, storage_options=given.storage), given.output)
    return ExitCode.DONE

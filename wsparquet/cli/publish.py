"""`wsparquet publish`: publish a root as Iceberg tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import RootOptions, output_option, root_options
from wsparquet.cli.output import present
from wsparquet.cli.parameter_types import AGE

__all__ = ["publish"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet publish`."""

    root: str
    catalog: str | None
    keep: timedelta | None
    stop: bool
    output: str
    root_options: RootOptions = field(metadata=group(RootOptions))


@click.command(short_help="Publish the datasets as Iceberg tables.")
@click.argument("root")
@click.option(
    "--catalog",
    metavar="NAME",
    help="A catalog in pyiceberg's configuration, as NAME or NAME.NAMESPACE; the default namespace is wsparquet. "
    "Without this option, the tables are folders in ROOT.",
)
@click.option("--keep", type=AGE, help="How long to keep old snapshots and their metadata.  [default: 7d]")
@click.option("--stop", is_flag=True, help="End the publication: remove the tables, but no Parquet file.")
@root_options
@output_option
@takes(Arguments)
def publish(given: Arguments) -> int:
    """Publish the datasets below ROOT as Iceberg tables, now and at the end of each later run.

    The tables are metadata over the same Parquet files, with exactly the rows that count. Readers of a table see all
    changes of a run at once. Runs that replace files delete them after the publication; if the catalog cannot be
    reached, they delete nothing and end with exit code 1. This command needs: pip install 'wsparquet[iceberg]'

    \b
    Examples:
      wsparquet publish lake
      wsparquet publish lake --keep 3d
      wsparquet publish lake --stop
    """
    from wsparquet.iceberg import publish as run

    options = given.root_options
    found = run(
        given.root,
        catalog=given.catalog,
        keep=given.keep,
        stop=given.stop,
        storage_options=options.storage,
        single_writer=options.single_writer,
    )
    present(found, given.output)
    return ExitCode.DONE

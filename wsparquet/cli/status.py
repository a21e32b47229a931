"""`wsparquet status`: show whether datasets are up to date, for people and monitoring systems."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import click

from wsparquet.cli.arguments import takes
from wsparquet.cli.options import output_option, storage_option
from wsparquet.cli.output import present
from wsparquet.cli.parameter_types import DURATION, account_option

__all__ = ["status"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet status`."""

    root: str
    account: str | None
    stale: timedelta
    failing: timedelta
    expiring: timedelta
    storage: dict[str, object] = field(repr=False)
    output: str


@click.command(short_help="Show whether datasets are up to date.")
@click.argument("root")
@account_option("The account to report.  [default: all]")
@click.option(
    "--stale", type=DURATION, default="24h", show_default=True, help="Longest acceptable time since the last commit."
)
@click.option(
    "--failing",
    type=DURATION,
    default="24h",
    show_default=True,
    help="Longest acceptable time for a file to keep failing.",
)
@click.option(
    "--expiring",
    type=DURATION,
    default="3d",
    show_default=True,
    help="Report a missing file if the server may delete it within this time.",
)
@storage_option
@output_option
@takes(Arguments)
def status(given: Arguments) -> int:
    """Show whether the datasets below ROOT are up to date: last commit, hours covered, gaps, missing files.

    The command reads the state that the last run of sync saved in ROOT; it does not contact a server. Exit code 1 means
    that an account needs attention. An account without a run of sync is reported as never synced.

    \b
    Examples:
      wsparquet status lake
      wsparquet status lake --stale 6h --output json
    """
    from wsparquet.synchronisation import StatusLimits
    from wsparquet.synchronisation import status as look

    limits = StatusLimits(stale=given.stale, failing=given.failing, expiring=given.expiring)
    found = look(given.root, account=given.account, limits=limits, storage_options=given.storage)
    present(found, given.output)
    return found.exit_code

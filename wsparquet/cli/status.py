"""`wsparquet status`: whether datasets are current, for people and monitors."""

from __future__ import annotations

from datetime import timedelta

import click

from wsparquet.cli.api_options import DURATION
from wsparquet.cli.options import output_option, storage_option
from wsparquet.cli.output import make_output

__all__ = ["status"]


@click.command(short_help="Say whether datasets are current.")
@click.argument("root")
@click.option("--account", metavar="ID", help="Of which account.  [default: all]")
@click.option("--stale", type=DURATION, default="24h", show_default=True, help="Longer without a commit is not well.")
@click.option("--failing", type=DURATION, default="24h", show_default=True, help="Nor is a file that fails for longer.")
@click.option("--expiring", type=DURATION, default="3d", show_default=True, help="Nor one deleted that soon.")
@storage_option
@output_option
def status(root: str, account: str | None, output: str, storage: dict[str, object], **limits: timedelta) -> int:
    """Say whether the datasets below ROOT are current: last commit, hours covered, gaps, what is missing.

    It reads what the last run of sync left there, and asks no server. Exit code 1 says that somebody has to look.

    \b
    Examples:
      wsparquet status lake
      wsparquet status lake --stale 6h --output json
    """
    from wsparquet.synchronisation import StatusLimits
    from wsparquet.synchronisation import status as look

    found = look(root, account=account, limits=StatusLimits(**limits), storage_options=storage)
    make_output(output).status(found)
    return found.exit_code

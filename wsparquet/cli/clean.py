"""`wsparquet clean`: what counts for nothing, out of a root."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from wsparquet.cli.api_options import AGE
from wsparquet.cli.options import output_option, single_writer_option, storage_option
from wsparquet.cli.output import make_output

__all__ = ["clean"]


@click.command(short_help="Find and delete what no commit record names.")
@click.argument("root")
@click.option("--older-than", type=AGE, default="1d", show_default=True, help="Leave what is younger.")
@click.option("--delete", is_flag=True, help="Delete it. Without, it is only listed.")
@storage_option
@single_writer_option
@output_option
def clean(root: str, older_than: timedelta, delete: bool, output: str, **access: Any) -> int:
    """List what lies below ROOT and counts for nothing.

    That is parts and quarantine that no record names, temporary files and announcements of dead runs, and unfinished
    uploads. With --delete each is deleted by its exact name. Files that are none of wsparquet's are listed as foreign,
    and never deleted.

    \b
    Examples:
      wsparquet clean lake
      wsparquet clean lake --older-than 1h --delete
    """
    from wsparquet.dataset import clean as run

    storage, single_writer = access["storage"], access["single_writer"]
    found = run(root, older_than=older_than, delete=delete, storage_options=storage, single_writer=single_writer)
    make_output(output).cleaned(found)
    return 0

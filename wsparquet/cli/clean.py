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
    from wsparquet.dataset import Access, Root
    from wsparquet.dataset.cleaning import clean as run

    reached = Access(access["storage"], single_writer=access["single_writer"])
    opened = Root.open(root, create=False, access=reached)
    make_output(output).cleaned(run(opened, older_than=older_than.total_seconds(), delete=delete))
    return 0

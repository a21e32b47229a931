"""`wsparquet list`: what the Data Access API has, and what of it is committed."""

from __future__ import annotations

from typing import Any

import click

from wsparquet.cli.api_options import api_of, api_options, range_options
from wsparquet.cli.options import output_option, storage_option
from wsparquet.cli.output import make_output

__all__ = ["list_files"]


@click.command("list", short_help="Say what the Data Access API has, and what of it is missing.")
@api_options()
@click.option("--to", "root", metavar="ROOT", help="The datasets to compare with.")
@range_options
@storage_option
@output_option
def list_files(root: str | None, output: str, storage: dict[str, object], **options: Any) -> int:
    """Say what the Data Access API has, what of it is committed in ROOT, and until when the rest can still be had.

    \b
    Examples:
      wsparquet list --account 75555851 --to lake
      wsparquet list --account 75555851 --since 2d --output json
    """
    from wsparquet.dataset import Access, Root
    from wsparquet.synchronisation import FetchOptions, list_states

    account, credentials, api = api_of(options)
    opened = Root.open(root, create=False, access=Access(storage)) if root is not None else None
    files = list_states(FetchOptions(account=account, credentials=credentials, api=api, **options), root=opened)
    make_output(output).listed(files)
    return 1 if files.refused else 0

"""`wsparquet remove`: a source's rows out of the datasets again."""

from __future__ import annotations

from typing import Any

import click

from wsparquet.cli.options import output_option, single_writer_option, storage_option
from wsparquet.cli.output import make_output

__all__ = ["remove"]


@click.command(short_help="Take sources' rows out of the datasets again.")
@click.argument("root")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--account", metavar="ID", help="Of which account, where several have a source of that name.")
@storage_option
@single_writer_option
@output_option
def remove(root: str, names: tuple[str, ...], output: str, account: str | None, **access: Any) -> int:
    """Take sources' rows out of the datasets below ROOT again, with what was quarantined of them.

    A NAME is a source's file name, with or without its suffix. Sources of one account may have one file name and differ
    in content: then all of them are removed. A source that is converted later comes back.

    \b
    Example:
      wsparquet remove lake WebSession.1467291600000.1467295200000.part-00000-0.gz
    """
    from wsparquet.dataset import remove as run

    storage, single_writer = access["storage"], access["single_writer"]
    found = run(root, names, account=account, storage_options=storage, single_writer=single_writer)
    make_output(output).removed(found.to_dict()["removed"])
    return 0

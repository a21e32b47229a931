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

    A NAME is a source's file name, with or without its suffix. A source that is converted later comes back.

    \b
    Example:
      wsparquet remove lake WebSession.1467291600000.1467295200000.part-00000-0.gz
    """
    from wsparquet.dataset import Access, Root

    opened = Root.open(root, create=False, access=Access(access["storage"], single_writer=access["single_writer"]))
    opened.recover()
    removed = [
        {"name": commit.facts.source_name, "account": commit.identity.account, "rows": sum(commit.rows.values())}
        for commit in opened.remove(names, account=account)
    ]
    make_output(output).removed(removed)
    return 0

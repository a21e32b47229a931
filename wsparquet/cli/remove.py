"""`wsparquet remove`: a source's rows out of the datasets again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from wsparquet.cli.options import output_option, single_writer_option, storage_option
from wsparquet.cli.output import make_output

if TYPE_CHECKING:
    from wsparquet.commit import CommitHeader

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
    from wsparquet.dataset import Access, Root

    opened = Root.open(root, create=False, access=Access(access["storage"], single_writer=access["single_writer"]))
    opened.recover()
    removed = [
        {"name": commit.facts.source_name, "account": commit.identity.account, "rows": sum(commit.rows.values())}
        for commit in opened.remove(_with_suffixes(names, opened.commits().headers()), account=account)
    ]
    make_output(output).removed(removed)
    return 0


def _with_suffixes(names: Iterable[str], heads: Sequence[CommitHeader]) -> list[str]:
    """The names, each that nothing goes by as the file name that it is without suffix.

    Raises:
        DatasetError: several file names are.

    """
    from wsparquet.errors import DatasetError
    from wsparquet.names import parse_name

    known = {name for head in heads for name in (head.facts.source_name, head.identity.name, head.identity.key.name)}
    full: dict[str, set[str]] = {}
    for head in heads:
        full.setdefault(parse_name(head.facts.source_name).stem, set()).add(head.facts.source_name)
    meant = {name: {name} if name in known else full.get(name, {name}) for name in names}
    for name, found in meant.items():
        if len(found) > 1:
            raise DatasetError(f"{name}: expected the name of one file, found {', '.join(sorted(found))}; name one")
    return [each for found in meant.values() for each in found]

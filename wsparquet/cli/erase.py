"""`wsparquet erase`: erase people from a root, and certify it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.flags import in_flags
from wsparquet.cli.options import RootOptions, key_file_option, output_option, root_options, yes_option
from wsparquet.cli.output import present
from wsparquet.cli.target_file import check_target, written_whole

__all__ = ["erase"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet erase`."""

    root: str
    visitors: tuple[str, ...]
    visits: tuple[str, ...]
    customers: tuple[str, ...]
    from_file: str | None
    search: tuple[str, ...]
    into: str | None
    yes: bool
    key_file: str | None
    output: str
    root_options: RootOptions = field(metadata=group(RootOptions))


@click.command(short_help="Erase people from the datasets, for good.")
@click.argument("root")
@click.option("--visitor", "visitors", multiple=True, metavar="ID", help="Erase the visitor with this visitorId.")
@click.option("--visit", "visits", multiple=True, metavar="ID", help="Erase the visit with this visitId.")
@click.option(
    "--customer", "customers", multiple=True, metavar="ID", help="Erase all visits with this customerId; repeatable."
)
@click.option(
    "--from",
    "from_file",
    metavar="FILE",
    help="A file with more ids, one in each line: visitor, visit or customer, and the id; - reads standard input.",
)
@click.option(
    "--search", multiple=True, metavar="RAW", help="Raw files in which to look for the ids; they are never changed."
)
@click.option("--into", metavar="FILE", help="Also write the certificate as JSON to this file.")
@yes_option
@key_file_option
@root_options
@output_option
@takes(Arguments)
def erase(given: Arguments) -> int:
    """Erase people from the datasets below ROOT: their rows, rescued values, quarantined text, and old snapshots.

    Without --yes, the command only says what it would erase. With --yes it rewrites the files that have rows of these
    people, and prints a certificate. The root then remembers the ids as keyed hashes, so that no later run brings the
    people back; each run that converts needs the same key. Without ids, the command looks for all erased people again,
    which also finishes an erasure that was interrupted. Raw files are not changed; --search says which have the ids.

    \b
    Examples:
      wsparquet erase lake --visitor A1B2C3D4E5
      wsparquet erase lake --customer 4711 --from ids.txt --search raw/ --yes --into certificate.json
    """
    from wsparquet.erasure import erase as run

    if given.into is not None:
        check_target("--into", given.into)
    options = given.root_options
    found = run(
        given.root,
        visitors=given.visitors,
        visits=given.visits,
        customers=given.customers,
        from_file=given.from_file,
        search=given.search,
        yes=given.yes,
        key_file=given.key_file,
        storage_options=options.storage,
        single_writer=options.single_writer,
    )
    if given.into is not None:
        with written_whole(given.into) as path:
            path.write_text(json.dumps(found.to_dict(message=in_flags), indent=2) + "\n", encoding="ascii")
    present(found, given.output)
    return found.exit_code

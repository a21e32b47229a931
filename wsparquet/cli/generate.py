"""`wsparquet generate`: write synthetic Web Session files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import click

from wsparquet.cli.arguments import takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import output_option
from wsparquet.cli.output import present
from wsparquet.cli.parameter_types import BYTES, account_option
from wsparquet.cli.results import Generated

__all__ = ["generate"]


_SHARE = click.FloatRange(min=0, max=1)


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet generate`."""

    directory: str
    files: int
    size: int
    seed: int
    form: Literal["lines", "document"]
    compression: Literal["gzip", "zstd", "none"]
    account: str
    defects: bool
    preset: Literal["easy", "shop", "hard"]
    visits: int | None
    distinct: float | None
    session_minutes: int | None
    midnight: float | None
    returning: float | None
    output: str


@click.command(short_help="Write realistic synthetic Web Session files.")
@click.argument("directory", metavar="DIR")
@click.option("--files", type=click.IntRange(min=1), default=1, show_default=True, help="Number of files.")
@click.option("--size", type=BYTES, default="1000000", show_default=True, help="Bytes of JSON in each file.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Seed of the content; the same seed writes the same files.",
)
@click.option(
    "--form",
    type=click.Choice(["lines", "document"]),
    default="lines",
    show_default=True,
    help="Form of the JSON: one container on each line, as the API sends it, or one indented document, as the "
    "documentation shows it.",
)
@click.option(
    "--compression",
    type=click.Choice(["gzip", "zstd", "none"]),
    default="gzip",
    show_default=True,
    help="Compression of the files.",
)
@account_option("The account in the files.", checked=True, default=["75555851"], show_default=True)
@click.option("--defects", is_flag=True, help="Add every kind of invalid input that does not prevent a conversion.")
@click.option(
    "--preset",
    type=click.Choice(["easy", "shop", "hard"]),
    default="shop",
    show_default=True,
    help="What the data is like: a plausible shop; easy to convert, because most values repeat; or hard to convert, "
    "with one visit in each container, values that hardly repeat, and sessions over midnight. The next options "
    "override the preset.",
)
@click.option(
    "--visits",
    type=click.IntRange(min=1),
    help="Number of visits in each container of the form lines. By default, a container has about 1 MB.",
)
@click.option("--distinct", type=_SHARE, help="Share of values, 0 to 1, that differ in each visit; the others repeat.")
@click.option(
    "--session-minutes",
    type=click.IntRange(min=1),
    help="Median length of a session in minutes. A few sessions are up to 20 times as long, but at most 12 hours.",
)
@click.option("--midnight", type=_SHARE, help="Share of sessions, 0 to 1, that span midnight (UTC).")
@click.option("--returning", type=_SHARE, help="Share of visits, 0 to 1, whose visitors also are in other files.")
@output_option
@takes(Arguments)
def generate(given: Arguments) -> int:
    """Write realistic synthetic Web Session files of every record type into DIR.

    Visits are coherent: pages follow each other by links, visitors accept campaigns that they were shown, fill carts
    and buy or leave, and come back later.

    \b
    Examples:
      wsparquet generate sample/ --files 4 --size 10M --seed 7
      wsparquet generate sample/ --preset hard --visits 100
    """
    from wsparquet.generate import GenerateOptions
    from wsparquet.generate import generate as write

    options = GenerateOptions(
        files=given.files,
        size=given.size,
        seed=given.seed,
        form=given.form,
        compression=given.compression,
        account=given.account,
        defects=given.defects,
        preset=given.preset,
        visits=given.visits,
        distinct=given.distinct,
        session_minutes=given.session_minutes,
        midnight=given.midnight,
        returning=given.returning,
    )
    present(Generated(tuple(map(str, write(given.directory, options)))), given.output)
    return ExitCode.DONE

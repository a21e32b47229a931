"""`wsparquet generate`: synthetic Web Session files."""

from __future__ import annotations

from typing import Any

import click

from wsparquet.cli.api_options import checked_account
from wsparquet.cli.options import BYTES, output_option
from wsparquet.cli.output import make_output

__all__ = ["generate"]


@click.command(short_help="Write realistic synthetic Web Session files.")
@click.argument("directory", metavar="DIR")
@click.option("--files", type=click.IntRange(min=1), default=1, show_default=True, help="How many.")
@click.option("--size", type=BYTES, default="1000000", show_default=True, help="Bytes of JSON in each.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Same seed, same files.")
@click.option(
    "--form",
    type=click.Choice(["lines", "document"]),
    default="lines",
    show_default=True,
    help="The field's or the page's.",
)
@click.option(
    "--compression",
    type=click.Choice(["gzip", "zstd", "none"]),
    default="gzip",
    show_default=True,
    help="Of files.",
)
@click.option(
    "--account",
    default="75555851",
    show_default=True,
    metavar="ID",
    callback=checked_account,
    help="The account in the files.",
)
@click.option("--defects", is_flag=True, help="With every kind of bad input that a file can hold and still convert.")
@output_option
def generate(directory: str, output: str, **options: Any) -> int:
    """Write realistic synthetic Web Session files of every record type into DIR.

    \b
    Example:
      wsparquet generate sample/ --files 4 --size 10M --seed 7
    """
    from wsparquet.generate import GenerateOptions
    from wsparquet.generate import generate as write

    paths = write(directory, GenerateOptions(**options))
    make_output(output).files([str(path) for path in paths])
    return 0

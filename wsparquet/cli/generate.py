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
@output_option
@takes(Arguments)
def generate(given: Arguments) -> int:
    """Write realistic synthetic Web Session files of every record type into DIR.

    \b
    Example:
      wsparquet generate sample/ --files 4 --size 10M --seed 7
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
    )
    present(Generated(tuple(map(str, write(given.directory, options)))), given.output)
    return ExitCode.DONE

"""`wsparquet extend`: add columns and tables to the schema of a root."""

from __future__ import annotations

from dataclasses import dataclass, field

import click

from wsparquet.cli.arguments import group, takes
from wsparquet.cli.exit_codes import ExitCode
from wsparquet.cli.options import RootOptions, output_option, root_options
from wsparquet.cli.output import present, say

__all__ = ["extend"]


@dataclass(frozen=True)
class Arguments:
    """The arguments of `wsparquet extend`; ``checked`` is a file that is only checked."""

    root: str | None
    file: str | None
    checked: str | None
    output: str
    root_options: RootOptions = field(metadata=group(RootOptions))

    def __post_init__(self) -> None:
        """Reject arguments that contradict each other."""
        if (self.root is None) == (self.checked is None):
            found = "none" if self.root is None else "both"
            raise click.UsageError(f"expected ROOT, or --check FILE; found {found}")


@click.command(short_help="Add columns and tables to the schema of a root.")
@click.argument("root", required=False)
@click.argument("file", required=False, type=click.Path(dir_okay=False, exists=True))
@click.option(
    "--check",
    "checked",
    type=click.Path(dir_okay=False, exists=True),
    metavar="FILE",
    help="Only check an extension, and list what it adds.",
)
@root_options
@output_option
@takes(Arguments)
def extend(given: Arguments) -> int:
    """Add the fields, union branches and tables in FILE to the schema of ROOT.

    FILE is an extension: a TOML file that only adds to the documented schema. Values of the new columns are promoted
    out of `rescued`, and rows of the new tables out of `unrecognized`, as if all sources had been converted with the
    extension; raw files are not needed. Later runs follow the extension without being told. Until the command has
    finished, nothing else can open ROOT; after an interruption, run it again. Without FILE, the command prints the
    extension of ROOT. `wsparquet schema --propose ROOT` proposes a file.

    \b
    Examples:
      wsparquet extend --check more.toml
      wsparquet extend lake more.toml
      wsparquet extend lake > more.toml
    """
    from wsparquet.extensions import check_extension, extension_text
    from wsparquet.extensions import extend as run

    if given.checked is not None:
        present(check_extension(given.checked), given.output)
        return ExitCode.DONE
    options, root = given.root_options, given.root or ""
    if given.file is None:
        say(extension_text(root, storage_options=options.storage) or "", nl=False)
        return ExitCode.DONE
    found = run(root, given.file, storage_options=options.storage, single_writer=options.single_writer)
    present(found, given.output)
    return ExitCode.DONE

"""The command line: arguments, messages, exit codes; nothing else.

Exit codes: 0 done, 1 a source or the command failed, 2 wrong usage, 3 done but something was quarantined, 130
interrupted.
Commands live in modules of their own and import what they run when they run it, so that `--help` answers at once.
"""

from __future__ import annotations

import io
import logging
import os
import sys

import click

from wsparquet.cli.clean import clean as clean_command
from wsparquet.cli.convert import convert
from wsparquet.cli.fetch import fetch
from wsparquet.cli.generate import generate
from wsparquet.cli.inspect import inspect
from wsparquet.cli.list import list_files
from wsparquet.cli.remove import remove
from wsparquet.cli.replay import replay
from wsparquet.cli.schema import schema
from wsparquet.cli.serve import serve
from wsparquet.cli.signals import INTERRUPTED
from wsparquet.cli.status import status
from wsparquet.cli.sync import sync
from wsparquet.cli.terminal import with_flags
from wsparquet.cli.verify import verify
from wsparquet.errors import OptionError, PlaceError, WsparquetError
from wsparquet.redaction import printable

__all__ = ["main"]


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    from wsparquet import __version__
    from wsparquet.decode import active_decoder

    click.echo(f"wsparquet {__version__} ({active_decoder()} decoder)")
    context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and the decoder in use, and exit.",
)
def cli() -> None:
    """Turn LivePerson Web Session files into nested, partitioned Parquet datasets.

    \b
    Example:
      wsparquet convert downloads/ --to lake
      wsparquet sync --account 75555851 --to lake
    """


for _command in (
    convert,
    sync,
    status,
    list_files,
    fetch,
    inspect,
    verify,
    clean_command,
    replay,
    remove,
    schema,
    generate,
    serve,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    # Arrow's own pool keeps tens of MiB that it was given back; the system's is as fast here. Read when pyarrow loads.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # pyarrow loads numpy where that is installed, and its OpenBLAS would start threads: 0.1 s of CPU time for nothing.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # What is retried is told as progress; without a handler, Python would print it a second time.
    logging.getLogger("stamina").addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        # A terminal of another encoding than UTF-8 gets escapes for what it cannot show.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(prog_name="wsparquet", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("wsparquet: interrupted; run the same command again to go on", err=True)
        sys.exit(INTERRUPTED)
    except WsparquetError as error:
        click.echo(f"wsparquet: {printable(with_flags(str(error)))}", err=True)
        sys.exit(2 if isinstance(error, OptionError | PlaceError) else 1)
    sys.exit(code or 0)

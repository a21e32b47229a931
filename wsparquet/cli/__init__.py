"""The command line, which only handles arguments, messages and exit codes.

Each command has its own module, which imports the library only when the command runs, so that `--help` is fast. Exit
codes are in ``exit_codes``.
"""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import Any

import click

from wsparquet.cli.changes import changes
from wsparquet.cli.clean import clean as clean_command
from wsparquet.cli.compact import compact
from wsparquet.cli.convert import convert
from wsparquet.cli.drift import drift
from wsparquet.cli.environment import add_variables
from wsparquet.cli.erase import erase
from wsparquet.cli.exit_codes import ExitCode, of_error
from wsparquet.cli.expire import expire
from wsparquet.cli.extend import extend
from wsparquet.cli.fetch import fetch
from wsparquet.cli.generate import generate
from wsparquet.cli.inspect import inspect
from wsparquet.cli.list import list_files
from wsparquet.cli.output import complain
from wsparquet.cli.publish import publish
from wsparquet.cli.remove import remove
from wsparquet.cli.replay import replay
from wsparquet.cli.report import report
from wsparquet.cli.schema import schema
from wsparquet.cli.serve import serve
from wsparquet.cli.signals import as_interrupts
from wsparquet.cli.sql import sql
from wsparquet.cli.standard_streams import take_standard_streams
from wsparquet.cli.status import status
from wsparquet.cli.sync import sync
from wsparquet.cli.verify import verify
from wsparquet.cli.views import views
from wsparquet.errors import WsparquetError

__all__ = ["cli", "main", "run_program"]


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked or context.resilient_parsing:
        return
    from wsparquet import __version__
    from wsparquet.decode import active_decoder

    click.echo(f"wsparquet {__version__} ({active_decoder()} decoder)")
    context.exit()


class _ClosedPipe(Exception):
    """The reader of standard output has closed the pipe, for example because `head` has ended."""


class _Program(click.Group):
    """The program, whose methods raise _ClosedPipe, because click would treat a closed pipe as a failure."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Parse the arguments; this also prints the help."""
        try:
            return super().make_context(*arguments, **options)
        except BrokenPipeError as error:
            raise _ClosedPipe from error

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except BrokenPipeError as error:
            raise _ClosedPipe from error


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and the decoder in use, and exit.",
)
def cli() -> None:
    """Convert LivePerson Web Session files into nested, partitioned Parquet datasets.

    \b
    Example:
      wsparquet convert downloads/ --to lake
      wsparquet sync --account 75555851 --to lake

    \b
    Shell completion (for zsh, write zsh_source; see "Command line" in the documentation for fish):
      eval "$(_WSPARQUET_COMPLETE=bash_source wsparquet)"
    """


for _command in (
    convert,
    sync,
    status,
    list_files,
    fetch,
    inspect,
    verify,
    compact,
    clean_command,
    replay,
    remove,
    expire,
    erase,
    publish,
    sql,
    changes,
    drift,
    report,
    views,
    schema,
    extend,
    generate,
    serve,
):
    add_variables(_command)
    cli.add_command(_command)


def main() -> None:
    """Run the command line, and end the process with the exit code of the command."""
    run_program(cli, "wsparquet")


def run_program(program: click.Group, name: str) -> None:
    """Run a program, and end the process with the exit code of the command."""
    # Arrow's own memory pool retains tens of MiB of freed memory, and the system's pool is equally fast here.
    # pyarrow reads this variable during its import.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    # pyarrow imports numpy if numpy is installed.
    # Without this limit, numpy's OpenBLAS starts threads that remain unused, which costs 0.1 s of CPU time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Retries are already shown as progress. Without this handler, Python would also print their log messages.
    logging.getLogger("stamina").addHandler(logging.NullHandler())
    take_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        # If the terminal's encoding lacks a character, print an escape sequence instead of failing.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with as_interrupts():
            code = program.main(prog_name=name, standalone_mode=False)
    except _ClosedPipe:
        sys.exit(ExitCode.CLOSED_PIPE)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        complain("interrupted; run the same command again to continue")
        sys.exit(ExitCode.INTERRUPTED)
    except WsparquetError as error:
        complain(str(error))
        sys.exit(of_error(error))
    sys.exit(code or ExitCode.DONE)

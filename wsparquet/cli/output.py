"""Presents the result of a command as text or as JSON, as ``--output`` selects.

Commands print only through this module. Results go to standard output, failures and messages to standard error. JSON is
written as ASCII, so that it contains no characters that control a terminal.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from wsparquet.cli.flags import in_flags
from wsparquet.cli.text import ErrorLine, lines
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from wsparquet.json_values import JsonResult

__all__ = ["complain", "present", "say", "say_error"]


def present(
    result: JsonResult,
    output: str,
    *,
    one_line: bool = False,
    quiet: bool = False,
    shown: Collection[tuple[str, str]] = (),
) -> None:
    """Write a result as ``text`` or as ``json``.

    ``one_line`` puts the JSON on one line, for commands that present several results. ``quiet`` applies to text only:
    if the exit code of the result is 0, only its lines for standard error are written. ``shown`` has the name and the
    error of each failure that was already shown, so that no failure is written twice.
    """
    if output == "json":
        say(json.dumps(result.to_dict(message=in_flags), indent=None if one_line else 2))
        return
    written = set(shown)
    silent = quiet and not getattr(result, "exit_code", 0)
    for line in lines(result):
        if not isinstance(line, ErrorLine):
            if not silent:
                say(printable(line))
        elif line.failure not in written:
            say_error(printable(line))
            written |= {line.failure} if line.failure else set()


def complain(message: str) -> None:
    """Write a message of wsparquet to standard error."""
    say_error(f"wsparquet: {printable(in_flags(message))}")


def say(text: str, *, nl: bool = True) -> None:
    """Write text unchanged to standard output.

    Raises:
        ClickException: the text cannot be written, for example to a full disk.
        BrokenPipeError: the reader of standard output has closed it; ``main`` then ends the program.

    """
    click.echo(text, nl=nl)


def say_error(text: str) -> None:
    """Write text unchanged to standard error. If standard error is closed, the command continues without messages."""
    with suppress(OSError):
        click.echo(text, err=True)

"""Presents the result of a command as text or as JSON, as ``--output`` selects.

Commands print only through this module. Results go to standard output, messages to standard error. JSON is written as
ASCII, so that it contains no characters that control a terminal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from wsparquet.cli.flags import in_flags
from wsparquet.cli.text import ErrorLine, lines
from wsparquet.redaction import printable

if TYPE_CHECKING:
    from wsparquet.json_values import JsonResult

__all__ = ["complain", "present", "say"]


def present(result: JsonResult, output: str, *, one_line: bool = False) -> None:
    """Write a result to standard output, as ``text`` or as ``json``.

    ``one_line`` puts the JSON on one line, for commands that present several results.
    """
    if output == "json":
        say(json.dumps(_errors_in_flags(result.to_dict()), indent=None if one_line else 2))
        return
    for line in lines(result):
        say(printable(line), err=isinstance(line, ErrorLine))


def _errors_in_flags(value: Any, key: str = "") -> Any:
    """Replace parameter names in errors with command-line options in JSON values; rows of samples stay unchanged."""
    if isinstance(value, dict):
        return {name: each if name == "samples" else _errors_in_flags(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_errors_in_flags(each, key) for each in value]
    return in_flags(value) if key == "error" and isinstance(value, str) else value


def complain(message: str) -> None:
    """Write a message of wsparquet to standard error."""
    click.echo(f"wsparquet: {printable(in_flags(message))}", err=True)


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Write text unchanged, to standard output or to standard error.

    Raises:
        ClickException: the text cannot be written, for example to a full disk. Click itself handles a closed pipe.

    """
    try:
        click.echo(text, err=err, nl=nl)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(
            f"expected to write the result to standard output, but: {error.strerror}; the command itself has finished"
        ) from error

"""The exit codes of all commands, and the mapping from errors to exit codes."""

from __future__ import annotations

from enum import IntEnum

from wsparquet.errors import PlaceError, WsparquetError

__all__ = ["ExitCode", "of_error"]


class ExitCode(IntEnum):
    """The exit codes. The property ``exit_code`` of the library's results returns the same numbers."""

    DONE = 0
    FAILED = 1
    """A source or the complete command failed, a check found a problem, or an account needs attention."""
    WRONG_USAGE = 2
    """The arguments are wrong; nothing was written."""
    QUARANTINED = 3
    """Everything is converted, but some text was quarantined."""
    INTERRUPTED = 130
    """A signal ended the command: 128 + SIGINT, as shells report it."""
    CLOSED_PIPE = 141
    """The reader of standard output has closed the pipe: 128 + SIGPIPE, which shells report for other programs in this
    case."""


def of_error(error: WsparquetError) -> ExitCode:
    """Return the exit code of a command that ends with this error."""
    # An error that names a parameter means that an option has an invalid value.
    wrong_usage = isinstance(error, PlaceError) or hasattr(error, "parameter")
    return ExitCode.WRONG_USAGE if wrong_usage else ExitCode.FAILED

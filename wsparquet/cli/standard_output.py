"""Standard output with a buffer, whose failed writes are errors of the command line."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["take_standard_output"]


class _StandardOutput(io.FileIO):
    """Standard output. After a failed write, all further output is dropped.

    Python writes the rest of the output at exit. It would then report another error, and change the exit code.
    """

    def write(self, data: ReadableBuffer, /) -> int:
        """Write bytes.

        Raises:
            BrokenPipeError: nobody reads standard output any more.
            ClickException: the bytes cannot be written, for example to a full disk.

        """
        try:
            return super().write(data)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            if isinstance(error, BrokenPipeError):
                raise
            raise click.ClickException(
                f"expected to write the result to standard output, but: {error.strerror}; the command itself has "
                "finished"
            ) from error


def take_standard_output() -> None:
    """Replace ``sys.stdout``, unless the caller of this process has replaced it, for example in a test.

    With PYTHONUNBUFFERED, standard output has no buffer. Python then takes a write that was cut short for a complete
    one: the rest of the output would be lost, and a pipe that nobody reads any more would look like success. Each line
    is still written at once.
    """
    stream = sys.stdout
    if stream is not sys.__stdout__ or not isinstance(stream, io.TextIOWrapper):
        return
    unbuffered = isinstance(stream.buffer, io.RawIOBase)
    file = io.BufferedWriter(_StandardOutput(stream.fileno(), "wb", closefd=False))
    stream.flush()
    sys.stdout = io.TextIOWrapper(
        file, encoding=stream.encoding, errors=stream.errors, line_buffering=stream.line_buffering or unbuffered
    )

"""Standard output and standard error with buffers of their own, which are empty after a failed write."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["take_standard_streams"]


class _StandardStream(io.FileIO):
    """A standard stream. After a failed write, all further output is dropped.

    Python writes the rest of the output at exit. Python would then report another error, and change the exit code to
    120.
    """

    def write(self, data: ReadableBuffer, /) -> int:
        """Write bytes. Raises OSError on failure: BrokenPipeError if the reader of the stream has closed it."""
        try:
            return super().write(data)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            raise


class _StandardOutput(_StandardStream):
    """Standard output, whose failed writes are errors of the command line."""

    def write(self, data: ReadableBuffer, /) -> int:
        """Write bytes.

        Raises:
            BrokenPipeError: the reader of standard output has closed it.
            ClickException: the bytes cannot be written, for example to a full disk.

        """
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(
                f"expected to write the result to standard output, but: {error.strerror}; the command itself has "
                "finished"
            ) from error


def take_standard_streams() -> None:
    """Replace ``sys.stdout`` and ``sys.stderr``, unless the caller of this process has replaced them, as a test may.

    With PYTHONUNBUFFERED, the streams have no buffers. Python then treats a partial write as a complete write: the rest
    of the output would be lost, and a closed pipe would look like success. Each line is still written at once.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout is sys.__stdout__:
        sys.stdout = _taken(sys.stdout, _StandardOutput)
    if isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr is sys.__stderr__:
        sys.stderr = _taken(sys.stderr, _StandardStream)


def _taken(stream: io.TextIOWrapper, kind: type[_StandardStream]) -> io.TextIOWrapper:
    unbuffered = isinstance(stream.buffer, io.RawIOBase)
    file = io.BufferedWriter(kind(stream.fileno(), "wb", closefd=False))
    stream.flush()
    return io.TextIOWrapper(
        file, encoding=stream.encoding, errors=stream.errors, line_buffering=stream.line_buffering or unbuffered
    )

"""Files that a command writes for the user: outside of all roots, and whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from wsparquet.redaction import printable

__all__ = ["check_target", "written_whole"]


def check_target(flag: str, path: str) -> None:
    """Reject a file in a root: commands would take it for a file of the root. Raises UsageError."""
    from wsparquet.layout import root_around

    if (root := root_around(path)) is not None:
        raise click.UsageError(f"expected {flag} outside of all roots, found a file in {root}; choose another")


@contextmanager
def written_whole(path: str) -> Iterator[Path]:
    """Yield the path of a temporary file, which replaces the file at the end, and is deleted after an error.

    Raises ClickException if the file cannot be written.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        try:
            yield temporary
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise click.ClickException(f"cannot write {printable(path)}: {error.strerror or error}") from error

"""Single files of a local disk: made new, and brought onto the disk itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

__all__ = ["create_file", "sync_file", "sync_folder"]


def create_file(path: Path, *, mode: int = 0o666) -> BinaryIO:
    """A new file, open for writing; there must be none of its name."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")


def sync_file(path: Path) -> None:
    """Bring a written and closed file onto the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Bring a folder's names onto the disk itself."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

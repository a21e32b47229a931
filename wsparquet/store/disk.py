"""Operations on single files of a local disk: create, flush to disk."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

__all__ = ["create_file", "sync_file", "sync_folder"]


def create_file(path: Path, *, mode: int = 0o666) -> BinaryIO:
    """Create a file and return it, open for writing. Raises FileExistsError if a file with that name exists."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")


def sync_file(path: Path) -> None:
    """Flush a closed file to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Flush a folder's entries to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> None:
    """Durably create a folder and every missing folder above it."""
    missing = [each for each in (path, *path.parents) if not each.is_dir()]
    last = missing[-1].parent if missing else path
    # The process that created the last existing folder may have died before its own sync. A parent that this user may
    # not read cannot be synced.
    with suppress(PermissionError):
        sync_folder(last.parent)
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        sync_folder(each.parent)

"""A file system of Arrow that reads parts from a bucket with as few requests, and as few bytes, as possible.

Each time that Arrow opens a file through fsspec, three requests find out that the file exists and how long it is. s3fs
then reads up to 50 MB beyond what Arrow asks for, because most programs read on; but Arrow jumps from column to column.
The size of a part is known from its commit record, and a part never changes, so both can be left out.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyarrow import fs

__all__ = ["part_filesystem"]

SMALL_BYTES = 1 << 20
"""A part up to this size is read to its end at once: one request takes less time than several that read less."""


def part_filesystem(filesystem: Any, sizes: Mapping[str, int]) -> fs.FileSystem:
    """Return an Arrow file system over one of s3fs. ``sizes`` has the sizes in bytes of the parts, by their paths.

    Reading a part that does not exist raises FileNotFoundError at the first read, not when the part is opened.
    """
    return fs.PyFileSystem(_Handler(filesystem, sizes))  # type: ignore[abstract]


class _Handler(fs.FSSpecHandler):
    """Opens files of known sizes without a request."""

    def __init__(self, filesystem: Any, sizes: Mapping[str, int]) -> None:
        super().__init__(filesystem)
        self._filesystem = filesystem
        self._sizes = sizes

    def open_input_file(self, path: str) -> pa.NativeFile:
        """Open a file. Files of unknown sizes are opened as usual."""
        if path not in self._sizes:
            return super().open_input_file(path)
        size = self._sizes[path]
        cache = "readahead" if size <= SMALL_BYTES else "none"
        file = self._filesystem.open(path, mode="rb", size=size, cache_type=cache, block_size=SMALL_BYTES)
        # Otherwise s3fs asks for them at the first read.
        file.details = {"name": path, "size": size, "type": "file"}
        named: Any = _Named(file, path)
        return pa.PythonFile(named, mode="r")


class _Named:
    """A file whose error names it if it is missing. That of s3fs does not."""

    def __init__(self, file: Any, path: str) -> None:
        self._file = file
        self._path = path

    def read(self, size: int = -1) -> bytes:
        """Read the next bytes."""
        try:
            found: bytes = self._file.read(size)
        except FileNotFoundError as error:
            reason = "expected a part, found none; a later commit replaced it, so open the dataset again"
            raise FileNotFoundError(errno.ENOENT, reason, f"s3://{self._path}") from error
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

"""The files of Iceberg tables in a root, read and written through the root's own store.

So manifests are as durable as commit records, and need no other credentials. A path outside the root is refused: a
table with such paths is not this root's, whatever the table's metadata says.
"""

from __future__ import annotations

import io
import os
from typing import Self

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream

from wsparquet.dataset import Root
from wsparquet.errors import DatasetError

__all__ = ["StoreFiles", "location_of"]


def location_of(root: Root) -> str:
    """Return the location of a root in Iceberg metadata: a URL, or the absolute path without symbolic links.

    Iceberg metadata has absolute paths, so the same folder must not have two of them.
    """
    return root.place if root.is_remote else os.path.realpath(root.place)


class StoreFiles(FileIO):
    """pyiceberg's interface to files, for the files of one root."""

    def __init__(self, root: Root) -> None:
        super().__init__()
        self.store = root.store
        self.base = location_of(root)

    def path(self, location: str) -> str:
        """Return the path of a file relative to the root. Raises DatasetError if the file is not in the root."""
        path = location.removeprefix(f"{self.base}/")
        if path == location or any(part in {"", ".", ".."} for part in path.split("/")):
            raise DatasetError(
                f"{self.base}: expected an Iceberg table whose files are in this root, found {location}; another tool "
                "has changed the table: drop it from its catalog, and run `wsparquet publish` again"
            )
        return path

    def read(self, location: str) -> bytes:
        """Return the bytes of a file. Raises FileNotFoundError if the file does not exist."""
        data = self.store.read(self.path(location))
        if data is None:
            raise FileNotFoundError(location)
        return data

    def new_input(self, location: str) -> InputFile:
        """Return a file to read."""
        return _Input(self, location)

    def new_output(self, location: str) -> OutputFile:
        """Return a file to write."""
        return _Output(self, location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Refuse: only ``expiry`` deletes files, by names that it has listed."""
        raise NotImplementedError("wsparquet deletes the files of Iceberg tables itself")


class _Input(InputFile):
    def __init__(self, files: StoreFiles, location: str) -> None:
        super().__init__(location)
        self._files = files

    def __len__(self) -> int:
        return len(self._files.read(self.location))

    def exists(self) -> bool:
        return self._files.store.read(self._files.path(self.location)) is not None

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 - pyiceberg's interface
        return io.BytesIO(self._files.read(self.location))


class _Output(OutputFile):
    def __init__(self, files: StoreFiles, location: str) -> None:
        super().__init__(location)
        self._files = files
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def exists(self) -> bool:
        return self.to_input_file().exists()

    def to_input_file(self) -> InputFile:
        return _Input(self._files, self.location)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002 - all names are random
        return _Writing(self)

    def put(self, data: bytes) -> None:
        self._files.store.put(self._files.path(self.location), data)
        self._size = len(data)


class _Writing(io.BytesIO):
    """A file that is stored when it is closed without an error."""

    def __init__(self, output: _Output) -> None:
        super().__init__()
        self._output = output

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        if not self.closed:
            self._output.put(self.getvalue())
        super().close()

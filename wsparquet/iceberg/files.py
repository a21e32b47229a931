"""The files of Iceberg tables in a root, read and written through the root's own store.

Manifests are therefore as durable as commit records, and need no other credentials. A path outside the root is refused:
a table with such paths does not belong to this root, whatever the table's metadata says.
"""

from __future__ import annotations

import io
from typing import Self

from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile, OutputStream

from wsparquet.dataset import Root
from wsparquet.errors import DatasetError

__all__ = ["NewFile", "StoreFiles"]


class StoreFiles(FileIO):
    """pyiceberg's interface to files, for the files of one root."""

    def __init__(self, root: Root) -> None:
        super().__init__()
        self.store = root.store
        self.base = root.location

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

    def new_output(self, location: str) -> NewFile:
        """Return a file to write, which is stored when ``NewFile.store`` is called."""
        return NewFile(self, location)

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


class NewFile(OutputFile):
    """A file that pyiceberg writes into memory.

    pyiceberg closes its files even after an error, and Python closes objects whose ``close`` has failed once more when
    it deletes them, in any thread. So ``close`` must not send a request: a thread that runs requests would wait for
    itself.
    """

    def __init__(self, files: StoreFiles, location: str) -> None:
        super().__init__(location)
        self._files = files
        self._data = b""

    def __len__(self) -> int:
        return len(self._data)

    def exists(self) -> bool:
        """Return whether the file is stored."""
        return self.to_input_file().exists()

    def to_input_file(self) -> InputFile:
        """Return the file to read."""
        return _Input(self._files, self.location)

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002 - all names are random
        """Return a stream whose bytes this file keeps."""
        return _Stream(self)

    def keep(self, data: bytes) -> None:
        """Keep the bytes of the file until ``store`` is called."""
        self._data = data

    def store(self) -> None:
        """Store the file. Raises DatasetError if the store fails."""
        self._files.store.put(self._files.path(self.location), self._data)


class _Stream(io.BytesIO):
    """Hands its bytes to a file when it is closed."""

    def __init__(self, file: NewFile) -> None:
        super().__init__()
        self._file = file

    def __enter__(self) -> Self:
        return self

    def close(self) -> None:
        if not self.closed:
            self._file.keep(self.getvalue())
        super().close()

"""What a root needs of the place where its files lie, be it a local disk or an object store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from pyarrow import fs

from wsparquet.store.workspace import Workspaces

__all__ = ["Entry", "Store", "Unfinished"]


class Entry(NamedTuple):
    """A file of a root: ``size`` in bytes, ``modified`` in seconds since 1970, ``version`` differs when it changes."""

    path: str
    size: int
    modified: float
    version: str


class Unfinished(NamedTuple):
    """An upload in parts that was begun and not ended; ``begun`` is in seconds since 1970."""

    path: str
    upload_id: str
    begun: float


class Store(Protocol):
    """The files below a root; all paths are relative to it, with ``/`` between components.

    Everything raises DatasetError if the place fails.
    """

    workspaces: Workspaces
    """Where temporary files of attempts lie, on a local disk."""

    def place(self, path: str = "") -> str:
        """The root, or a file of it, as messages name it."""
        ...

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        ...

    def entries(self, folder: str) -> Iterator[Entry]:
        """All files below ``folder``, of the whole root if that is empty, sorted by path."""
        ...

    def unfinished(self) -> list[Unfinished]:
        """Uploads that were begun and not ended, where there is such a thing."""
        ...

    def abort(self, upload: Unfinished) -> None:
        """End an upload without a file."""
        ...

    def read_below(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """The paths and bytes of all files below ``folder``, sorted; those that are gone are passed over."""
        ...

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The paths and bytes of files, in their order; those that are gone are passed over."""
        ...

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths at which no file lies."""
        ...

    def arrow(self) -> tuple[fs.FileSystem, str]:
        """A file system of Arrow's, and the root's path in it."""
        ...

    def interrupt(self) -> None:
        """Have everything fail that waits for a network, now and from now on."""
        ...

    def make_root(self) -> None:
        """Make what has to be there before anything can be written."""
        ...

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        """Make a folder if it is missing, where there is such a thing."""
        ...

    def create(self, temporary: Path, path: str) -> bool:
        """Have a written temporary file be a file for good; False if there is one of that name already."""
        ...

    def replace(self, temporary: Path, path: str) -> None:
        """Put a written temporary file in the place of another, at once and for good."""
        ...

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files for good; those that are gone already are passed over."""
        ...

"""The interface of a store: the operations that a root needs from a local disk or an object store.

``tests/store/test_conformance.py`` tests every store, and defines what a new store must provide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from wsparquet.store.workspace import Workspaces

if TYPE_CHECKING:
    from pyarrow import fs

__all__ = ["Absent", "Changed", "Entry", "Expectation", "Refused", "Store", "Unfinished", "Version"]


@dataclass(frozen=True, slots=True)
class Version:
    """The state of a file when it was read; ``tag`` is a store-specific value that is only compared for equality."""

    tag: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The state of a path without a file."""


Expectation = Absent | Version
"""The state in which a conditional write expects a path to be."""


class Changed(Exception):
    """A conditional write was not made, because the file is not in the expected state."""


class Refused(Exception):
    """A conditional write was not made, because the store does not support them; the text gives the reason."""


class Entry(NamedTuple):
    """A file of a root: ``size`` in bytes, ``modified`` in seconds since 1970.

    ``version`` changes whenever the file changes; compare it only with versions from other listings. The version is
    None if the store's listings have no versions; then only reading the file shows a change.
    """

    path: str
    size: int
    modified: float
    version: str | None


class Unfinished(NamedTuple):
    """A multipart upload that was started but not completed; ``begun`` is in seconds since 1970."""

    path: str
    upload_id: str
    begun: float


class Store(Protocol):
    """The files below a root; all paths are relative to the root, with ``/`` between components.

    A component of a path is never empty, ``.`` or ``..``. A path is never both a file and a folder of other files. A
    file is visible only when it is complete. Every method raises DatasetError if the store fails.
    """

    workspaces: Workspaces
    """The workspaces for temporary files; they are always on a local disk."""

    def place(self, path: str = "") -> str:
        """Return the path or URL of the root, or of a file in it, for messages."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, or None if the file does not exist."""
        ...

    def read_version(self, path: str) -> tuple[bytes, Version] | None:
        """Return a file's bytes, and its version for ``put``. Return None if the file does not exist."""
        ...

    def entries(self, folder: str, *, denied: list[str] | None = None) -> Iterator[Entry]:
        """Yield all files below ``folder``, sorted by path; an empty ``folder`` means the root.

        With ``denied``, folders below ``folder`` that this user may not list are skipped, and their paths are appended
        to ``denied``. A bucket has no such folders.
        """
        ...

    def versions(self, folder: str) -> Iterator[list[tuple[str, str | None]]]:
        """Yield the path and the version (see ``Entry``) of all files below ``folder``, sorted by path, in lists.

        Unlike ``entries``, this method holds only one list at a time in memory, and needs one request for each.
        """
        ...

    def unfinished(self) -> list[Unfinished]:
        """Return the multipart uploads that were started but not completed; a local disk has none."""
        ...

    def abort(self, upload: Unfinished) -> None:
        """Abort a multipart upload without creating a file."""
        ...

    def read_below(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the bytes of every file below ``folder``, sorted by path; skip deleted files."""
        ...

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the bytes of each file, in the order of ``paths``; missing files are skipped."""
        ...

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Return the paths at which no file exists."""
        ...

    def local_copy(self, path: str, copy: Path) -> Path | None:
        """Return the path of a local file with the bytes of a file, or None if the file does not exist.

        A local disk returns the file itself, which must not be changed. A bucket writes the bytes to ``copy``, and
        replaces what is there. Use this for files that are too large for memory.
        """
        ...

    def arrow(self, sizes: Mapping[str, int]) -> tuple[fs.FileSystem, str]:
        """Return an Arrow file system for this store, and the root's path in that file system.

        ``sizes`` has the sizes in bytes of the parts that will be read, by their paths, so that the store need not be
        asked for them.
        """
        ...

    def interrupt(self) -> None:
        """Make all operations that wait for a network fail: the operations in progress and all later ones."""
        ...

    def make_root(self) -> None:
        """Create the root if it is missing, provided that the store can create it."""
        ...

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        """Create a folder if it is missing. Do nothing on a store without folders."""
        ...

    def remove_work_folders(self) -> None:
        """Delete the folders for temporary files if no attempt uses them. Do nothing on a store without folders."""
        ...

    def put(self, path: str, data: bytes, *, expect: Expectation | None = None) -> None:
        """Write a file atomically and durably. With ``expect``, write only if the path is in that state.

        A write whose answer is lost counts as successful if the file contains ``data`` afterwards.

        Raises:
            Changed: the path is not in the expected state; nothing is written.
            Refused: the store does not support conditional writes; nothing is written.

        """
        ...

    def publish(self, moves: Iterable[tuple[Path, str]]) -> None:
        """Move finished files into the root. A move is a pair: a file in a workspace, and its path in the root."""
        ...

    def sync(self, path: str) -> None:
        """Make the creation, replacement or deletion of a file durable, whichever process has done it."""
        ...

    def delete(self, paths: Iterable[str]) -> None:
        """Durably delete files; missing files are skipped."""
        ...

"""The contract of a store: what a root needs of the place where its files lie, a local disk or an object store.

``tests/store/test_conformance.py`` runs against every store, and says what a new one takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from pyarrow import fs

from wsparquet.store.workspace import Workspaces

__all__ = ["Absent", "Changed", "Entry", "Expectation", "Refused", "Store", "Unfinished", "Version"]


@dataclass(frozen=True, slots=True)
class Version:
    """The state of a file at the moment when it was read; ``tag`` is the store's own, and only compared."""

    tag: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The state of a path at which no file lies."""


Expectation = Absent | Version
"""What a conditional write expects to find at its path."""


class Changed(Exception):
    """A conditional write did not happen, since the file is not in the state that the writer expected."""


class Refused(Exception):
    """A conditional write did not happen, since the store makes none; the text says why."""


class Entry(NamedTuple):
    """A file of a root: ``size`` in bytes, ``modified`` in seconds since 1970.

    ``version`` differs whenever the file does, and is compared with that of other listings only. It is None if the
    store's listings do not tell: then the file has to be read.
    """

    path: str
    size: int
    modified: float
    version: str | None


class Unfinished(NamedTuple):
    """An upload in parts that was begun and not ended; ``begun`` is in seconds since 1970."""

    path: str
    upload_id: str
    begun: float


class Store(Protocol):
    """The files below a root; all paths are relative to it, with ``/`` between components.

    A path's components are not empty, and neither ``.`` nor ``..``; no path is the folder of another one. A file is
    there whole or not at all. Everything raises DatasetError if the place fails.
    """

    workspaces: Workspaces
    """Where temporary files of attempts lie, on a local disk."""

    def place(self, path: str = "") -> str:
        """The root, or a file of it, as messages name it."""
        ...

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        ...

    def read_version(self, path: str) -> tuple[bytes, Version] | None:
        """The bytes of a file, and the version that ``put`` can expect; None if there is none."""
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

    def put(self, path: str, data: bytes, *, expect: Expectation | None = None) -> None:
        """Write a file, at once and for good, in the place of whatever is there, or only if that is as expected.

        A write whose answer was lost counts as done if the file holds ``data`` afterwards.

        Raises:
            Changed: the file is not as expected; nothing is written.
            Refused: the store makes no conditional writes; nothing is written.

        """
        ...

    def publish(self, moves: Iterable[tuple[Path, str]]) -> None:
        """Make finished temporary files of this store's workspaces files of the root: ``(temporary, path)`` pairs."""
        ...

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files for good; those that are gone already are passed over."""
        ...

"""A store in memory, for tests that try many orders of operations: it behaves as S3 does, and copies in no time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
from pyarrow import fs

from wsparquet.store.store import Absent, Changed, Entry, Expectation, Unfinished, Version
from wsparquet.store.workspace import Workspaces

__all__ = ["MemoryStore"]


class MemoryStore:
    """Files in a dictionary; each operation is atomic. ``work`` is a folder for temporary files."""

    def __init__(self, work: Path, files: dict[str, tuple[bytes, int]] | None = None) -> None:
        self.files = dict(files or {})
        self._work = work
        self._versions = itertools.count(1 + max((version for _, version in self.files.values()), default=0))
        self.workspaces = Workspaces(work / "tmp", lock=work / "workspaces.lock")

    def copy(self) -> MemoryStore:
        """Return a store with the same files."""
        return MemoryStore(self._work, self.files)

    def place(self, path: str = "") -> str:
        """Return a name for messages."""
        return f"memory://{path}"

    def read(self, path: str) -> bytes | None:
        """See ``Store``."""
        found = self.files.get(path)
        return None if found is None else found[0]

    def read_version(self, path: str) -> tuple[bytes, Version] | None:
        """See ``Store``."""
        found = self.files.get(path)
        return None if found is None else (found[0], Version(str(found[1])))

    def entries(self, folder: str, *, denied: list[str] | None = None) -> Iterator[Entry]:  # noqa: ARG002 - see Store
        """See ``Store``."""
        prefix = f"{folder}/" if folder else ""
        found = sorted((path, *file) for path, file in self.files.items() if path.startswith(prefix))
        return iter([Entry(path, len(data), time.time(), str(version)) for path, data, version in found])

    def versions(self, folder: str) -> Iterator[list[tuple[str, str | None]]]:
        """See ``Store``."""
        return iter([[(entry.path, entry.version) for entry in self.entries(folder)]])

    def unfinished(self) -> list[Unfinished]:
        """See ``Store``."""
        return []

    def abort(self, upload: Unfinished) -> None:
        """See ``Store``."""

    def read_below(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """See ``Store``."""
        return self.read_all([entry.path for entry in self.entries(folder)])

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """See ``Store``."""
        return iter([(path, self.files[path][0]) for path in paths if path in self.files])

    def missing(self, paths: Iterable[str]) -> set[str]:
        """See ``Store``."""
        return {path for path in paths if path not in self.files}

    def arrow(self, sizes: Mapping[str, int]) -> tuple[fs.FileSystem, str]:  # noqa: ARG002 - see Store
        """Return a file system with the files as they are now."""
        memory = fsspec.filesystem("memory", skip_instance_cache=True)
        memory.store = {}
        memory.pseudo_dirs = [""]
        for path, (data, _) in self.files.items():
            memory.pipe_file(f"/{path}", data)
        return fs.PyFileSystem(fs.FSSpecHandler(memory)), ""  # type: ignore[abstract]

    def local_copy(self, path: str, copy: Path) -> Path | None:
        """See ``Store``."""
        data = self.read(path)
        if data is None:
            return None
        copy.write_bytes(data)
        return copy

    def interrupt(self) -> None:
        """See ``Store``."""

    def make_root(self) -> None:
        """See ``Store``."""

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        """See ``Store``."""

    def remove_work_folders(self) -> None:
        """See ``Store``."""

    def sync(self, path: str) -> None:
        """See ``Store``."""

    def put(self, path: str, data: bytes, *, expect: Expectation | None = None) -> None:
        """See ``Store``."""
        found = self.files.get(path)
        state: Expectation = Absent() if found is None else Version(str(found[1]))
        if expect is not None and state != expect:
            raise Changed(path)
        self.files[path] = (data, next(self._versions))

    def publish(self, moves: Iterable[tuple[Path, str]]) -> None:
        """See ``Store``."""
        for temporary, path in moves:
            self.put(path, temporary.read_bytes())

    def delete(self, paths: Iterable[str]) -> None:
        """See ``Store``."""
        for path in paths:
            self.files.pop(path, None)

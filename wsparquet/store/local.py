"""The store on a local disk, with durable writes, atomic creation and replacement, deletion, and locks.

No operation follows a symbolic link below the root, so files outside the root are never touched.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from wsparquet.errors import DatasetError
from wsparquet.layout import LOCKS, STATE, TMP, DayKey, Key
from wsparquet.store.disk import make_folder
from wsparquet.store.disk_errors import translated
from wsparquet.store.store import Absent, Changed, Entry, Expectation, Unfinished, Version
from wsparquet.store.workspace import Workspaces, locked

if TYPE_CHECKING:
    from pyarrow import fs

__all__ = ["LocalDisk"]

LOCK_FILES = 256


LISTED_AT_ONCE = 1000


class LocalDisk:
    """The files below ``root``; all paths are relative to the root, with ``/`` between components."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._durable: set[str] = set()
        """The folders whose names this process knows to be on the disk."""
        self._created: set[Path] = set()
        """The root and the folders above it that this object has created."""
        self.workspaces = Workspaces(root / TMP, lock=self._lock_file("workspaces"))

    # --- Reading ------------------------------------------------------------------------------------------------------

    def place(self, path: str = "") -> str:
        """Return the path of the root, or of a file in it, for messages."""
        return str(self.root / path)

    def arrow(self, sizes: Mapping[str, int]) -> tuple[fs.FileSystem, str]:  # noqa: ARG002 - see Store
        """Arrow's local file system, and the root's path in it."""
        # Imported only here: a conversion does not need this module, whose import takes 11 ms.
        from pyarrow import fs

        return fs.LocalFileSystem(), str(self.root)

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, or None if the file does not exist."""
        with translated("read", self.root / path):
            try:
                with self._folder(path) as (folder, name):
                    return read_regular(name, folder)
            except FileNotFoundError:
                return None

    def read_version(self, path: str) -> tuple[bytes, Version] | None:
        """Return a file's bytes and, as its version, their checksum. Return None if the file does not exist."""
        data = self.read(path)
        return None if data is None else (data, _version(data))

    def entries(self, folder: str, *, denied: list[str] | None = None) -> Iterator[Entry]:
        """Yield all regular files below ``folder``, sorted by path; symbolic links are skipped.

        With ``denied``, folders that this user may not list are skipped, and their paths are appended to ``denied``.
        """
        with translated("list", self.root / folder):
            for path in self._walk(folder, denied):
                try:
                    status = (self.root / path).lstat()
                except FileNotFoundError:
                    continue
                yield Entry(path, status.st_size, status.st_mtime, f"{status.st_mtime_ns}-{status.st_ino}")

    def versions(self, folder: str) -> Iterator[list[tuple[str, str | None]]]:
        """Yield the path and the version of all regular files below ``folder``, sorted by path, in lists."""
        found = self.entries(folder)
        while some := [(entry.path, entry.version) for entry in itertools.islice(found, LISTED_AT_ONCE)]:
            yield some

    def interrupt(self) -> None:
        """Do nothing: no disk operation waits for a network."""

    def unfinished(self) -> list[Unfinished]:
        """Return an empty list: a local disk has no multipart uploads."""
        return []

    def abort(self, upload: Unfinished) -> None:
        """Do nothing: a local disk has no multipart uploads."""

    def read_below(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the bytes of every regular file below ``folder``, sorted by path; skip deleted files."""
        with translated("read", self.root / folder):
            yield from self.read_all(list(self._walk(folder)))

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the bytes of each regular file, in the order of ``paths``; missing files are skipped."""
        with translated("read", self.root):
            for folder, below in itertools.groupby(paths, key=lambda path: path.rpartition("/")[0]):
                yield from self._read_all_in(folder, below)

    def _read_all_in(self, folder: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the paths and bytes of regular files in one folder; missing files and a missing folder are skipped."""
        with ExitStack() as stack:
            try:
                descriptor, _ = stack.enter_context(self._folder(_below(folder)))
            except FileNotFoundError:
                return
            for path in paths:
                try:
                    yield path, read_regular(path.rpartition("/")[2], descriptor)
                except FileNotFoundError:
                    continue

    def _walk(self, folder: str, denied: list[str] | None = None) -> Iterator[str]:
        try:
            with os.scandir(self.root / folder) as found:
                # The sort key of a folder ends with a slash, so that the complete paths are in sorted order.
                entries = sorted(found, key=lambda entry: f"{entry.name}/" if is_folder(entry) else entry.name)
        except FileNotFoundError:
            return
        except PermissionError:
            if denied is None:
                raise
            denied.append(folder)
            return
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if is_folder(entry):
                yield from self._walk(path, denied)
            elif entry.is_file(follow_symlinks=False):
                yield path

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Return the paths without a regular file. A symbolic link is not a regular file."""
        left = set(paths)
        for folder in sorted({path.rpartition("/")[0] for path in left}):
            with translated("list", self.root / folder):
                left.difference_update(self._files(folder))
        return left

    def local_copy(self, path: str, copy: Path) -> Path | None:  # noqa: ARG002 - see Store
        """Return the path of a file itself, or None if it does not exist. Raises DatasetError for a symbolic link."""
        with translated("read", self.root / path):
            try:
                with self._folder(path) as (folder, name):
                    check_regular(name, folder)
            except FileNotFoundError:
                return None
        return self.root / path

    def _files(self, path: str) -> Iterator[str]:
        try:
            with self._folder(_below(path)) as (folder, _), os.scandir(folder) as found:
                names = [entry.name for entry in found if entry.is_file(follow_symlinks=False)]
            yield from (f"{path}/{name}" if path else name for name in names)
        except FileNotFoundError:
            return

    # --- Durable changes ----------------------------------------------------------------------------------------------

    def put(self, path: str, data: bytes, *, expect: Expectation | None = None) -> None:
        """Durably write a file. Raises Changed if the current file is not as expected; never raises Refused."""
        with self.workspaces.new() as work:
            temporary = work.write("put", data)
            match expect:
                case None:
                    self.replace(temporary, path)
                case Absent():
                    if not self.create(temporary, path):
                        raise Changed(path)
                case Version():
                    # A rename cannot compare versions, so a lock serializes the conditional writes.
                    with locked(self._lock_file("put")):
                        if self._state(path) != expect:
                            raise Changed(path)
                        self.replace(temporary, path)

    def _state(self, path: str) -> Expectation:
        found = self.read_version(path)
        return Absent() if found is None else found[1]

    def create(self, temporary: Path, path: str) -> bool:
        """Durably rename a finished temporary file to its final name; return False if that name already exists.

        In either case the name is durable afterwards: the process that made it may have died before its own sync.
        """
        with translated("create", self.root / path), self._folder(path, create=True) as (folder, name):
            try:
                os.link(temporary, name, dst_dir_fd=folder, follow_symlinks=False)
                created = True
            except FileExistsError:
                created = False
            os.fsync(folder)
        return created

    def replace(self, temporary: Path, path: str) -> None:
        """Atomically and durably replace ``path`` with a finished temporary file."""
        self._move("replace", temporary, path)

    def publish(self, moves: Iterable[tuple[Path, str]]) -> None:
        """Durably rename finished temporary files to their final names, given as ``(temporary, path)`` pairs."""
        for temporary, path in moves:
            self._move("publish", temporary, path)

    def _move(self, action: str, temporary: Path, path: str) -> None:
        with translated(action, self.root / path), self._folder(path, create=True) as (folder, name):
            os.replace(temporary, name, dst_dir_fd=folder)
            os.fsync(folder)

    def delete(self, paths: Iterable[str]) -> None:
        """Durably delete files; missing files are skipped.

        A missing file is durably missing afterwards: the process that deleted it may have died before its own sync.
        """
        for path in paths:
            with translated("delete", self.root / path), suppress(FileNotFoundError), self._folder(path) as place:
                folder, name = place
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)
                os.fsync(folder)

    def sync(self, path: str) -> None:
        """Make the creation, replacement or deletion of a file durable, whichever process has done it."""
        with translated("sync", self.root / path), suppress(FileNotFoundError), self._folder(path) as (folder, _):
            os.fsync(folder)

    @contextmanager
    def _folder(self, path: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """Yield a descriptor of the path's folder, and the file's name. No symbolic link is followed."""
        *folders, name = PurePosixPath(path).parts
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        above = ""
        try:
            for folder in folders:
                if create:
                    self._make_in(descriptor, above, folder)
                inner = enter(descriptor, folder)
                above = f"{above}{folder}/"
                os.close(descriptor)
                descriptor = inner
            yield descriptor, name
        finally:
            os.close(descriptor)

    def _make_in(self, parent: int, above: str, name: str, *, mode: int = 0o777) -> None:
        """Durably create a folder in the open folder ``above``, whose path ends in a slash, if it is missing.

        An existing folder is synced too when this process first meets it, because the process that created it may have
        died before its own sync, or may be about to sync it. One sync serves all folders beside it.
        """
        try:
            os.mkdir(name, mode, dir_fd=parent)
        except FileExistsError:
            if f"{above}{name}" in self._durable:
                return
        names = os.listdir(parent)
        os.fsync(parent)
        self._durable.update(f"{above}{each}" for each in names)

    # --- Locks and folders --------------------------------------------------------------------------------------------

    @contextmanager
    def lock(self, key: Key | DayKey) -> Iterator[None]:
        """Keep other processes and threads from committing under ``key`` while the context lasts. Not reentrant."""
        digest = hashlib.sha256(f"{key.account}/{key.name}".encode()).digest()
        with locked(self._lock_file(f"{int.from_bytes(digest[:4], 'big') % LOCK_FILES:02x}")):
            yield

    def _lock_file(self, name: str) -> Path:
        return self.root / LOCKS / f"{name}.lock"

    def make_root(self) -> None:
        """Durably create the root and every missing folder above it."""
        with translated("create", self.root):
            self._created.update(each for each in (self.root, *self.root.parents) if not each.exists())
            make_folder(self.root)

    def remove_work_folders(self) -> None:
        """Delete the folders for temporary files if no attempt uses them, and the folders created to hold these.

        Leave everything that cannot be deleted: another process may have begun to use the folders.
        """
        if not (self.root / LOCKS).is_dir():
            return
        with suppress(OSError, DatasetError), self.workspaces.exclusive():
            # If another run has deleted the folders meanwhile, the lock has made its own folder again.
            with suppress(FileNotFoundError):
                (self.root / TMP).rmdir()
            self.workspaces.lock_file.unlink()
            for folder in (LOCKS, STATE):
                (self.root / folder).rmdir()
            for created in sorted(self._created, reverse=True):
                created.rmdir()
        self._durable.clear()

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        """Durably create a folder if it is missing. Raises DatasetError if the path exists and is not a folder."""
        with translated("create", self.root / path), self._folder(path) as (folder, name):
            self._make_in(folder, path.removesuffix(name), name, mode=mode)
            os.close(enter(folder, name))


# --- Helpers ----------------------------------------------------------------------------------------------------------


def _version(data: bytes) -> Version:
    return Version(f"sha256-{hashlib.sha256(data).hexdigest()}")


def _below(folder: str) -> str:
    """Return the path of an arbitrary entry of ``folder``."""
    return f"{folder}/_" if folder else "_"


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether the path is a folder, not a symbolic link to a folder."""
    return entry.is_dir(follow_symlinks=False)


def enter(parent: int, name: str) -> int:
    """Open a folder inside an open folder and return its descriptor, without following a symbolic link."""
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def read_regular(name: str, folder: int) -> bytes:
    """Read a regular file in an open folder; for a pipe or a device, raise OSError instead of blocking."""
    with opened_regular(name, folder) as file:
        return file.read()


def check_regular(name: str, folder: int) -> None:
    """Raise OSError unless a name in an open folder is a regular file that can be read."""
    with opened_regular(name, folder):
        pass


@contextmanager
def opened_regular(name: str, folder: int) -> Iterator[BinaryIO]:
    """Open a regular file in an open folder.

    Raises OSError for a folder, a link, a pipe or a device, and never blocks.
    """
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        yield file

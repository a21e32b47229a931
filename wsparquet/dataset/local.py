"""What a root on a local disk can do: durable writes, atomic creation and replacement, deletion, locks.

Everything of this room that touches the disk is here, and here the errors of the disk and of Arrow become
DatasetErrors. No step follows a symbolic link below the root, so that nothing outside of it is ever touched.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

import pyarrow as pa
from filelock import FileLock, Timeout

from wsparquet.dataset.layout import LOCKS, TMP, Key
from wsparquet.errors import DatasetError

__all__ = ["LocalDisk", "Workspace", "create_file", "sync_file", "sync_folder", "translate", "translated"]

LOCK_FILES = 256
POLL_SECONDS = 0.01

_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space and run again",
    errno.EDQUOT: "the disk quota is used up: free some space and run again",
    errno.EFBIG: "a file would exceed the size limit: raise it (ulimit -f) and run again",
    errno.EACCES: "make it writable for this user, or choose another root",
    errno.EPERM: "make it writable for this user, or choose another root",
    errno.EROFS: "the file system is read-only: choose another root",
    errno.ENOTDIR: "a file or a symbolic link stands where a folder is expected: choose another root",
    errno.EEXIST: "a file stands where a folder is expected: choose another root",
    errno.ELOOP: "a symbolic link stands where a file is expected: a root holds none",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n) or run fewer jobs",
}


@contextmanager
def translated(action: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Turns what the disk or Arrow raises inside into a DatasetError that names ``action`` and ``path``."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise translate(error, action, path) from error


def translate(error: BaseException, action: str, path: str | os.PathLike[str]) -> DatasetError:
    """The DatasetError for an error of the disk or of Arrow."""
    code = error.errno if isinstance(error, OSError) else None
    reason = os.strerror(code) if code else str(error)
    remedy = _REMEDIES.get(code or 0, "see the reason and run again")
    return DatasetError(f"cannot {action} {os.fspath(path)}: {reason}; {remedy}")


class Workspace:
    """A private folder for the temporary files of one attempt, locked while its process lives; a context manager."""

    def __init__(self, disk: LocalDisk, token: str) -> None:
        self.disk = disk
        self.token = token
        self.relative = f"{TMP}/{token}"
        self.folder = disk.root / self.relative
        # Released by whichever thread ends the attempt, not only by the one that began it.
        self.lock = FileLock(self.folder / "lock", timeout=0, thread_local=False)

    def path(self, name: str) -> Path:
        """Where the temporary file ``name`` lies."""
        return self.folder / name

    def write(self, name: str, data: bytes) -> str:
        """Write a small file durably and return its path, relative to the root."""
        path = self.path(name)
        with translated("write", path), create_file(path) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return f"{self.relative}/{name}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Delete the folder with all that is in it, and let go of the lock."""
        with translated("delete", self.folder), self.disk.turnstile():
            shutil.rmtree(self.folder)
            self.lock.release()


class LocalDisk:
    """The files below ``root``; all paths are relative to it, with ``/`` between components."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # --- Reading ------------------------------------------------------------------------------------------------------

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None if there is none."""
        with translated("read", self.root / path):
            try:
                with self._folder(path) as (folder, name):
                    return read_regular(name, folder)
            except FileNotFoundError:
                return None

    def walk(self, folder: str) -> Iterator[str]:
        """The paths of all regular files below ``folder``, sorted; symbolic links are passed over."""
        with translated("list", self.root / folder):
            yield from self._walk(folder)

    def read_below(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """The paths and bytes of all regular files below ``folder``, sorted; those that are gone are passed over."""
        with translated("read", self.root / folder):
            paths = list(self._walk(folder))
            for parent, names in itertools.groupby(paths, key=lambda path: path.rpartition("/")[0]):
                with self._folder(f"{parent}/_") as (descriptor, _):
                    for path in names:
                        try:
                            yield path, read_regular(path.rpartition("/")[2], descriptor)
                        except FileNotFoundError:
                            continue

    def _walk(self, folder: str) -> Iterator[str]:
        try:
            with os.scandir(self.root / folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except FileNotFoundError:
            return
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from self._walk(f"{folder}/{entry.name}")
            elif entry.is_file(follow_symlinks=False):
                yield f"{folder}/{entry.name}"

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths at which no regular file lies; a symbolic link is none."""
        left = set(paths)
        for folder in sorted({path.rpartition("/")[0] for path in left}):
            with translated("list", self.root / folder):
                left.difference_update(self._files(folder))
        return left

    def _files(self, path: str) -> Iterator[str]:
        try:
            with self._folder(f"{path}/_") as (folder, _), os.scandir(folder) as found:
                yield from (f"{path}/{entry.name}" for entry in found if entry.is_file(follow_symlinks=False))
        except FileNotFoundError:
            return

    # --- Durable changes ----------------------------------------------------------------------------------------------

    def create(self, temporary: str, path: str) -> bool:
        """Give a written temporary file its final name for good; False if there is a file of that name already."""
        with translated("create", self.root / path), self._folder(path, create=True) as (folder, name):
            try:
                os.link(self.root / temporary, name, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError:
                return False
            os.fsync(folder)
        return True

    def replace(self, temporary: str, path: str) -> None:
        """Put a written temporary file in the place of ``path``, at once and for good."""
        with translated("replace", self.root / path), self._folder(path) as (folder, name):
            os.replace(self.root / temporary, name, dst_dir_fd=folder)
            os.fsync(folder)

    def publish(self, moves: Iterable[tuple[str, str]]) -> None:
        """Give written temporary files their final names for good: ``(temporary, path)`` pairs."""
        for temporary, path in moves:
            with translated("publish", self.root / path), self._folder(path, create=True) as (folder, name):
                os.replace(self.root / temporary, name, dst_dir_fd=folder)
                os.fsync(folder)

    def delete(self, paths: Iterable[str]) -> None:
        """Delete files for good; those that are gone already are passed over."""
        for path in paths:
            with translated("delete", self.root / path):
                try:
                    with self._folder(path) as (folder, name):
                        os.unlink(name, dir_fd=folder)
                        os.fsync(folder)
                except FileNotFoundError:
                    continue

    @contextmanager
    def _folder(self, path: str, *, create: bool = False) -> Iterator[tuple[int, str]]:
        """An open descriptor of the path's folder and the file's name, without following a symbolic link."""
        *folders, name = PurePosixPath(path).parts
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                inner = enter(descriptor, folder, create=create)
                os.close(descriptor)
                descriptor = inner
            yield descriptor, name
        finally:
            os.close(descriptor)

    # --- Locks and workspaces -----------------------------------------------------------------------------------------

    @contextmanager
    def lock(self, key: Key) -> Iterator[None]:
        """Keeps every other process and thread from committing under ``key`` meanwhile. Not reentrant."""
        digest = hashlib.sha256(f"{key.account}/{key.name}".encode()).digest()
        with self._locked(f"{int.from_bytes(digest[:4], 'big') % LOCK_FILES:02x}"):
            yield

    @contextmanager
    def turnstile(self) -> Iterator[None]:
        """Keeps workspaces from being made, deleted or swept at the same time. Not reentrant."""
        with self._locked("workspaces"):
            yield

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        path = self.root / LOCKS / f"{name}.lock"
        # A new object each time: flock keeps threads apart by their descriptors, a shared object would let them in.
        lock = FileLock(path, thread_local=False)
        with translated("lock", path):
            lock.acquire(poll_interval=POLL_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def workspace(self) -> Workspace:
        """A new workspace, which the caller has to remove."""
        work = Workspace(self, secrets.token_hex(8))
        with translated("create", work.folder), self.turnstile():
            work.folder.mkdir(mode=0o700)
            work.lock.acquire()
        return work

    def sweep(self) -> None:
        """Delete the workspaces of attempts that have died."""
        with translated("clean up", self.root / TMP), self.turnstile():
            with os.scandir(self.root / TMP) as found:
                folders = [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]
            for folder in folders:
                self._sweep(folder)

    def _sweep(self, folder: Path) -> None:
        lock = FileLock(folder / "lock", timeout=0, thread_local=False)
        try:
            lock.acquire()
        except (Timeout, PermissionError):
            # Alive, or another user's, whose own next run sweeps it.
            return
        try:
            shutil.rmtree(folder)
        finally:
            lock.release()

    def make_root(self) -> None:
        """Make the root and every missing folder above it, for good."""
        with translated("create", self.root):
            missing = [path for path in (self.root, *self.root.parents) if not path.is_dir()]
            for path in reversed(missing):
                path.mkdir(exist_ok=True)
                sync_folder(path.parent)

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        """Make a folder for good if it is missing. Its name must not stand for anything else."""
        with translated("create", self.root / path), self._folder(path) as (folder, name):
            try:
                os.mkdir(name, mode, dir_fd=folder)
            except FileExistsError:
                pass
            else:
                os.fsync(folder)
            os.close(enter(folder, name, create=False))


# --- Single steps -----------------------------------------------------------------------------------------------------


def enter(parent: int, name: str, *, create: bool) -> int:
    """An open descriptor of a folder in an open one, made for good if it is missing and ``create`` is set."""
    if create:
        try:
            os.mkdir(name, dir_fd=parent)
        except FileExistsError:
            pass
        else:
            os.fsync(parent)
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def read_regular(name: str, folder: int) -> bytes:
    """The bytes of a regular file in an open folder; a pipe or a device there is an OSError, not a wait."""
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read()


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

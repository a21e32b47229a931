"""Private folders for the temporary files of attempts. Each is locked while its process lives, and deleted later."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from wsparquet.store.disk import create_file
from wsparquet.store.disk_errors import translated

__all__ = ["Workspace", "Workspaces", "locked"]

POLL_SECONDS = 0.01
NEW_LOCK_SECONDS = 10.0
TRIES = 20


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a file against other processes and threads while the context lasts. Not reentrant."""
    # Create a new lock object each time: flock excludes other threads only if each one has its own descriptor.
    lock = FileLock(path, thread_local=False)
    with translated("lock", path):
        _acquire(lock)
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock) -> None:
    """Lock a file. If another process deletes its folder while this one creates it, create the folder again."""
    for _ in range(TRIES):
        # `Path.mkdir` reports a folder that is deleted just after it was found to exist as a file.
        with suppress(FileExistsError, FileNotFoundError):
            lock.acquire(poll_interval=POLL_SECONDS)
            return
    lock.acquire(poll_interval=POLL_SECONDS)


class Workspace:
    """The folder for the temporary files of one attempt; a context manager that removes it on exit."""

    def __init__(self, home: Workspaces, token: str) -> None:
        self.token = token
        self.folder = home.folder / token
        self._home = home
        # The lock does not belong to one thread, because another thread may end the attempt.
        self.lock = FileLock(self.folder / "lock", timeout=0, thread_local=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def path(self, name: str) -> Path:
        """Return the path of the temporary file ``name``."""
        return self.folder / name

    def write(self, name: str, data: bytes) -> Path:
        """Write a small file durably and return its path."""
        path = self.path(name)
        with translated("write", path), create_file(path) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return path

    def remove(self) -> None:
        """Delete the folder with its contents, and release the lock."""
        with translated("delete", self.folder), self._home.exclusive():
            shutil.rmtree(self.folder)
            self.lock.release()


class Workspaces:
    """All workspaces below ``folder``; ``lock`` is the lock file for creating, deleting and sweeping workspaces."""

    def __init__(self, folder: Path, *, lock: Path) -> None:
        self.folder = folder
        self.lock_file = lock

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep others from creating, deleting or sweeping workspaces while the context lasts. Not reentrant."""
        with locked(self.lock_file):
            yield

    def new(self) -> Workspace:
        """Create a workspace; the caller must remove it."""
        work = Workspace(self, secrets.token_hex(8))
        with translated("create", work.folder), self.exclusive():
            work.folder.mkdir(mode=0o700)
            # Another process may hold the lock for a moment, because it runs ``dead``.
            work.lock.acquire(timeout=NEW_LOCK_SECONDS, poll_interval=POLL_SECONDS)
        return work

    def sweep(self) -> None:
        """Delete the workspaces of dead attempts."""
        if not self.folder.is_dir():
            return
        with translated("clean up", self.folder), self.exclusive():
            for folder in self._folders():
                with _if_dead(folder) as dead:
                    if dead:
                        shutil.rmtree(folder)

    def dead(self) -> set[str]:
        """Return the tokens of dead attempts whose workspaces this user can read, without writing anything."""
        with translated("look into", self.folder):
            try:
                return {folder.name for folder in self._folders() if _looks_dead(folder)}
            except (FileNotFoundError, PermissionError):
                return set()

    def _folders(self) -> list[Path]:
        with os.scandir(self.folder) as found:
            return [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]


def _looks_dead(folder: Path) -> bool:
    """Return whether no process holds the lock of a workspace; this reads the lock file only.

    A workspace without a lock file is dead: its process writes files only while it holds the lock.
    """
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


@contextmanager
def _if_dead(folder: Path) -> Iterator[bool]:
    """Yield whether the workspace's process is dead. If so, hold the workspace's lock while the context lasts."""
    lock = FileLock(folder / "lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except (Timeout, PermissionError):
        # The process is alive, or the workspace belongs to another user and that user's next run sweeps it.
        yield False
        return
    try:
        yield True
    finally:
        lock.release()

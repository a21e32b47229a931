"""Private folders for the temporary files of attempts, each locked while its process lives, swept once it is dead."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from wsparquet.store.disk import create_file
from wsparquet.store.disk_errors import translated

__all__ = ["Workspace", "Workspaces", "locked"]

POLL_SECONDS = 0.01


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps every other process and thread that wants the same lock file out meanwhile. Not reentrant."""
    # A new object each time: flock keeps threads apart by their descriptors, a shared object would let them in.
    lock = FileLock(path, thread_local=False)
    with translated("lock", path):
        lock.acquire(poll_interval=POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()


class Workspace:
    """The folder of one attempt; a context manager that removes it."""

    def __init__(self, home: Workspaces, token: str) -> None:
        self.token = token
        self.folder = home.folder / token
        self._home = home
        # Released by whichever thread ends the attempt, not only by the one that began it.
        self.lock = FileLock(self.folder / "lock", timeout=0, thread_local=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def path(self, name: str) -> Path:
        """Where the temporary file ``name`` lies."""
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
        """Delete the folder with all that is in it, and let go of the lock."""
        with translated("delete", self.folder), self._home.turnstile():
            shutil.rmtree(self.folder)
            self.lock.release()


class Workspaces:
    """All workspaces below ``folder``; ``lock`` is the file that keeps their comings and goings apart."""

    def __init__(self, folder: Path, *, lock: Path) -> None:
        self.folder = folder
        self._lock = lock

    @contextmanager
    def turnstile(self) -> Iterator[None]:
        """Keeps workspaces from being made, deleted or swept at the same time. Not reentrant."""
        with locked(self._lock):
            yield

    def new(self) -> Workspace:
        """A new workspace, which the caller has to remove."""
        work = Workspace(self, secrets.token_hex(8))
        with translated("create", work.folder), self.turnstile():
            work.folder.mkdir(mode=0o700)
            work.lock.acquire()
        return work

    def sweep(self) -> None:
        """Delete the workspaces of attempts that have died."""
        with translated("clean up", self.folder), self.turnstile():
            for folder in self._folders():
                with _if_dead(folder) as dead:
                    if dead:
                        shutil.rmtree(folder)

    def dead(self) -> set[str]:
        """The tokens of attempts that have died and left their workspaces."""
        found: set[str] = set()
        if not self.folder.is_dir():
            return found
        with translated("look into", self.folder), self.turnstile():
            for folder in self._folders():
                with _if_dead(folder) as dead:
                    if dead:
                        found.add(folder.name)
        return found

    def _folders(self) -> list[Path]:
        with os.scandir(self.folder) as found:
            return [Path(entry.path) for entry in found if entry.is_dir(follow_symlinks=False)]


@contextmanager
def _if_dead(folder: Path) -> Iterator[bool]:
    """Whether nobody holds the lock of a workspace, which is held meanwhile."""
    lock = FileLock(folder / "lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except (Timeout, PermissionError):
        # Alive, or another user's, whose own next run sweeps it.
        yield False
        return
    try:
        yield True
    finally:
        lock.release()

"""Records what this process does to a folder, at the functions of ``os`` that change a disk.

wsparquet changes names and syncs through these functions only; ``test_recorder.py`` proves that with strace. Parquet
files are opened by native code, in workspaces: the recorder learns of such a file when it is synced or gets a name.
"""

from __future__ import annotations

import gc
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from unittest import mock

import wsparquet
from tests.system.power.trace import File, Folder, Named, Node, Synced, Trace

PACKAGE = str(Path(wsparquet.__file__).parent)
NAMES = ("open", "link", "rename", "replace", "unlink", "remove", "mkdir", "rmdir", "fsync", "fdatasync")
REFUSED = ("truncate", "ftruncate", "symlink", "sync", "copy_file_range", "sendfile")
"""What the model does not know: changes of data in place, links, and more than one sync at once."""
HELPERS = ("sync_file", "sync_folder", "make_folder", "LocalDisk.sync")
"""Functions of wsparquet that only sync, so that their callers are what matters."""


class Killed(BaseException):
    """After its simulated kill, a process changes nothing more on the disk, even while its cleanup runs."""


class Recorder:
    """Records changes below ``world``, a folder."""

    def __init__(self, world: Path) -> None:
        self.world = world
        before: dict[Folder, dict[str, Node]] = {}
        self.trace = Trace(_scanned(world, before), before)
        self._lock = threading.RLock()
        self._kill_at: int | None = None
        self._number = 0

    @contextmanager
    def recording(self, *, kill_at: int | None = None) -> Iterator[None]:
        """Record inside the context. With ``kill_at``, the n-th change or sync and all later ones raise Killed."""
        self._kill_at, self._number = kill_at, 0
        wrapped: dict[str, Any] = {name: self._wrapped(name) for name in NAMES + REFUSED}
        with mock.patch.multiple(os, **wrapped):
            try:
                yield
            except Killed:
                if kill_at is None:
                    raise
        # The system releases the locks of a process that is killed. Here, whoever holds a lock releases it.
        if kill_at is not None:
            gc.collect()

    def _wrapped(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)
        note: Callable[..., Any] = getattr(self, f"_{name}", self._refuse)

        def call(*arguments: Any, **keywords: Any) -> Any:
            with self._lock:
                return note(real, *arguments, **keywords)

        return call

    def _refuse(self, real: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        raise NotImplementedError(f"{real.__name__}{arguments}: expected a change that the model of a crash knows")

    def _changing(self, real: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """Call what changes or syncs names, unless this process is dead."""
        self._number += 1
        if self._kill_at is not None and self._number >= self._kill_at:
            raise Killed
        return real(*arguments, **keywords)

    # --- What os does -------------------------------------------------------------------------------------------------

    def _open(self, real: Callable[..., int], path: Any, flags: int, *rest: Any, **keywords: Any) -> int:
        place = self._place(path, keywords.get("dir_fd"))
        if place is None or not flags & os.O_CREAT or self._node(place) is not None:
            return real(path, flags, *rest, **keywords)
        descriptor = int(self._changing(real, path, flags, *rest, **keywords))
        if self._node(place) is None:
            self._set(place, File(mode=stat.S_IMODE(os.fstat(descriptor).st_mode)))
        return descriptor

    def _mkdir(self, real: Callable[..., None], path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        place = self._place(path, dir_fd)
        self._changing(real, path, mode, dir_fd=dir_fd)
        if place is not None:
            self._set(place, Folder(stat.S_IMODE((self.world / place).stat().st_mode)))

    def _link(self, real: Callable[..., None], old: Any, new: Any, **keywords: Any) -> None:
        node = self._file(self._place(old, keywords.get("src_dir_fd")))
        place = self._place(new, keywords.get("dst_dir_fd"))
        self._changing(real, old, new, **keywords)
        if place is not None:
            self._set(place, node)

    def _rename(self, real: Callable[..., None], old: Any, new: Any, **keywords: Any) -> None:
        before, after = self._place(old, keywords.get("src_dir_fd")), self._place(new, keywords.get("dst_dir_fd"))
        if (before is None) != (after is None):
            raise NotImplementedError(f"{old} to {new}: expected both names in the world that is recorded, or none")
        node = self._file(before)
        self._changing(real, old, new, **keywords)
        if before is not None and after is not None:
            self._set(after, node)
            self._set(before, None)

    _replace = _rename

    def _unlink(self, real: Callable[..., None], path: Any, *, dir_fd: int | None = None) -> None:
        place = self._place(path, dir_fd)
        if place is not None and (self.world / place).is_file():
            self._file(place)
        self._changing(real, path, dir_fd=dir_fd)
        if place is not None:
            self._set(place, None)

    _remove = _rmdir = _unlink

    def _fsync(self, real: Callable[..., None], descriptor: int) -> None:
        place = self._place(f"/proc/self/fd/{descriptor}", None, follow=True)
        self._changing(real, descriptor)
        if place is not None:
            found = self._node(place)
            node = found if isinstance(found, Folder) else self._file(place)
            if isinstance(node, File):
                node.synced = True
            site = f"{_caller()} {kind_of(place)}"
            self.trace.events.append(Synced(node, site, place, self._number))

    _fdatasync = _fsync

    # --- The world ----------------------------------------------------------------------------------------------------

    def _place(self, path: Any, folder: int | None, *, follow: bool = False) -> str | None:
        """Return a path relative to the world, ``.`` for the world itself, or None for a path outside."""
        base = Path(f"/proc/self/fd/{folder}").readlink() if folder is not None else Path()
        full = (base / os.fsdecode(path)).absolute()
        full = full.readlink() if follow else full
        return str(full.relative_to(self.world)) if full.is_relative_to(self.world) else None

    def _node(self, place: str) -> Node | None:
        node: Node | None = self.trace.world
        for name in Path(place).parts:
            node = node.names.get(name) if isinstance(node, Folder) else None
        return node

    def _file(self, place: str | None) -> File:
        """Return the file with this name as the disk has it now; a file that native code has made is new."""
        if place is None:
            return File()
        path = self.world / place
        data, node = path.read_bytes(), self._node(place)
        if node is None:
            node = File(data, stat.S_IMODE(path.stat().st_mode))
            self._set(place, node)
        if not isinstance(node, File):
            raise NotImplementedError(f"{place}: expected a file, found a folder, whose renaming the model lacks")
        if node.synced and node.data != data:
            raise AssertionError(f"{place}: expected that its data stays as it was synced, found other data")
        node.data = data
        return node

    def _set(self, place: str, node: Node | None) -> None:
        folder, name = self._node(str(Path(place).parent)), Path(place).name
        assert isinstance(folder, Folder), place
        if node is None:
            folder.names.pop(name, None)
        else:
            folder.names[name] = node
        self.trace.events.append(Named(folder, name, node, place))


def _scanned(folder: Path, before: dict[Folder, dict[str, Node]]) -> Folder:
    """Return a folder with all that it has, which counts as synced, and add the names of each folder to ``before``."""
    found = Folder(stat.S_IMODE(folder.stat().st_mode))
    for path in sorted(folder.iterdir()):
        mode = stat.S_IMODE(path.stat().st_mode)
        found.names[path.name] = _scanned(path, before) if path.is_dir() else File(path.read_bytes(), mode, synced=True)
    before[found] = dict(found.names)
    return found


def _caller() -> str:
    """Return the function that syncs: the innermost one of wsparquet, apart from functions that do nothing else."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        name = frame.f_code.co_qualname
        if frame.f_code.co_filename.startswith(PACKAGE) and name not in HELPERS:
            return name
        frame = frame.f_back
    return "outside of wsparquet"


def kind_of(place: str) -> str:
    """Return the kind of a path in a root, such as ``commits/*/*`` or ``record_type=*/*``."""
    for mark in ("_wsparquet/", "record_type="):
        if mark in place:
            first, *rest = place.partition(mark)[2].split("/")
            if mark == "_wsparquet/" and first == "tmp":
                return f"tmp {rest[-1].lstrip('0123456789.')}" if rest else "tmp"
            return "/".join([first if mark == "_wsparquet/" else "table", *("*" for _ in rest)])
    return "_wsparquet" if place.endswith("_wsparquet") else "root" if place.endswith("lake") else "above the root"

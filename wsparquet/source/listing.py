"""Lists the local files in a folder, or those that match a glob. Omits hidden files and the files of roots."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

__all__ = ["Unreadable", "files_below", "glob", "has_magic", "is_folder"]


@dataclass(frozen=True)
class Unreadable:
    """A folder or file that could not be read, with the error."""

    path: Path
    error: OSError


def has_magic(text: str) -> bool:
    """Return whether ``text`` contains a glob character."""
    return re.search(r"[*?\[]", text) is not None


def is_folder(path: Path) -> bool:
    """Return whether ``path`` is a folder.

    If the kind of the path cannot be determined, return False: opening the path will report the error.
    """
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises if a parent folder is not searchable


def files_below(folder: Path, excluded: Callable[[str], bool]) -> Iterator[Path | Unreadable]:
    """Yield all files in ``folder`` and its subfolders.

    ``excluded`` gets a folder's real path and returns whether to skip it.
    """
    for below in _folders(folder, excluded, set()):
        if isinstance(below, Unreadable):
            yield below
        else:
            yield from _entries(below, files=True)


def glob(pattern: Path, excluded: Callable[[str], bool]) -> Iterator[Path | Unreadable]:
    """Yield the files and folders that match an absolute pattern. ``**`` matches zero or more folders.

    ``excluded`` gets a folder's real path and returns whether to skip it.
    """
    yield from _match(Path(pattern.anchor), pattern.parts[1:], excluded)


def _match(base: Path, parts: Sequence[str], excluded: Callable[[str], bool]) -> Iterator[Path | Unreadable]:
    if not parts:
        yield base
        return
    head, rest = parts[0], parts[1:]
    if head == "**":
        yield from _match_below(base, rest, excluded)
    # If a file has exactly this name, treat the glob characters as ordinary characters.
    elif not has_magic(head) or os.path.lexists(base / head):
        if os.path.lexists(base / head):
            yield from _match(base / head, rest, excluded)
    elif is_folder(base) and not excluded(os.path.realpath(base)):
        for entry in _entries(base):
            if isinstance(entry, Unreadable):
                yield entry
            elif _matches(entry, head) and not (is_folder(entry) and excluded(os.path.realpath(entry))):
                yield from _match(entry, rest, excluded)


def _matches(entry: Path, pattern: str) -> bool:
    return fnmatchcase(entry.name, pattern) and (pattern.startswith(".") or not entry.name.startswith("."))


def _match_below(base: Path, parts: Sequence[str], excluded: Callable[[str], bool]) -> Iterator[Path | Unreadable]:
    if not parts:
        yield base
        return
    for below in _folders(base, excluded, set()):
        if isinstance(below, Unreadable):
            yield below
        else:
            yield from _match(below, parts, excluded)


def _folders(folder: Path, excluded: Callable[[str], bool], seen: set[str]) -> Iterator[Path | Unreadable]:
    """Yield ``folder`` and all its subfolders.

    Follow links, but visit each folder only once, because links may form a cycle.
    """
    real = os.path.realpath(folder)
    if real in seen or excluded(real):
        return
    seen.add(real)
    yield folder
    for entry in _entries(folder, files=False):
        if isinstance(entry, Path):
            yield from _folders(entry, excluded, seen)


def _entries(folder: Path, *, files: bool | None = None) -> Iterator[Path | Unreadable]:
    """Yield the visible files (``files=True``) or subfolders (``files=False``) of a folder, sorted by name."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        yield Unreadable(folder, error)
        return
    for entry in entries:
        if files is None or (not entry.name.startswith(".") and is_folder(entry) != files):
            yield entry

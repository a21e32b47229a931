"""Lists the files in a folder of an fsspec file system, or those that match a glob.

Also records the folders that cannot be listed.

fsspec's own ``glob``, ``find``, and ``walk`` silently skip folders that cannot be listed. Below the first level,
``walk`` skips them even with ``on_error="raise"``. This module therefore lists folders one by one and records each
failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wsparquet.errors import SourceError
from wsparquet.private import fsspec
from wsparquet.source.failures import Place
from wsparquet.source.index_page import list_page
from wsparquet.source.listing import has_magic
from wsparquet.source.origins import speaks

__all__ = ["Info", "Walk"]

Info = dict[str, Any]
"""The metadata of a file, as its file system reports it."""
ONE_LISTING = "s3"
"""The protocol of the file systems whose ``find`` lists all levels at once, and so cannot skip a subfolder."""


class Walk:
    """The result of a search.

    ``files``, ``failed``: the files, and the folders that cannot be listed, keyed by their paths on the file system.
    ``place``: a function that converts a path to the label for messages.
    """

    def __init__(self, filesystem: Any, place: Callable[[str], Place]) -> None:
        self.files: dict[str, Info] = {}
        self.failed: dict[str, SourceError] = {}
        self._filesystem = filesystem
        self._place = place
        self._seen: set[str] = set()

    def below(self, folder: str) -> None:
        """Find all files in a folder and its subfolders."""
        if speaks(self._filesystem, ONE_LISTING):
            self.files.update((info["name"], info) for info in self._listed(folder, self._find))
            return
        for info in self._listed(folder, self._ls):
            if info["type"] == "directory":
                self.below(info["name"])
            else:
                self.files[info["name"]] = info

    def matching(self, pattern: str) -> None:
        """Find the files that match a pattern, and all files in the folders that match it.

        Folders that cannot contain a match are not listed, so they need not be readable.
        """
        parts = pattern.rstrip("/").split("/")
        first = next(index for index, part in enumerate(parts) if has_magic(part))
        base = fsspec.own_path(self._filesystem, "/".join(parts[:first]) + "/")
        if "**" in parts:
            self._anywhere(base, parts, first)
        else:
            self._level(base, parts, first)

    def _anywhere(self, base: str, parts: list[str], first: int) -> None:
        matches = _matcher(parts)
        self.below(base)
        for path in list(self.files):
            names = path.rstrip("/").split("/")
            if not any(matches("/".join(names[:end])) for end in range(first + 1, len(names) + 1)):
                del self.files[path]

    def _level(self, folder: str, parts: list[str], depth: int) -> None:
        matches, last = _matcher(parts[: depth + 1]), depth + 1 == len(parts)
        for info in self._listed(folder, self._ls):
            if not matches(info["name"].rstrip("/")):
                continue
            if info["type"] != "directory":
                self.files.update({info["name"]: info} if last else {})
            elif last:
                self.below(info["name"])
            else:
                self._level(info["name"], parts, depth + 1)

    def _listed(self, folder: str, how: Callable[[str], list[Info]]) -> list[Info]:
        """Return the entries of a folder, or no entries if the folder was listed before: links may form a cycle."""
        if folder in self._seen:
            return []
        self._seen.add(folder)
        try:
            with self._place(folder).translated("a folder that can be listed"):
                return how(folder)
        except SourceError as error:
            self.failed[folder] = error
            return []

    def _ls(self, folder: str) -> list[Info]:
        if speaks(self._filesystem, "http"):
            return list_page(self._filesystem, folder)
        found: list[Info] = self._filesystem.ls(folder, detail=True)
        return [info for info in found if info["type"] != "directory" or info["name"].rstrip("/") != folder.rstrip("/")]

    def _find(self, folder: str) -> list[Info]:
        return list(self._filesystem.find(folder, detail=True).values())


def _matcher(parts: list[str]) -> Callable[[str], object]:
    return re.compile(fsspec.glob_pattern("/".join(parts))).match

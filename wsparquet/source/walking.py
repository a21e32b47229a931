"""Which files of an fsspec file system a folder or a glob means, and which folders there cannot be listed.

fsspec's own ``glob``, ``find`` and ``walk`` pass over folders whose listing fails, and ``walk`` does so below its first
level whatever it is told. So folders are listed one by one here, and a failure is kept beside the files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fsspec.utils import glob_translate  # type: ignore[import-untyped]

from wsparquet.errors import SourceError
from wsparquet.source.failures import Place
from wsparquet.source.listing import has_magic
from wsparquet.source.origins import speaks

__all__ = ["Info", "Walk"]

Info = dict[str, Any]
"""What a file system knows of a file."""
ONE_LISTING = "s3"
"""The kind of file system whose ``find`` is one listing of all that lies below, which fails as a whole."""


class Walk:
    """What was found: ``files`` and ``failed`` folders, by the file system's own path.

    ``place`` says how messages name a path.
    """

    def __init__(self, filesystem: Any, place: Callable[[str], Place]) -> None:
        self.files: dict[str, Info] = {}
        self.failed: dict[str, SourceError] = {}
        self._filesystem = filesystem
        self._place = place
        self._seen: set[str] = set()

    def below(self, folder: str) -> None:
        """Find all files in a folder and its folders."""
        if speaks(self._filesystem, ONE_LISTING):
            self.files.update((info["name"], info) for info in self._listed(folder, self._find))
            return
        for info in self._listed(folder, self._ls):
            if info["type"] == "directory":
                self.below(info["name"])
            else:
                self.files[info["name"]] = info

    def matching(self, pattern: str) -> None:
        """Find the files that a pattern matches, and all files in the folders that it matches.

        Folders that cannot hold any are not listed: they need not be readable.
        """
        parts = pattern.rstrip("/").split("/")
        first = next(index for index, part in enumerate(parts) if has_magic(part))
        base = self._filesystem._strip_protocol("/".join(parts[:first]) + "/")  # noqa: SLF001 - fsspec's for all paths
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
        """What is in a folder that was not looked at yet: pages of links may lead in circles."""
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
        found: list[Info] = self._filesystem.ls(folder, detail=True)
        return [info for info in found if info["type"] != "directory" or info["name"].rstrip("/") != folder.rstrip("/")]

    def _find(self, folder: str) -> list[Info]:
        return list(self._filesystem.find(folder, detail=True).values())


def _matcher(parts: list[str]) -> Callable[[str], object]:
    return re.compile(glob_translate("/".join(parts))).match

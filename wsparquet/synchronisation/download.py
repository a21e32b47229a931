"""How one listed file comes from the server onto a shelf."""

from __future__ import annotations

import asyncio
import filecmp
from dataclasses import dataclass
from pathlib import Path

from wsparquet.api import Client, Downloaded, FileGone, ListedFile
from wsparquet.errors import ApiError
from wsparquet.progress import Listener, Progress
from wsparquet.synchronisation.raw_files import Shelf

__all__ = ["Fetched", "Fetcher"]


@dataclass(frozen=True)
class Fetched:
    """A listed file on a shelf; ``size`` is in stored bytes. ``download`` is None if it was there from before."""

    file: ListedFile
    path: Path
    size: int
    download: Downloaded | None = None


class Fetcher:
    """Downloads listed files onto a shelf."""

    def __init__(self, client: Client, shelf: Shelf, tell: Listener) -> None:
        self._client = client
        self._shelf = shelf
        self._tell = tell

    async def fetch(self, file: ListedFile, *, again: bool = False) -> Fetched:
        """The file on the shelf; ``again`` if what is there from before will not do.

        Raises:
            FileGone: the server has it no more.
            ApiError: it cannot be downloaded, or two files of its name differ.
            DatasetError: it cannot be kept.

        """
        path = self._shelf.path(file.name)
        if not again and self._shelf.kept(file.name):
            return Fetched(file, path, path.stat().st_size)
        download = await self._download(file, path)
        if self._shelf.keeps:
            await asyncio.to_thread(self._shelf.keep, file.name)
        self._tell(Progress("downloaded", file.name, download.url, size=download.size, stored_bytes=download.size))
        return Fetched(file, path, download.size, download)

    async def _download(self, file: ListedFile, path: Path) -> Downloaded:
        """The file, from the first address that has it; the name is not decided if addresses have different ones."""
        found: Downloaded | None = None
        gone: FileGone | None = None
        for number, url in enumerate(file.urls):
            target = path.with_name(f".{path.name}.{number}.partial") if found else path
            try:
                another = await self._client.download(file, target, url=url)
            except FileGone as error:
                gone = error
                continue
            if found is None:
                found = another
            else:
                await asyncio.to_thread(_compare, file, found, another)
        if found is None:
            raise gone or FileGone(f"{file.name}: expected an address to download it from, found none")
        return found


def _compare(file: ListedFile, one: Downloaded, other: Downloaded) -> None:
    """Delete the second download; both, with an error, if they differ: nobody knows which of them is right."""
    same = filecmp.cmp(one.path, other.path, shallow=False)
    other.path.unlink()
    if not same:
        one.path.unlink()
        raise ApiError(
            f"{file.name}: expected one file of this name, found different ones at {one.url} and {other.url}; "
            "download both, see which is right, and convert that one with `wsparquet convert`"
        )

"""Downloads one listed file to the shelf, which stores raw files."""

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
    """A downloaded file. ``size``: in stored bytes. ``download``: None if the file existed before the run."""

    file: ListedFile
    path: Path
    size: int
    download: Downloaded | None = None


class Fetcher:
    """Downloads listed files to a shelf."""

    def __init__(self, client: Client, shelf: Shelf, tell: Listener) -> None:
        self._client = client
        self._shelf = shelf
        self._tell = tell

    async def fetch(self, file: ListedFile, *, again: bool = False) -> Fetched:
        """Return the file, downloading it if it is missing. With ``again``, download it even if it exists.

        Raises:
            FileGone: the server no longer has the file. ApiError: the file cannot be downloaded, or its URLs return
            different contents. DatasetError: the file cannot be stored.

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
        """Download the file from the first of its URLs that works. Fail if two URLs return different contents."""
        found: Downloaded | None = None
        gone: FileGone | None = None
        for number, url in enumerate(file.urls):
            target = path.with_name(f".{path.name}.{number}.partial") if found else path
            try:
                another = await self._client.download(file, target, url=url, durable=self._shelf.keeps)
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
    """Delete the second download if both are equal.

    If they differ, delete both and raise, because either may be wrong.
    """
    same = filecmp.cmp(one.path, other.path, shallow=False)
    other.path.unlink()
    if not same:
        one.path.unlink()
        raise ApiError(
            f"{file.name}: expected one file of this name, found different ones at {one.url} and {other.url}; "
            "download both, see which is right, and convert that one with `wsparquet convert`"
        )

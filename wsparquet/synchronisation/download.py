"""Downloads one listed file to a shelf, which is the place where a run puts raw files."""

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
    """A raw file. ``size``: in stored bytes. ``download``: the download, or None if the file existed before the run."""

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
        """Return the raw file; download it if the shelf does not have it, or if ``again`` is set.

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
    """Compare two downloads of a file, and delete the second one if they are equal.

    If the downloads differ, delete both and raise, because either may be wrong.
    """
    same = filecmp.cmp(one.path, other.path, shallow=False)
    other.path.unlink()
    if not same:
        one.path.unlink()
        raise ApiError(
            f"{file.name}: expected one content at all its URLs, found different ones at {one.url} and {other.url}; "
            "download both files, and convert the correct file with `wsparquet convert`"
        )

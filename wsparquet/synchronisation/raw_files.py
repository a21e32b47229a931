"""Where downloaded files are put: into a temporary folder, or where raw files are kept, a folder or any URL."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from wsparquet.errors import DatasetError
from wsparquet.names import encode
from wsparquet.source.failures import client_errors
from wsparquet.store.disk import sync_file, sync_folder
from wsparquet.urls import is_url, mask

__all__ = ["Folder", "Remote", "Scratch", "Shelf", "make_shelf"]

PARTIAL = ".*.partial"
S3 = ("s3", "s3a")
BUCKETS = (*S3, "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "obs")
"""Where a folder is only the beginning of a name, and making one would make a bucket if it is missing."""
CHECK_SECONDS = 60.0
ERRORS: tuple[type[Exception], ...] = (OSError, ValueError, ImportError)
DEAD_SECONDS = 3600.0
"""A download that goes on writes to its file far more often than this."""


class Shelf(Protocol):
    """A place for downloaded files; ``keeps`` if ``keep`` has anything to do, for which it may wait for a disk."""

    @property
    def keeps(self) -> bool:
        """Whether files are kept."""
        ...

    def path(self, name: str) -> Path:
        """Where the file of this name is to be put by its download."""
        ...

    def kept(self, name: str) -> bool:
        """Whether the whole file is there from before."""
        ...

    def keep(self, name: str) -> None:
        """Keep a file that was downloaded, for good if that is what the place is for."""
        ...

    def release(self, name: str) -> None:
        """Delete the file if it is not to be kept."""
        ...


class Scratch:
    """A temporary folder; nothing is kept."""

    keeps = False

    def __init__(self, folder: Path) -> None:
        # Beside the folder's own files, with which no name may collide.
        self._folder = folder / "downloads"
        self._folder.mkdir(exist_ok=True)

    def path(self, name: str) -> Path:
        """Below the folder, under a name that is safe."""
        return self._folder / encode(name)

    def kept(self, name: str) -> bool:  # noqa: ARG002 - as others have it
        """Nothing is."""
        return False

    def keep(self, name: str) -> None:
        """Nothing is."""

    def release(self, name: str) -> None:
        """Delete the file."""
        with suppress(FileNotFoundError):
            self.path(name).unlink()


class Folder:
    """``<folder>/account/<account>/<name>``: where conversions find the account, and accounts do not collide.

    A file has its name only when it is whole.
    """

    keeps = True

    def __init__(self, folder: Path, account: str) -> None:
        self._folder = folder / "account" / encode(account)
        with _translated(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._sweep()

    def _sweep(self) -> None:
        """Delete what downloads left that were killed."""
        for path in self._folder.glob(PARTIAL):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > DEAD_SECONDS:
                    path.unlink()

    def path(self, name: str) -> Path:
        """Below the folder, under a name that is safe."""
        return self._folder / encode(name)

    def kept(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return self.path(name).is_file()

    def keep(self, name: str) -> None:
        """Bring the file and its name onto the disk itself: it is to survive whatever the commit survives."""
        with _translated(self.path(name)):
            sync_file(self.path(name))
            sync_folder(self._folder)

    def release(self, name: str) -> None:
        """Leave it there."""


class Remote(Scratch):
    """``<url>/account/<account>/<name>``, by way of a temporary folder. A bucket that is missing is never made."""

    keeps = True

    def __init__(self, url: str, account: str, scratch: Path, options: Mapping[str, Any]) -> None:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        super().__init__(scratch)
        self._place = mask(url)
        # Of a chain the last link is where it leads to.
        self._scheme = url.rpartition("::")[2].partition("://")[0].lower()
        if self._scheme in S3:
            _check_bucket(url.rpartition("::")[2], options)
        with _translated(self._place):
            self._filesystem, base = url_to_fs(url, **options)
        self._base = f"{base.rstrip('/')}/account/{encode(account)}"

    def keep(self, name: str) -> None:
        """Copy the file there."""
        with _translated(self._place):
            if self._scheme not in BUCKETS:
                self._filesystem.makedirs(self._base, exist_ok=True)
            self._filesystem.put_file(str(self.path(name)), f"{self._base}/{encode(name)}")


def _check_bucket(url: str, options: Mapping[str, Any]) -> None:
    """See that the bucket is there and may be looked into: one error for all files, before any of them is downloaded.

    Raises:
        DatasetError: it is not, or does not answer; in the store's own words.

    """
    from wsparquet.store.s3.store import ObjectStore

    own = options.get("s3", options)
    ObjectStore.open(url, own, patience_seconds=CHECK_SECONDS).read("account/")


def make_shelf(raw: str | None, *, account: str, scratch: Path, storage_options: Mapping[str, Any]) -> Shelf:
    """The place that ``raw`` names, a folder or a URL; a temporary one below ``scratch`` if it names none.

    Raises:
        DatasetError: the folder cannot be made, or the bucket is not there.

    """
    if raw is None:
        return Scratch(scratch)
    if is_url(raw):
        return Remote(raw, account, scratch, storage_options)
    return Folder(Path(raw).absolute(), account)


@contextmanager
def _translated(place: str | os.PathLike[str]) -> Iterator[None]:
    """Turns what file systems raise into a DatasetError that names the place."""
    try:
        yield
    except (*ERRORS, *client_errors()) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(
            f"{os.fspath(place)}: expected to keep raw files there, but: {reason}; "
            "name a place that can be written to and has room"
        ) from error

"""Shelves, where runs put raw files: a temporary folder, or a permanent folder or URL."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from wsparquet.errors import DatasetError
from wsparquet.names import encode
from wsparquet.redaction import without_credentials
from wsparquet.source.failures import client_errors
from wsparquet.store.disk import make_folder, sync_folder
from wsparquet.urls import is_url

__all__ = ["Folder", "Remote", "Scratch", "Shelf", "make_shelf"]

PARTIAL = ".*.partial"
S3 = ("s3", "s3a")
BUCKETS = (*S3, "gs", "gcs", "az", "abfs", "abfss", "adl", "oss", "obs")
"""File systems whose folders are only name prefixes.

On these file systems, creating a folder would create the bucket if the bucket is missing.
"""
CHECK_SECONDS = 60.0
ERRORS: tuple[type[Exception], ...] = (OSError, ValueError, ImportError)
DEAD_SECONDS = 3600.0
"""If a partial file is unmodified for this long, its run was killed: an active download writes far more often."""


class Shelf(Protocol):
    """Where a run puts raw files. If ``keeps`` is true, ``keep`` may wait for a disk or network."""

    @property
    def keeps(self) -> bool:
        """Whether this shelf keeps files permanently."""
        ...

    def path(self, name: str) -> Path:
        """Return the local path for downloading the file with this name."""
        ...

    def kept(self, name: str) -> bool:
        """Return whether the shelf already contains the complete file."""
        ...

    def keep(self, name: str) -> None:
        """Store a downloaded file permanently if this shelf keeps files."""
        ...

    def release(self, name: str) -> None:
        """Delete the file unless this shelf keeps files."""
        ...

    def discard_if_empty(self) -> None:
        """Delete the folders that this shelf has created, unless they have files."""
        ...


class Scratch:
    """A temporary folder that keeps nothing."""

    keeps = False

    def __init__(self, folder: Path) -> None:
        # Use a subfolder, so that no download can overwrite another file in the folder.
        self._folder = folder / "downloads"
        self._folder.mkdir(exist_ok=True)

    def path(self, name: str) -> Path:
        """Return a path below the folder, with a safe file name."""
        return self._folder / encode(name)

    def kept(self, name: str) -> bool:  # noqa: ARG002 - Shelf defines the parameter
        """Return False, because this shelf keeps nothing."""
        return False

    def keep(self, name: str) -> None:
        """Do nothing, because this shelf keeps nothing."""

    def release(self, name: str) -> None:
        """Delete the file."""
        with suppress(FileNotFoundError):
            self.path(name).unlink()

    def discard_if_empty(self) -> None:
        """Do nothing, because the folder is temporary."""


class Folder:
    """Keeps files as ``<folder>/account/<account>/<name>``. A later conversion reads the account from this path.

    A file gets its final name only when it is complete.
    """

    keeps = True

    def __init__(self, folder: Path, account: str) -> None:
        self._folder = folder / "account" / encode(account)
        self._created = [each for each in (self._folder, *self._folder.parents) if not each.exists()]
        with _translated(self._folder):
            make_folder(self._folder)
            # A killed run may not have synced the names of the files that this run finds.
            sync_folder(self._folder)
            self._sweep()

    def _sweep(self) -> None:
        """Delete the partial files of killed runs."""
        for path in self._folder.glob(PARTIAL):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > DEAD_SECONDS:
                    path.unlink()

    def path(self, name: str) -> Path:
        """Return a path below the folder, with a safe file name."""
        return self._folder / encode(name)

    def kept(self, name: str) -> bool:
        """Return whether a file with that name exists."""
        return self.path(name).is_file()

    def keep(self, name: str) -> None:
        """Sync the file's name to the disk, so that the raw file is as durable as its commit.

        The data were synced before the file got that name.
        """
        with _translated(self.path(name)):
            sync_folder(self._folder)

    def release(self, name: str) -> None:
        """Do nothing, because this shelf keeps the file."""

    def discard_if_empty(self) -> None:
        """Delete the folders that this shelf has created, unless they have files."""
        with suppress(OSError):
            for each in self._created:
                each.rmdir()


class Remote(Scratch):
    """Keeps files as ``<url>/account/<account>/<name>``; downloads go through a temporary folder.

    Never creates a bucket.
    """

    keeps = True

    def __init__(self, url: str, account: str, scratch: Path, options: Mapping[str, Any]) -> None:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        super().__init__(scratch)
        self._place = without_credentials(url)
        # The last component of a chained URL is the file system that stores the file.
        self._scheme = url.rpartition("::")[2].partition("://")[0].lower()
        if self._scheme in S3:
            _check_bucket(url.rpartition("::")[2], options)
        with _translated(self._place):
            self._filesystem, base = url_to_fs(url, **options)
        self._base = f"{base.rstrip('/')}/account/{encode(account)}"

    def keep(self, name: str) -> None:
        """Copy the file to the URL."""
        with _translated(self._place):
            if self._scheme not in BUCKETS:
                self._filesystem.makedirs(self._base, exist_ok=True)
            self._filesystem.put_file(str(self.path(name)), f"{self._base}/{encode(name)}")


def _check_bucket(url: str, options: Mapping[str, Any]) -> None:
    """Check that the bucket exists and can be listed, so that a run fails before it downloads anything.

    Raises:
        DatasetError: the bucket does not exist or does not respond; the message quotes the store's error.

    """
    from wsparquet.store.s3.store import ObjectStore

    own = options.get("s3", options)
    ObjectStore.open(url, own, patience_seconds=CHECK_SECONDS).read("account/")


def make_shelf(raw: str | None, *, account: str, scratch: Path, storage_options: Mapping[str, Any]) -> Shelf:
    """Return the shelf for ``raw``, a folder or URL, or a temporary folder below ``scratch`` if ``raw`` is None.

    Raises:
        DatasetError: the folder cannot be created, or the bucket does not exist.

    """
    if raw is None:
        return Scratch(scratch)
    if is_url(raw):
        return Remote(raw, account, scratch, storage_options)
    return Folder(Path(raw).absolute(), account)


@contextmanager
def _translated(place: str | os.PathLike[str]) -> Iterator[None]:
    """Turns file system errors into a DatasetError that names the folder or URL."""
    try:
        yield
    except (*ERRORS, *client_errors()) as error:
        reason = getattr(error, "strerror", None) or error
        raise DatasetError(
            f"{os.fspath(place)}: cannot keep raw files there: {reason}; "
            "choose a folder or URL that is writable and has free space"
        ) from error

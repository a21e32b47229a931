"""The store on S3, with conditional writes of complete objects and deletion by exact keys.

S3 can neither rename nor append, and if an exception closes an fsspec file, an incomplete object becomes visible.
Therefore files are written to a local disk first, and uploaded when they are complete.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import stat
import tempfile
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fsspec.core import url_to_fs  # type: ignore[import-untyped]

from wsparquet.errors import DatasetError
from wsparquet.layout import ROOT_FILE
from wsparquet.redaction import without_credentials
from wsparquet.store.disk_errors import translated
from wsparquet.store.s3.arrow import part_filesystem
from wsparquet.store.s3.bucket import NO_TAG, Bucket
from wsparquet.store.s3.errors import translated as translated_from_s3
from wsparquet.store.s3.options import StorageOptions
from wsparquet.store.store import Entry, Expectation, Unfinished, Version
from wsparquet.store.workspace import Workspaces

if TYPE_CHECKING:
    from pyarrow import fs

__all__ = ["ObjectStore"]

Result = TypeVar("Result")
READ_AT_ONCE = 1000


class ObjectStore:
    """The objects of a bucket whose keys start with ``base``, which is empty or ends with a slash."""

    def __init__(
        self, filesystem: Any, bucket: str, base: str, *, options: StorageOptions, patience_seconds: float
    ) -> None:
        self._filesystem = filesystem
        self._options = options
        self._name = bucket
        self._base = base
        self.bucket = Bucket(filesystem, bucket, patience_seconds=patience_seconds)
        self.workspaces = _spool()
        self._running: set[Future[Any]] = set()
        self._interrupted = False

    @classmethod
    def open(cls, url: str, options: Mapping[str, Any], *, patience_seconds: float) -> ObjectStore:
        """Open the store at ``s3://bucket/path``; ``options`` are passed to s3fs.

        Raises DatasetError for other URLs.
        """
        bucket, _, path = without_credentials(url).partition("://")[2].partition("/")
        if not bucket or without_credentials(url) != url:
            raise DatasetError(
                f"{without_credentials(url)}: expected s3://BUCKET/PATH and nothing else; give credentials as options"
            )
        given = StorageOptions.checked(options)
        with translated_from_s3("reach", without_credentials(url), given, reached=False):
            # Do not cache listings: other processes write to the bucket, too.
            filesystem, _ = url_to_fs(f"s3://{bucket}", **{"use_listings_cache": False, **given.values})
        base = "/".join(part for part in path.split("/") if part)
        base = f"{base}/" if base else ""
        return cls(filesystem, bucket, base, options=given, patience_seconds=patience_seconds)

    # --- Paths and requests -------------------------------------------------------------------------------------------

    def place(self, path: str = "") -> str:
        """Return the URL of the root, or of an object in it, for messages."""
        return f"s3://{self._name}/{self._base}{path}".rstrip("/")

    def arrow(self, sizes: Mapping[str, int]) -> tuple[fs.FileSystem, str]:
        """Return an Arrow file system for the same bucket, and the root's path in that file system."""
        base = f"{self._name}/{self._base}".rstrip("/")
        return part_filesystem(self._filesystem, {f"{base}/{path}": size for path, size in sizes.items()}), base

    def _key(self, path: str) -> str:
        return f"{self._base}{path}"

    def _run(self, action: str, path: str, call: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine in s3fs's event loop and return its result; cancel it if this thread is interrupted."""
        place = self.place(path)
        with translated_from_s3(action, place, self._options, reached=self.bucket.answered):
            future = asyncio.run_coroutine_threadsafe(call, self._filesystem.loop)
            self._running.add(future)
            try:
                if self._interrupted:
                    future.cancel()
                return future.result()
            except CancelledError:
                raise DatasetError(f"cannot {action} {place}: interrupted; run again") from None
            except BaseException:
                future.cancel()
                raise
            finally:
                self._running.discard(future)

    def interrupt(self) -> None:
        """Make all requests in progress and all later ones fail, because their retries could take minutes."""
        self._interrupted = True
        for future in list(self._running):
            future.cancel()

    # --- Reading ------------------------------------------------------------------------------------------------------

    def read(self, path: str) -> bytes | None:
        """Return the bytes of an object, or None if the object does not exist."""
        found = self.read_version(path)
        return None if found is None else found[0]

    def read_version(self, path: str) -> tuple[bytes, Version] | None:
        """Return an object's bytes and, as its version, its entity tag. Return None if the object does not exist.

        If the store sends no entity tags, the version is a checksum of the bytes.
        """
        found = self._run("read", path, self.bucket.get(self._key(path)))
        if found is None:
            return None
        data, etag = found
        return data, Version(etag or f"{NO_TAG}{hashlib.sha256(data).hexdigest()}")

    def entries(self, folder: str, *, denied: list[str] | None = None) -> Iterator[Entry]:  # noqa: ARG002 - see Store
        """Yield all objects below ``folder``, sorted by path, except the objects with which some tools mark folders."""
        prefix = f"{folder}/" if folder else ""
        for each in self._run("list", prefix, self.bucket.find(self._key(prefix))):
            if not each.key.endswith("/"):
                path = each.key.removeprefix(self._base)
                yield Entry(path, each.size or 0, each.modified or 0.0, each.etag)

    def versions(self, folder: str) -> Iterator[list[tuple[str, str | None]]]:
        """Yield the path and the entity tag of all objects below ``folder`` in lists, in the order of the store."""
        prefix = self._key(f"{folder}/" if folder else "")
        token: str | None = None
        seen: set[str] = set()
        while True:
            page = self._run("list", folder, self.bucket.page(prefix, token, seen))
            yield [(each.key.removeprefix(self._base), each.etag) for each in page.objects if each.key[-1] != "/"]
            if page.next is None:
                return
            token = page.next

    def read_below(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the bytes of every object below ``folder``, sorted by path; skip deleted objects."""
        return self.read_all(entry.path for entry in self.entries(folder))

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the path and the bytes of each object, in the order of ``paths``; missing objects are skipped."""
        left = iter(paths)
        while some := list(itertools.islice(left, READ_AT_ONCE)):
            found = self._run("read", some[0], self.bucket.get_many([self._key(path) for path in some]))
            for path, answer in zip(some, found, strict=True):
                if answer is not None:
                    yield path, answer[0]

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Return the paths at which no object exists."""
        left = set(paths)
        # A few listings are cheaper than one request for each path.
        for folder in sorted({path.partition("/")[0] if "/" in path else "" for path in left}):
            left.difference_update(entry.path for entry in self.entries(folder))
        return left

    def local_copy(self, path: str, copy: Path) -> Path | None:
        """Write the bytes of an object to ``copy``, and return it, or None if the object does not exist."""
        found = self._run("read", path, self.bucket.download(self._key(path), copy))
        return copy if found else None

    # --- Writing ------------------------------------------------------------------------------------------------------

    def make_root(self) -> None:
        """Check that the bucket exists; wsparquet does not create buckets."""
        self.read(ROOT_FILE)

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        """Do nothing: a bucket has no folders."""

    def remove_work_folders(self) -> None:
        """Do nothing: a bucket has no folders."""

    def sync(self, path: str) -> None:
        """Do nothing: a change is durable when the store has answered."""

    def put(self, path: str, data: bytes, *, expect: Expectation | None = None) -> None:
        """Write an object.

        Raises Changed if the current object is not as expected, Refused if the store cannot compare objects.
        """
        self._run("write", path, self.bucket.put(self._key(path), data, expect=expect))

    def publish(self, moves: Iterable[tuple[Path, str]]) -> None:
        """Upload finished files, several at a time, given as ``(temporary, path)`` pairs."""
        pairs = [(temporary, self._key(path)) for temporary, path in moves]
        self._run("upload parts to", "", self.bucket.upload(pairs))

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects by their exact keys; missing objects are skipped."""
        keys = [self._key(path) for path in paths]
        self._run("delete objects of", "", self.bucket.delete(keys))

    def unfinished(self) -> list[Unfinished]:
        """Return uncompleted multipart uploads below the root."""
        found = self._run("list uploads of", "", self.bucket.uploads(self._base))
        return [each._replace(path=each.path.removeprefix(self._base)) for each in found]

    def abort(self, upload: Unfinished) -> None:
        """Abort a multipart upload without creating an object."""
        call = self.bucket.abort(self._key(upload.path), upload.upload_id)
        self._run("end an upload of", upload.path, call)


def _spool() -> Workspaces:
    """Return the workspaces for files to upload.

    The workspaces are in a folder of this user, in the temporary folder.
    """
    folder = Path(tempfile.gettempdir()) / f"wsparquet-{os.getuid()}"
    with translated("make", folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    # Another user may have created a folder with this name earlier.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise DatasetError(
            f"{folder}: expected a folder that only this user can access, found another one; delete it, or set TMPDIR"
        )
    return Workspaces(folder, lock=folder / "workspaces.lock")

"""What a root on S3 can do: whole objects only, written if they are what they were, deleted by their exact keys.

There is no renaming and no appending there, and an fsspec file that an exception closes publishes what it has. So files
are written on a local disk first, and uploaded when they are complete.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import stat
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any, TypeVar

from fsspec.core import url_to_fs  # type: ignore[import-untyped]
from pyarrow import fs

from wsparquet.errors import DatasetError
from wsparquet.redaction import without_credentials
from wsparquet.store.disk_errors import translated
from wsparquet.store.s3.bucket import Bucket
from wsparquet.store.s3.errors import translated as translated_from_s3
from wsparquet.store.s3.options import StorageOptions
from wsparquet.store.store import Entry, Expectation, Unfinished, Version
from wsparquet.store.workspace import Workspaces

__all__ = ["ObjectStore"]

Result = TypeVar("Result")
READ_AT_ONCE = 1000


class ObjectStore:
    """The objects of a bucket below ``base``, which ends in a slash unless it is empty."""

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
        """The store at ``s3://bucket/path``; ``options`` are s3fs's own. Raises DatasetError if it cannot be one."""
        bucket, _, path = without_credentials(url).partition("://")[2].partition("/")
        if not bucket or without_credentials(url) != url:
            raise DatasetError(
                f"{without_credentials(url)}: expected s3://BUCKET/PATH and nothing else in it; credentials are options"
            )
        given = StorageOptions.checked(options)
        with translated_from_s3("reach", without_credentials(url), given, reached=False):
            # Listings as they are now, since others write there, too.
            filesystem, _ = url_to_fs(f"s3://{bucket}", **{"use_listings_cache": False, **given.values})
        base = "/".join(part for part in path.split("/") if part)
        base = f"{base}/" if base else ""
        return cls(filesystem, bucket, base, options=given, patience_seconds=patience_seconds)

    # --- Where things are --------------------------------------------------------------------------------------------

    def place(self, path: str = "") -> str:
        """The root, or an object of it, as messages name it."""
        return f"s3://{self._name}/{self._base}{path}".rstrip("/")

    def arrow(self) -> tuple[fs.FileSystem, str]:
        """The same store for Arrow, and the root's path in it."""
        handler = fs.FSSpecHandler(self._filesystem)  # type: ignore[abstract]
        return fs.PyFileSystem(handler), f"{self._name}/{self._base}".rstrip("/")

    def _key(self, path: str) -> str:
        return f"{self._base}{path}"

    def _run(self, action: str, path: str, call: Coroutine[Any, Any, Result]) -> Result:
        """What a coroutine returns, run by s3fs's event loop, and ended there if this thread is interrupted."""
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
        """Have every request fail that is under way or to come: retries could take minutes."""
        self._interrupted = True
        for future in list(self._running):
            future.cancel()

    # --- Reading -----------------------------------------------------------------------------------------------------

    def read(self, path: str) -> bytes | None:
        """The bytes of an object; None if there is none."""
        found = self.read_version(path)
        return None if found is None else found[0]

    def read_version(self, path: str) -> tuple[bytes, Version] | None:
        """The bytes of an object, and its entity tag as a version; None if there is none."""
        found = self._run("read", path, self.bucket.get(self._key(path)))
        return None if found is None else (found[0], Version(found[1]))

    def entries(self, folder: str) -> Iterator[Entry]:
        """All objects below ``folder``, sorted by path; an object that some tools make for a folder is none."""
        prefix = f"{folder}/" if folder else ""
        found = self._run("list", prefix, _gathered(self.bucket.find(self._key(prefix))))
        for each in found:
            if not each.key.endswith("/"):
                yield Entry(each.key.removeprefix(self._base), each.size, each.modified, each.etag)

    def read_below(self, folder: str) -> Iterator[tuple[str, bytes]]:
        """The paths and bytes of all objects below ``folder``, sorted; those that are gone are passed over."""
        return self.read_all(entry.path for entry in self.entries(folder))

    def read_all(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The paths and bytes of objects, in their order; those that are gone are passed over."""
        left = iter(paths)
        while some := list(itertools.islice(left, READ_AT_ONCE)):
            found = self._run("read", some[0], self.bucket.get_many([self._key(path) for path in some]))
            for path, answer in zip(some, found, strict=True):
                if answer is not None:
                    yield path, answer[0]

    def missing(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths at which no object lies."""
        left = set(paths)
        # What a few listings tell need not be asked for one by one.
        for folder in sorted({path.partition("/")[0] if "/" in path else "" for path in left}):
            left.difference_update(entry.path for entry in self.entries(folder))
        return left

    # --- Writing -----------------------------------------------------------------------------------------------------

    def make_root(self) -> None:
        """See that the bucket is there: a bucket is nothing that a conversion should make."""
        self.read("_wsparquet/root.json")

    def make_folder(self, path: str, *, mode: int = 0o777) -> None:
        """Nothing: there are no folders."""

    def put(self, path: str, data: bytes, *, expect: Expectation | None = None) -> None:
        """Write an object; raises Changed if the one that is there is not as expected, Refused if nobody can tell."""
        self._run("write", path, self.bucket.put(self._key(path), data, expect=expect))

    def publish(self, moves: Iterable[tuple[Path, str]]) -> None:
        """Upload written files, several at a time: ``(temporary, path)`` pairs."""
        pairs = [(temporary, self._key(path)) for temporary, path in moves]
        self._run("upload parts to", "", self.bucket.upload(pairs))

    def delete(self, paths: Iterable[str]) -> None:
        """Delete objects by their exact keys; those that are gone already are passed over."""
        keys = [self._key(path) for path in paths]
        self._run("delete objects of", "", self.bucket.delete(keys))

    def unfinished(self) -> list[Unfinished]:
        """Multipart uploads below the root that were begun and not ended."""
        found = self._run("list uploads of", "", self.bucket.uploads(self._base))
        return [each._replace(path=each.path.removeprefix(self._base)) for each in found]

    def abort(self, upload: Unfinished) -> None:
        """End a multipart upload without an object."""
        call = self.bucket.abort(self._key(upload.path), upload.upload_id)
        self._run("end an upload of", upload.path, call)


async def _gathered(found: AsyncIterator[Result]) -> list[Result]:
    return [each async for each in found]


def _spool() -> Workspaces:
    """Where parts are written before they are uploaded: this user's own folder among the temporary ones."""
    folder = Path(tempfile.gettempdir()) / f"wsparquet-{os.getuid()}"
    with translated("make", folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    # Anybody may make a folder of this name there first.
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise DatasetError(
            f"{folder}: expected a folder that only this user can enter, found another one; delete it, or set TMPDIR"
        )
    return Workspaces(folder, lock=folder / "workspaces.lock")

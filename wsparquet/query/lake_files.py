"""Shows the objects of a bucket to DuckDB as read-only files, through s3fs.

DuckDB's own extension `httpfs` is not part of its Python package. s3fs needs no download, and takes the options and
credentials that all commands take. Each instance has its own protocol, so that several roots with different credentials
can be attached to one connection.

A part never changes under its path. The size of a part is therefore requested only once, and small parts, which one
request reads completely, are kept for a while.
"""

from __future__ import annotations

import io
import itertools
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem  # type: ignore[import-untyped]

from wsparquet.store.s3.options import StorageOptions

__all__ = ["LakeFiles"]

READ_AHEAD_BYTES = 1 << 18
"""s3fs would read 50 MiB at once, although most reads of a Parquet file are shorter than this."""

KEPT_BYTES = 1 << 26
"""How many bytes of small files are kept. DuckDB opens a file each time it plans a query that reads it."""

READERS = 64
"""How many locks there are for reading small parts. The hash of a part's path selects its lock."""

_numbers = itertools.count()


class LakeFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """The objects of S3 under a separate protocol; a path is never a pattern."""

    cachable = False

    def __init__(self, storage_options: Mapping[str, Any]) -> None:
        import s3fs  # type: ignore[import-untyped]

        super().__init__()
        self.protocol = f"wslake{next(_numbers)}"
        given = StorageOptions.checked(storage_options).values
        self._files = s3fs.S3FileSystem(**{"use_listings_cache": False, **given})
        self._infos: dict[str, dict[str, Any]] = {}
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._keeping = threading.Lock()
        self._reading = tuple(threading.Lock() for _ in range(READERS))

    def url(self, location: str) -> str:
        """Return the URL under which DuckDB finds the object that s3fs finds under ``s3://…``."""
        return f"{self.protocol}://{location.removeprefix('s3://')}"

    def _path(self, url: str) -> str:
        return url.removeprefix(f"{self.protocol}://")

    def glob(self, path: str, **_: Any) -> list[str]:
        """Return the path itself: the names of objects may contain brackets and stars."""
        return [path]

    def exists(self, path: str, **_: Any) -> bool:
        """Return whether the object exists."""
        return path in self._infos or bool(self._files.exists(self._path(path)))

    def isfile(self, path: str) -> bool:
        """Return whether the object exists."""
        return path in self._infos or bool(self._files.isfile(self._path(path)))

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Return the size and the other properties of an object."""
        found = self._infos.get(path)
        if found is None:
            found = self._infos[path] = dict(self._files.info(self._path(path)))
        return found

    def modified(self, path: str) -> Any:
        """Return when an object was last changed."""
        return self.info(path).get("LastModified")

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        """Open an object to read. Raises PermissionError for another mode."""
        if mode != "rb":
            raise PermissionError(f"{path}: a root is only read here")
        size = self.info(path)["size"]
        if size <= READ_AHEAD_BYTES:
            return io.BytesIO(self._whole(path))
        return self._files.open(self._path(path), "rb", block_size=READ_AHEAD_BYTES, size=size)

    def _whole(self, path: str) -> bytes:
        # Threads that need the same part wait for the first of them, so that the part is requested once.
        with self._reading[hash(path) % READERS]:
            kept = self._find_kept(path)
            if kept is not None:
                return kept
            data: bytes = self._files.cat_file(self._path(path))
            self._keep(path, data)
            return data

    def _find_kept(self, path: str) -> bytes | None:
        with self._keeping:
            if path in self._kept:
                self._kept.move_to_end(path)
            return self._kept.get(path)

    def _keep(self, path: str, data: bytes) -> None:
        with self._keeping:
            self._kept[path] = data
            self._kept_bytes += len(data)
            while self._kept_bytes > KEPT_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._kept_bytes -= len(oldest)

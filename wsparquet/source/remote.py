"""Finds the files that a URL names: one file, a folder, or a glob on any fsspec file system."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from fsspec.core import url_to_fs  # type: ignore[import-untyped]

from wsparquet.errors import SourceError
from wsparquet.private import s3fs
from wsparquet.redaction import without_credentials
from wsparquet.source.archive import SMALLEST_ARCHIVE
from wsparquet.source.failures import Place
from wsparquet.source.listing import has_magic
from wsparquet.source.markers import is_marker
from wsparquet.source.names import last_component
from wsparquet.source.origins import Remote, speaks
from wsparquet.source.sources import Failed
from wsparquet.source.storage_options import options_for
from wsparquet.source.walking import Info, Walk

__all__ = ["RemoteFile", "find_remote", "heads"]

ETAGS = ("ETag", "etag", "Content-MD5", "md5Hash")
TIMES = ("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created")
PEEKED_AT_ONCE = 1000


@dataclass(frozen=True)
class RemoteFile:
    """A remote file.

    Size in bytes, entity tag, and modification time are None if the file system does not report them.
    """

    name: str
    url: str
    origin: Remote
    size: int | None
    etag: str | None
    mtime: str | None


def find_remote(
    url: str, options: Mapping[str, Any], fresh: set[Any], ignored: Callable[[str], None]
) -> list[RemoteFile | Failed]:
    """Return the files that a URL names, and the folders that cannot be listed.

    The files of a folder or glob are sorted.

    ``fresh``: the file systems whose caches this run has already cleared; the function adds the URL's file system.
    ``ignored``: called with the URL of each marker in a folder, which the result omits.

    Raises:
        SourceError: the file does not exist or cannot be accessed, its client is not installed, the folder is empty, or
        the glob matches nothing.

    """
    place = Place.of_url(url, options)
    with place.translated("an address whose file system is installed"):
        filesystem, path = url_to_fs(url, **options_for(url, options))
        # All users in a process share one file system object, and other programs may have written to the store, so
        # clear the object's cache once per run. Do not clear it more often: s3fs would then send a request for each
        # file, without retries if the store is busy.
        if filesystem not in fresh:
            filesystem.invalidate_cache()
            fresh.add(filesystem)
    origin = Remote(filesystem, path, place)
    with place.translated():
        infos, failed = _infos(origin, url)
    if path in infos and len(infos) == 1:
        return [_described(_given(origin, url), infos[path])]
    with place.translated():
        found = {name: _listed(origin, url, name, info) for name, info in infos.items()}
    for name in sorted(name for name, file in found.items() if is_marker(_bare(origin, name), file.size)):
        ignored(found.pop(name).url)
    if not found and not failed:
        raise place.error(
            "expected a folder or a glob with files, found none (hidden files and markers do not count); check the name"
        )
    both: dict[str, RemoteFile | Failed] = {**found, **failed}
    return [both[name] for name in sorted(both)]


def _infos(origin: Remote, url: str) -> tuple[dict[str, Info], dict[str, Failed]]:
    """Return the metadata of each file by path, and the folders that cannot be listed.

    If the path is a file, return only its metadata.
    """
    filesystem, path = origin.filesystem, origin.path
    if speaks(filesystem, "s3"):
        s3fs.prepare_in_thread(filesystem)
    bare = _bare(origin, path)
    as_folder = origin.is_http and bare.endswith("/")
    info, missing = _info(filesystem, path)
    if info and info["type"] != "directory" and not as_folder:
        return {path: info}, {}
    place = partial(_place_of, origin, url)
    walk = Walk(filesystem, place)
    if has_magic(bare) and not info:
        walk.matching(path)
        base, dotted = re.split(r"[^/]*[*?\[]", path)[0], "/." in path
    elif isinstance(missing, FileNotFoundError):
        raise missing
    else:
        walk.below(path)
        base, dotted = path.rstrip("/") + "/", False
        if missing is not None and not walk.files:
            raise missing
    files = {name: info for name, info in walk.files.items() if dotted or not _is_hidden(name, base)}
    failed = {name: error for name, error in walk.failed.items() if dotted or not _is_hidden(name, base)}
    return files, {name: Failed(last_component(name), place(name).label, error) for name, error in failed.items()}


def _bare(origin: Remote, path: str) -> str:
    """Return a path without the query of an HTTP server."""
    return urlsplit(path).path if origin.is_http else path


def _info(filesystem: Any, path: str) -> tuple[Info, OSError | None]:
    """Return the metadata of a path. If only a listing can provide the metadata, return no metadata, and the error."""
    try:
        return filesystem.info(path), None
    except FileNotFoundError as error:
        return {}, error
    except OSError as error:
        # Some S3 stores keep real folders, and report an internal error for a HEAD request of a folder.
        if isinstance(error, PermissionError) or not speaks(filesystem, "s3"):
            raise
        return {}, error


def _is_hidden(path: str, base: str) -> bool:
    return "/." in "/" + path.removeprefix(base)


def _place_of(origin: Remote, url: str, path: str) -> Place:
    """Return the location of a listed file or folder below ``url``.

    A ``?`` or ``#`` in the file's name does not start a query or fragment.
    """
    if origin.is_http:
        return replace(Place.of_url(path), hidden=origin.place.hidden)
    _, chained, rest = url.partition("::")
    full = origin.filesystem.unstrip_protocol(path).replace("?", "%3F").replace("#", "%23")
    return replace(origin.place, label=full + chained + without_credentials(rest))


def _listed(origin: Remote, url: str, path: str, info: Mapping[str, Any]) -> RemoteFile:
    """Describe a file that was listed below ``url``."""
    found = replace(origin, path=path, place=_place_of(origin, url, path))
    if origin.is_http:
        return _described(found, info if info.get("size") is not None else _info_if_any(origin, path))
    return _described(found, info, name=last_component(path))


def _given(origin: Remote, url: str) -> Remote:
    """Return the file that ``url`` itself names. The label of the file is the same as for a listed file."""
    if origin.is_http or "::" in url:
        return origin
    return replace(
        origin, place=replace(origin.place, label=origin.filesystem.unstrip_protocol(without_credentials(origin.path)))
    )


def _info_if_any(origin: Remote, path: str) -> Mapping[str, Any]:
    """Return the metadata of a file that an HTTP index page lists.

    Return an empty mapping for a dead link, because reading the file will report the error.
    """
    try:
        found: Mapping[str, Any] = origin.filesystem.info(path)
    except FileNotFoundError:
        return {}
    return found


def _described(origin: Remote, info: Mapping[str, Any], *, name: str | None = None) -> RemoteFile:
    url = origin.place.label
    # In a chained URL the first component names the file.
    name = name or last_component(url.partition("::")[0] if "://" in url.partition("::")[0] else url)
    return RemoteFile(name, url, origin, info.get("size"), _first(info, ETAGS), _first(info, TIMES))


def _first(info: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    value = next((info[key] for key in keys if info.get(key)), None)
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return None if value is None else str(value).strip('"')


def heads(files: Sequence[RemoteFile]) -> Iterator[bytes | SourceError]:
    """Yield the first four bytes of each file. Many files are read concurrently."""
    for start in range(0, len(files), PEEKED_AT_ONCE):
        batch = files[start : start + PEEKED_AT_ONCE]
        bulk = [file for file in batch if not file.origin.is_http and not _too_small(file)]
        found = dict(zip([file.origin.path for file in bulk], _bulk_heads(bulk), strict=True))
        for file in batch:
            path = file.origin.path
            yield found[path] if path in found else b"" if _too_small(file) else _head(file)


def _too_small(file: RemoteFile) -> bool:
    return file.size is not None and file.size < SMALLEST_ARCHIVE


def _bulk_heads(files: Sequence[RemoteFile]) -> list[bytes | SourceError]:
    if not files:
        return []
    first = files[0].origin
    with first.place.translated():
        found = first.filesystem.cat_ranges(
            [file.origin.path for file in files], [0] * len(files), [4] * len(files), on_error="return"
        )
    return [
        file.origin.place.as_source_error(head) if isinstance(head, BaseException) else bytes(head)
        for file, head in zip(files, found, strict=True)
    ]


def _head(file: RemoteFile) -> bytes | SourceError:
    try:
        stream = file.origin.open()
        with file.origin.place.translated():
            head = stream.read(4)
            stream.close()
    except SourceError as error:
        return error
    return head

"""Turns paths, globs, folders, URLs, and standard input into sources. Each zip member becomes a source."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote

from wsparquet.errors import SourceError
from wsparquet.layout import is_root
from wsparquet.redaction import utf8_text, without_credentials
from wsparquet.source.archive import EMPTY_ARCHIVE, Member, list_members
from wsparquet.source.failures import Place
from wsparquet.source.formats import sniff
from wsparquet.source.listing import Unreadable, files_below, glob, has_magic, is_folder
from wsparquet.source.markers import is_marker
from wsparquet.source.names import last_component
from wsparquet.source.origins import LocalFile, MemberOf, Once, Spool, Stream, speaks, spool
from wsparquet.source.sources import Failed, Source
from wsparquet.urls import is_half_url, is_url

if TYPE_CHECKING:
    from wsparquet.source.remote import RemoteFile

__all__ = ["expand"]

FILE_URL = re.compile(r"(file|local)://", re.IGNORECASE)
STDIN = Place("standard input")


def _ignore(_: str) -> None:
    """Report nothing."""


def expand(
    arguments: Sequence[str | os.PathLike[str]],
    *,
    exclude: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
    ignored: Callable[[str], None] = _ignore,
) -> list[Source | Failed]:
    """Return the sources that ``arguments`` name, without repetition.

    The sources are in the order of the arguments; the files of a folder or glob are sorted.

    An argument is a local path, a glob, a folder (all files in it except hidden ones), ``-`` for standard input, or a
    URL of any file system that fsspec supports. ``storage_options``: options for that file system. Each member of a zip
    archive is one source; archives are recognized by their first bytes. A file or folder that cannot be found or listed
    becomes a ``Failed``. Files below ``exclude``, a path or URL, are not sources. If a folder contains a root, the
    files of the root are not sources. Markers that other tools leave in a folder or archive (the object ``folder/`` of
    S3, ``_SUCCESS``) are not sources unless an argument names them; ``ignored`` is called with the URL of each omitted
    marker.
    """
    expansion = _Expansion(_excluded(exclude), _excluded_url(exclude), storage_options or {}, ignored)
    return [found for argument in arguments for found in expansion.argument(os.fspath(argument))]


def _excluded(root: str | None) -> str | None:
    local = None if root is None else _local_path(root)
    return None if local is None else os.path.realpath(local)


def _excluded_url(root: str | None) -> tuple[str, str] | None:
    """Return the protocol of the root's file system, and the root's normalized path on that file system."""
    if root is None or _local_path(root) is not None:
        return None
    scheme, _, path = without_credentials(root).partition("://")
    return scheme, "/".join(part for part in path.split("/") if part) + "/"


def _local_path(argument: str) -> str | None:
    """Return the argument as a local path, or None for a remote URL.

    An argument that looks like a URL is a path if a local file has that name.
    """
    if "\0" in (unquote(argument) if is_url(argument) else argument) or not argument:
        raise SourceError(
            f"{without_credentials(argument)!r}: expected a path or a URL, found another text; check the name"
        )
    if is_half_url(argument):
        raise SourceError(
            f"{without_credentials(argument)}: expected a path, or a URL with two slashes, found one with a single "
            "slash; add the missing slash, or write ./ before a path"
        )
    if FILE_URL.match(argument) and "::" not in argument:
        path = FILE_URL.sub("", argument).removeprefix("localhost")
        return path if os.path.lexists(path) else unquote(path, errors="surrogateescape")
    return None if is_url(argument) and not os.path.lexists(argument) else argument


def _is_possible(path: str) -> bool:
    """Return whether a file can have this name. Some Python strings cannot be encoded as a file name."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links


def _size(file: Path) -> int | None:
    """Return the size of a file in bytes, or None if the size is unknown. Reading will then report the error."""
    try:
        return file.stat().st_size
    except OSError:
        return None


def _named(argument: str) -> tuple[str, str]:
    """Return the name and the URL to report for an argument that is not a source."""
    if argument == "-":
        return "stdin", "stdin"
    if is_url(argument):
        return last_component(without_credentials(argument)), without_credentials(argument)
    path = _absolute(argument)
    return path.name, path.as_uri()


@dataclass
class _Expansion:
    excluded: str | None
    excluded_url: tuple[str, str] | None
    options: Mapping[str, Any]
    ignored: Callable[[str], None]
    seen: set[object] = field(default_factory=set)
    fresh: set[object] = field(default_factory=set)

    def argument(self, argument: str) -> Iterator[Source | Failed]:
        """Yield the sources that one argument names."""
        if is_url(argument) or not _is_possible(argument):
            argument = utf8_text(argument)
        try:
            if argument == "-":
                yield from self._stdin()
            elif (path := _local_path(argument)) is not None:
                yield from self._local(_absolute(path))
            else:
                # Import here, because this loads fsspec, which takes 40 ms.
                from wsparquet.source.remote import find_remote

                yield from self._remote(find_remote(argument, self.options, self.fresh, self.ignored))
        except SourceError as error:
            yield Failed(*_named(argument), error)

    def _first(self, key: object) -> bool:
        if key in self.seen:
            return False
        self.seen.add(key)
        return True

    # --- Local files --------------------------------------------------------------------------------------------------

    def _is_excluded(self, real: str) -> bool:
        return self.excluded is not None and Path(real).is_relative_to(self.excluded)

    def _is_passed_over(self, real: str) -> bool:
        return self._is_excluded(real) or is_root(real)

    def _is_omitted(self, file: Path) -> bool:
        """Return whether to skip a file that a folder or glob contains."""
        if self._is_excluded(os.path.realpath(file)):
            return True
        marker = is_marker(str(file), _size(file))
        if marker:
            self.ignored(file.as_uri())
        return marker

    def _local(self, path: Path) -> Iterator[Source | Failed]:
        if is_folder(path):
            self._check_folder(path)
        found = False
        for match in self._matches(path):
            for file in self._files(match):
                # Skip an excluded file of a folder or glob. An excluded file that the argument itself names is an
                # error.
                if isinstance(file, Path) and file != path and self._is_omitted(file):
                    continue
                found = True
                yield from self._local_file(file)
        if not found:
            raise Place(str(path)).error(
                "expected a folder or a glob with files, found none (hidden files, markers, and files of datasets do "
                "not count); check the name"
            )

    def _check_folder(self, path: Path) -> None:
        if self._is_excluded(os.path.realpath(path)):
            raise Place(str(path)).error("expected a source outside of the dataset, found one in it; leave it out")
        if is_root(path):
            raise Place(str(path)).error(
                "expected Web Session files, found datasets that wsparquet has written; name the sources of those "
                "datasets"
            )

    def _matches(self, path: Path) -> Iterator[Path | Unreadable]:
        if os.path.lexists(path):
            yield path
        elif has_magic(str(path)):
            yield from glob(path, self._is_passed_over)
        else:
            with Place(str(path)).translated("a file, a folder or a glob"):
                path.stat()

    def _files(self, match: Path | Unreadable) -> Iterator[Path | Unreadable]:
        if isinstance(match, Path) and is_folder(match):
            yield from files_below(match, self._is_passed_over)
        else:
            yield match

    def _local_file(self, found: Path | Unreadable) -> Iterator[Source | Failed]:
        path = found.path if isinstance(found, Unreadable) else found
        place = Place(str(path))
        try:
            if isinstance(found, Unreadable):
                raise place.as_source_error(found.error, "a folder that can be listed")
            real = os.path.realpath(path)
            if self._is_excluded(real):
                raise place.error("expected a source outside of the dataset, found one in it; leave it out")
            if self._first(real):
                yield from self._local_source(path, place)
        except SourceError as error:
            yield Failed(path.name, path.as_uri(), error)

    def _local_source(self, path: Path, place: Place) -> Iterator[Source | Failed]:
        with place.translated():
            status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise place.error("expected a file, found a pipe, socket or device; pipe its content to `-`")
        origin = LocalFile(path)
        source = Source(path.name, path.as_uri(), origin, size=status.st_size, mtime=str(status.st_mtime_ns))
        with place.translated(), path.open("rb") as file:
            head = file.read(4)
        yield from self._members(source, origin) if sniff(head) == "zip" else [source]

    # --- Remote files and standard input ------------------------------------------------------------------------------

    def _is_excluded_url(self, file: RemoteFile) -> bool:
        if self.excluded_url is None:
            return False
        scheme, folder = self.excluded_url
        return speaks(file.origin.filesystem, scheme) and file.origin.path.startswith(folder)

    def _remote(self, found: Sequence[RemoteFile | Failed]) -> Iterator[Source | Failed]:
        from wsparquet.source.remote import RemoteFile, heads

        outside = [each for each in found if isinstance(each, Failed) or not self._is_excluded_url(each)]
        if found and not outside:
            raise Place(found[0].url).error("expected a source outside of the dataset, found one in it; leave it out")
        yield from (each for each in outside if isinstance(each, Failed))
        files = [each for each in outside if isinstance(each, RemoteFile)]
        new = [file for file in files if self._first((file.origin.filesystem, file.origin.path))]
        for file, head in zip(new, heads(new), strict=True):
            if isinstance(head, SourceError):
                yield Failed(file.name, file.url, head)
                continue
            source = Source(file.name, file.url, file.origin, size=file.size, etag=file.etag, mtime=file.mtime)
            yield from self._remote_archive(source, file) if sniff(head) == "zip" else [source]

    def _remote_archive(self, source: Source, file: RemoteFile) -> Iterator[Source | Failed]:
        """Yield the members of a remote archive.

        An archive on an HTTP server is copied to a local file first, because not every server supports byte ranges.
        """
        try:
            origin = spool(file.origin.open(), file.origin.place) if file.origin.is_http else file.origin
            yield from self._members(source, origin)
        except SourceError as error:
            yield Failed(source.name, source.url, error)

    def _stdin(self) -> Iterator[Source | Failed]:
        if not self._first("-"):
            return
        if sys.stdin is None:
            raise STDIN.error("expected an open standard input, found none; pipe a file to it")
        with STDIN.translated():
            stream = cast("Stream", sys.stdin.buffer)
            head = sys.stdin.buffer.read(4)
        source = Source("stdin", "stdin", once := Once(head, stream, STDIN))
        if sniff(head) == "zip":
            yield from self._members(source, spool(once.open(), STDIN))
        else:
            yield source

    def _members(self, archive: Source, origin: LocalFile | Spool | Any) -> Iterator[Source]:
        place = archive.origin.place
        with place.translated("a zip archive"), origin.open_seekable() as file:
            members = list_members(file, place)
        files = [member for member in members if not self._is_marker(archive, member)]
        if not files:
            raise place.error(EMPTY_ARCHIVE)
        for member in files:
            inner = Place(f"{place.label}!/{member.path}", place.secrets, hidden=place.hidden)
            yield Source(
                last_component(member.path),
                _member_url(archive, member),
                MemberOf(origin, member, inner),
                size=member.size,
                etag=f"{archive.etag or ''}{member.crc:08x}-{member.size:x}",
                mtime=archive.mtime,
            )

    def _is_marker(self, archive: Source, member: Member) -> bool:
        marker = is_marker(member.path, member.size)
        if marker:
            self.ignored(_member_url(archive, member))
        return marker


def _member_url(archive: Source, member: Member) -> str:
    return f"{archive.url}!/{quote(member.path)}"

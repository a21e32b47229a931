"""Whether roots, sources and raw files may lie where they are told to; asked before anything is written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

from wsparquet.errors import PlaceError
from wsparquet.layout import is_root
from wsparquet.redaction import utf8_text, without_credentials
from wsparquet.urls import is_half_url, is_url

__all__ = ["check_apart", "check_raw", "check_root"]


def check_root(root: str | os.PathLike[str]) -> None:
    """Refuse a place where no root can be.

    Raises:
        PlaceError: it is a URL of another kind than S3, or one that lacks a slash, or has bytes that are no UTF-8,
            which Parquet's writers refuse.

    """
    text = os.fspath(root)
    _check_slashes(text)
    if is_url(text) and not text.startswith(("s3://", "s3a://")):
        raise PlaceError(
            f"{without_credentials(text)}: expected a folder on a local disk or s3://BUCKET/PATH, found another URL"
        )
    whole = text if is_url(text) else os.path.abspath(text)  # noqa: PTH100 - resolve() would follow links
    if utf8_text(whole) != whole:
        raise PlaceError(
            f"{utf8_text(whole)}: expected a root whose path is UTF-8, found bytes that are none (shown as %XX); "
            "choose another root"
        )


def _check_slashes(place: str) -> None:
    if is_half_url(place):
        raise PlaceError(
            f"{utf8_text(without_credentials(place))}: expected a path, or a URL with two slashes, "
            "found one with a single slash; add the other one, or write ./ before a path"
        )


def check_apart(sources: Iterable[str | os.PathLike[str]], root: str | os.PathLike[str]) -> None:
    """Refuse to make a root of a folder that is, or holds, one of its own sources, which would be passed over as its.

    Where a root is already, a source within it fails alone. Globs are held against the root by what is before them.

    Raises:
        PlaceError: a local source lies in the folder that is to be the root.

    """
    if is_url(os.fspath(root)) or is_root(root):
        return
    folder = Path(os.path.realpath(root))
    for source in [os.fspath(each) for each in sources]:
        place = _fixed_part(source)
        if place is not None and Path(os.path.realpath(place)).is_relative_to(folder):
            raise PlaceError(
                f"{utf8_text(source)}: expected sources outside of the root, found one in {utf8_text(str(folder))}, "
                "whose files would all count as the root's own; choose another root"
            )


def check_raw(raw: str, root: str | os.PathLike[str] | None = None) -> None:
    """Refuse to keep raw files within a root, the given one or any other: nothing could convert them from there.

    Raises:
        PlaceError: the place is a root or lies in one (in a bucket this is known of the given root only), or it is a
            URL that lacks a slash.

    """
    _check_slashes(raw)
    if (place := _local(raw)) is None:
        if root is not None and f"{_spelled(raw)}/".startswith(f"{_spelled(os.fspath(root))}/"):
            raise _within(raw, os.fspath(root))
        return
    real = Path(os.path.realpath(place))
    given = None if root is None or is_url(os.fspath(root)) else Path(os.path.realpath(root))
    for folder in (real, *real.parents):
        if folder == given or is_root(folder):
            raise _within(raw, str(folder))


def _within(raw: str, root: str) -> PlaceError:
    return PlaceError(
        f"{utf8_text(without_credentials(raw))}: expected a place for raw files outside of roots, "
        f"found one in {utf8_text(without_credentials(root))}, where no conversion takes files from; "
        "choose another place"
    )


def _local(place: str) -> str | None:
    """A path, or a URL of a local file, as a path; None if it is a URL of another kind."""
    if place.lower().startswith(("file://", "local://")):
        return unquote(place.partition("://")[2], errors="surrogateescape")
    return None if is_url(place) else place


def _spelled(url: str) -> str:
    """A URL as it can be compared with another one."""
    scheme, _, path = without_credentials(url).rpartition("::")[2].partition("://")
    return f"{scheme.removesuffix('a') if scheme == 's3a' else scheme}://{'/'.join(filter(None, path.split('/')))}"


def _fixed_part(source: str) -> str | None:
    """What of a local source stands before its first component with a glob; None if it is no local one."""
    if source in {"", "-"} or "\0" in source or is_url(source):
        return None
    if os.path.lexists(source):
        return source
    fixed = re.split(r"[^/]*[*?\[]", source, maxsplit=1)[0]
    return (fixed or ".") if fixed != source else None

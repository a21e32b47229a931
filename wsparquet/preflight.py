"""Checks the locations of roots, sources and raw files before anything is written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

from wsparquet.errors import PlaceError
from wsparquet.layout import column_folder, is_root
from wsparquet.redaction import utf8_text, without_credentials
from wsparquet.urls import is_half_url, is_url

NOT_SUPPORTED = re.compile("(gs|gcs|abfss?|az|adl|wasbs?|hdfs|viewfs|webhdfs|dbfs)://", re.IGNORECASE)
"""The stores of other clouds and of Hadoop, which clusters often use."""

__all__ = ["check_apart", "check_raw", "check_root"]


def check_root(root: str | os.PathLike[str]) -> None:
    """Check that a root can be at this location.

    Raises:
        PlaceError: the location is a URL of a store other than S3, or a URL that lacks a slash; or it is below a folder
            such as ``date=2016-06-30``, which query engines would read as a column of the tables; or its path is not
            valid UTF-8, which Parquet writers require.

    """
    text = os.fspath(root)
    _check_slashes(text)
    if found := NOT_SUPPORTED.match(text):
        raise PlaceError(
            f"{without_credentials(text)}: expected a folder on a local disk or s3://BUCKET/PATH, found {found[0]}, "
            "which is not supported for roots; use a bucket whose store speaks the protocol of S3"
        )
    if is_url(text) and not text.startswith(("s3://", "s3a://")):
        raise PlaceError(
            f"{without_credentials(text)}: expected a folder on a local disk or s3://BUCKET/PATH, found another URL"
        )
    _check_no_partition(text)
    whole = text if is_url(text) else os.path.abspath(text)  # noqa: PTH100 - resolve() would follow links
    if utf8_text(whole) != whole:
        raise PlaceError(
            f"{utf8_text(whole)}: expected a root whose path is UTF-8, found other bytes (shown as %XX); "
            "choose another root"
        )


def _check_no_partition(root: str) -> None:
    """Refuse a root below a folder such as ``date=…``: engines would use the folder as the column's value."""
    whole = root if is_url(root) else os.path.abspath(root)  # noqa: PTH100 - resolve() would follow links
    if "=" not in whole:
        return
    # Imported only here, because hardly any path has such a folder.
    from wsparquet.schema import TABLES

    if found := column_folder(whole, [name for table in TABLES.values() for name in table.schema.names]):
        folder, column = found
        raise PlaceError(
            f"{utf8_text(without_credentials(root))}: expected a root outside of partitions, found one below the "
            f"folder {utf8_text(folder)}, which query engines would read as the column {column}; choose another root"
        )


def _check_slashes(place: str) -> None:
    if is_half_url(place):
        raise PlaceError(
            f"{utf8_text(without_credentials(place))}: expected a path, or a URL with two slashes, "
            "found one with a single slash; add the missing slash, or write ./ before a path"
        )


def check_apart(sources: Iterable[str | os.PathLike[str]], root: str | os.PathLike[str]) -> None:
    """Check that a new root does not contain its own sources, because files in a root are not converted.

    An existing root passes the check; a conversion then fails only for the sources inside the root. For a glob, only
    the folders before the first wildcard are checked.

    Raises:
        PlaceError: a local source is the folder of the new root, or is inside it.

    """
    if is_url(os.fspath(root)) or is_root(root):
        return
    folder = Path(os.path.realpath(root))
    for source in [os.fspath(each) for each in sources]:
        place = _fixed_part(source)
        if place is not None and Path(os.path.realpath(place)).is_relative_to(folder):
            raise PlaceError(
                f"{utf8_text(source)}: expected sources outside of the root, found one in {utf8_text(str(folder))}, "
                "whose files would all count as files of the root; choose another root"
            )


def check_raw(raw: str, root: str | os.PathLike[str] | None = None) -> None:
    """Check that raw files are kept outside of all roots, because files in a root are not converted.

    Raises:
        PlaceError: the location is a root, is inside a root, or is a URL that lacks a slash. On an object store, only
            the given root is checked.

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
        f"{utf8_text(without_credentials(raw))}: expected a location for raw files outside of all roots, "
        f"found one in {utf8_text(without_credentials(root))}, where conversions do not look for sources; "
        "choose another location"
    )


def _local(place: str) -> str | None:
    """Return the local path that a path or a URL names, or None if the URL is remote."""
    if place.lower().startswith(("file://", "local://")):
        return unquote(place.partition("://")[2], errors="surrogateescape")
    return None if is_url(place) else place


def _spelled(url: str) -> str:
    """Return a URL in a normal form, for comparison with other URLs."""
    scheme, _, path = without_credentials(url).rpartition("::")[2].partition("://")
    return f"{scheme.removesuffix('a') if scheme == 's3a' else scheme}://{'/'.join(filter(None, path.split('/')))}"


def _fixed_part(source: str) -> str | None:
    """Return the path of a local source up to its first glob pattern, or None if the source is not local."""
    if source in {"", "-"} or "\0" in source or is_url(source):
        return None
    if os.path.lexists(source):
        return source
    fixed = re.split(r"[^/]*[*?\[]", source, maxsplit=1)[0]
    return (fixed or ".") if fixed != source else None

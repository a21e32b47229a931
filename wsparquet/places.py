"""Whether a root may lie where it is told to; asked before anything is written."""

from __future__ import annotations

import os

from wsparquet.errors import PlaceError
from wsparquet.urls import is_url, mask, sayable

__all__ = ["check_root"]


def check_root(root: str | os.PathLike[str]) -> None:
    """Refuse a place where no root can be.

    Raises:
        PlaceError: it is a URL of another kind than S3, or has bytes that are no UTF-8, which Parquet's writers refuse.

    """
    text = os.fspath(root)
    if is_url(text) and not text.startswith(("s3://", "s3a://")):
        raise PlaceError(f"{mask(text)}: expected a folder on a local disk or s3://BUCKET/PATH, found another URL")
    whole = text if is_url(text) else os.path.abspath(text)  # noqa: PTH100 - resolve() would follow links
    if sayable(whole) != whole:
        raise PlaceError(
            f"{sayable(whole)}: expected a root whose path is UTF-8, found bytes that are none (shown as %XX); "
            "choose another root"
        )

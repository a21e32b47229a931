"""Recognizes markers: files that other tools leave among sources. Folders and globs omit them."""

from __future__ import annotations

__all__ = ["is_marker"]

SUCCESS = "_SUCCESS"
"""The file that Hadoop and Spark write at the end of a job. Some committers write a report into it."""
FOLDER_SUFFIX = "_$folder$"
"""The suffix of the empty objects that EMR and Hadoop's older S3 clients use as folders."""


def is_marker(path: str, size: int | None) -> bool:
    """Return whether a listed file with this path and size in bytes is a marker.

    An empty object whose name ends with a slash is a folder that a console or a client of S3 created.
    """
    name = path.rpartition("/")[2]
    return name == SUCCESS or (size == 0 and (path.endswith("/") or name.endswith(FOLDER_SUFFIX)))

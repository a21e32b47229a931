"""Translates errors of the disk and of Arrow into DatasetErrors whose messages suggest a remedy."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from wsparquet.errors import DatasetError

__all__ = ["translate", "translated"]

_REMEDIES = {
    errno.ENOSPC: "the disk is full: free some space and run again",
    errno.EDQUOT: "the disk quota is used up: free some space and run again",
    errno.EFBIG: "a file would exceed the size limit: raise it (ulimit -f) and run again",
    errno.EACCES: "make it writable for this user, or choose another root",
    errno.EPERM: "make it writable for this user, or choose another root",
    errno.EROFS: "the file system is read-only: choose another root",
    errno.ENOTDIR: "a file or a symbolic link exists at the path of a folder: choose another root",
    errno.EEXIST: "a file exists at the path of a folder: choose another root",
    errno.ELOOP: "a symbolic link exists at the path of a file: a root must not contain symbolic links",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n) or run fewer jobs",
}

_READING = frozenset({"list", "read", "open", "look into"})


@contextmanager
def translated(action: str, path: str | os.PathLike[str]) -> Iterator[None]:
    """Translate disk and Arrow errors inside the context into a DatasetError that names ``action`` and ``path``."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise translate(error, action, path) from error


def translate(error: BaseException, action: str, path: str | os.PathLike[str]) -> DatasetError:
    """Translate an error of the disk or of Arrow into a DatasetError."""
    code = error.errno if isinstance(error, OSError) else None
    reason = os.strerror(code) if code else str(error)
    remedy = _REMEDIES.get(code or 0, "fix this and run again")
    if action in _READING and code in {errno.EACCES, errno.EPERM}:
        remedy = "make it readable for this user, or run as its owner"
        # The unreadable path may be a private folder below ``path``, such as quarantine.
        path = error.filename or path if isinstance(error, OSError) else path
    return DatasetError(f"cannot {action} {os.fspath(path)}: {reason}; {remedy}")

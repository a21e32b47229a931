"""wsparquet/store/disk_errors.py: what the errors of a disk become."""

from __future__ import annotations

import errno
import os

import pytest

from wsparquet.store.disk_errors import translate


def refused(path: str) -> PermissionError:
    """What the system says of a folder that this user may not enter."""
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)


@pytest.mark.parametrize("action", ["list", "read"])
def test_who_may_not_read_is_told_what_and_how(action: str) -> None:
    """The folder that cannot be read is named, which lies deeper than what was asked for; writing is no remedy."""
    said = str(translate(refused("/lake/_wsparquet/tmp"), action, "/lake"))
    assert said.startswith(f"cannot {action} /lake/_wsparquet/tmp: Permission denied; make it readable")


def test_who_may_not_write_is_told_so() -> None:
    """Where something was to be written, that is the remedy."""
    assert str(translate(refused("/lake/x"), "create", "/lake")).endswith(
        "cannot create /lake: Permission denied; make it writable for this user, or choose another root"
    )

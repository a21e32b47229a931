"""Changes files that several processes may change at once: each change is made to the current content.

Stores without conditional writes are used only with the user's promise that there is one writer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from wsparquet.store.store import Absent, Changed, Expectation, Refused, Store

__all__ = ["change_file", "put_expected"]

Before = TypeVar("Before")
After = TypeVar("After")


def put_expected(store: Store, path: str, data: bytes, expect: Expectation) -> None:
    """Write a file if it is in the expected state. Raises Changed if it is not, DatasetError if the store fails."""
    try:
        store.put(path, data, expect=expect)
    except Refused:
        found = store.read_version(path)
        if (Absent() if found is None else found[1]) != expect:
            raise Changed(path) from None
        store.put(path, data)


def change_file(
    store: Store,
    path: str,
    *,
    decode: Callable[[bytes | None], Before],
    change: Callable[[Before], After],
    encode: Callable[[After], bytes],
) -> After:
    """Replace the content of a file by what ``change`` makes of it, unless they are equal, and return the latter.

    ``decode`` gets None if there is no file. If another process was first, all is done again with its content. Raises
    the errors of ``decode`` and ``change``, and DatasetError if the store fails.
    """
    while True:
        found = store.read_version(path)
        before = decode(found[0] if found is not None else None)
        after = change(before)
        with suppress(Changed):
            if before != after:
                put_expected(store, path, encode(after), found[1] if found is not None else Absent())
            return after

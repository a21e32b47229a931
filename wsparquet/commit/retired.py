"""Retired parts: parts that counted, and that no commit record names any more. Only this module deletes retired parts.

A published snapshot of an Iceberg table may still name a retired part, so in a published root the part must exist until
the next snapshot. Until then it *waits*: a list in ``_wsparquet/retired/`` names it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable

from wsparquet.commit.record import FORMAT_VERSION, encode_json
from wsparquet.errors import DatasetError
from wsparquet.layout import RETIRED, is_part_path, is_retired_path, retired_path
from wsparquet.store.store import Store

__all__ = ["RetiredParts"]


class RetiredParts:
    """Deletes parts that may have counted: at once, or after the next publication if the root is published.

    Every protocol that replaces or removes parts follows these steps:

    1. Write the record that no longer names the parts.
    2. Call ``delete``, while an intent still names the parts, so that the next run repeats the call after a kill.
    3. Delete the intent.

    ``delete`` calls ``is_published`` after step 1, and ``is_published`` must read ``root.json`` at each call. A
    publisher first marks the root as published and then reads the records. Therefore, either this call sees the mark,
    or the publisher sees the new record. Parts that never counted, such as the parts of an attempt that failed before
    it wrote its record, may be deleted directly.
    """

    def __init__(self, store: Store, *, is_published: Callable[[], bool] = lambda: False) -> None:
        self._store = store
        self._is_published = is_published

    def delete(self, paths: Iterable[str]) -> None:
        """Durably delete files, but in a published root only list the parts among them; missing files are allowed.

        Other files, such as quarantine, are always deleted at once. Raises DatasetError if the store fails.
        """
        files = sorted(set(paths))
        waiting = [path for path in files if is_part_path(path)]
        if waiting and self._is_published():
            data = encode_json({"format_version": FORMAT_VERSION, "paths": waiting})
            self._store.put(retired_path(secrets.token_hex(8)), data)
            files = [path for path in files if not is_part_path(path)]
        self._store.delete(files)

    def waiting(self) -> dict[str, tuple[str, ...]]:
        """Return the parts that wait for a publication, by the path of the list that names them.

        Raises DatasetError if a list is unreadable, or names anything but parts.
        """
        found = self._store.read_below(RETIRED)
        return {path: _decode_list(data, path) for path, data in found if is_retired_path(path)}

    def finish(self, lists: Iterable[str], paths: Iterable[str]) -> None:
        """Delete the parts ``paths`` and then the lists that named them.

        Call this only if no record, and no published snapshot that readers may still open, names any of the parts.
        """
        self._store.delete(sorted(set(paths)))
        self._store.delete(sorted(lists))


def _decode_list(data: bytes, path: str) -> tuple[str, ...]:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        values = None
    paths = values.get("paths") if isinstance(values, dict) else None
    if not isinstance(paths, list) or not all(isinstance(each, str) and is_part_path(each) for each in paths):
        raise DatasetError(
            f"{path}: expected a list of parts to delete, found {len(data)} other bytes; wsparquet did not write "
            "this file: move it away, and delete the parts that no commit record names with `wsparquet clean`"
        )
    return tuple(paths)

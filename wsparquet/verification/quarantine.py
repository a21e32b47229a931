"""Reads quarantine files line by line, and reports lines that are not valid."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from wsparquet.errors import DatasetError

__all__ = ["Entry", "quarantine_entries"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Quarantined text that begins at byte ``start`` of the source.

    ``continued``: whether this text continues that of the previous entry.
    """

    kind: str
    start: int
    continued: bool
    data: bytes


def quarantine_entries(data: bytes, path: str) -> Iterator[Entry]:
    """Yield the entries of the file at ``path``. Raises DatasetError at the first invalid line."""
    for number, line in enumerate(data.splitlines(), 1):
        try:
            yield _entry(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DatasetError(
                f"{path}, line {number}: expected an object with kind, start, continued, and text or base64, found "
                f"{len(line)} bytes ({type(error).__name__}); convert its source with `again`"
            ) from error


def _entry(values: Any) -> Entry:
    kind, start, continued = values["kind"], values["start"], values["continued"]
    if kind not in {"record", "item"} or type(start) is not int or type(continued) is not bool:
        raise TypeError
    if "base64" in values:
        return Entry(kind, start, continued, base64.b64decode(values["base64"], validate=True))
    if type(values["text"]) is not str:
        raise TypeError
    return Entry(kind, start, continued, values["text"].encode("utf-8"))

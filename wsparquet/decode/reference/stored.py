"""Reads the columns ``rescued`` and ``record`` back into parsed JSON, as a decoder had it."""

from __future__ import annotations

import json
import re
from typing import Any

from wsparquet.decode.reference.parse import checked, scan
from wsparquet.decode.reference.rescue import Path, Rescue
from wsparquet.strict_json import original_json

__all__ = ["parse_path", "parse_record", "parse_rescued"]

_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]+)\]|\['((?:[^'\\]|\\.|'(?!\]))*)'\]")
_ROOT = re.compile(r"\$[a-zA-Z]*")


def parse_record(text: str) -> Any:
    """Return the parsed JSON of the column ``record``. Raises BadText if it is not JSON."""
    return _parsed(text)


def parse_rescued(text: str) -> Rescue:
    """Return the rescued values of the column ``rescued``, in order. Raises BadText if it is not a JSON object."""
    return [(parse_path(name), value) for name, value in _parsed(text)]


def _parsed(text: str) -> Any:
    original = original_json(text)
    value, _ = scan(original, 0)
    return checked(original.encode("utf-8", "surrogatepass"), value)


def parse_path(text: str) -> Path:
    """Return the chain of a path's text. The suffix ``#2`` of a second value with the same path is left out.

    >>> parse_path("$.items[0]['a b']#2")
    ((('$', 'items'), 0), 'a b')
    """
    root = _ROOT.match(text)
    path: Path = root[0] if root else ""
    at = root.end() if root else 0
    while (step := _STEP.match(text, at)) is not None:
        name, index, quoted = step.groups()
        if index is not None:
            path = (path, int(index))
        else:
            path = (path, name if name is not None else json.loads(f'"{quoted}"'))
        at = step.end()
    return path

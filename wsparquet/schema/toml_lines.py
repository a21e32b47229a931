"""Finds the lines of a TOML file's keys, for error messages: the parser of the standard library does not tell them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

__all__ = ["line_of"]

Keys = tuple[str, ...]


def line_of(text: str, keys: Keys) -> int:
    r"""Return the number of the line, from 1, that defines a key of a valid TOML file, or the key around it.

    >>> line_of("[structs.Navigation]\nfields.title = 'string'", ("structs", "Navigation", "fields", "title", "type"))
    2
    """
    table: Keys = ()
    best, found = 1, -1
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            table = here = _keys(stripped.partition("#")[0].strip("[ \t]") + " = 1")
        else:
            here = table + _keys(stripped.partition("=")[0] + "= 1") if "=" in stripped else ()
        if here and here[: len(keys)] == keys:
            return number
        if here and len(here) > found and keys[: len(here)] == here:
            best, found = number, len(here)
    return best


def _keys(line: str) -> Keys:
    """Return the keys of one line, or none if the line has no key, because it is a part of a longer value."""
    try:
        values: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    keys: list[str] = []
    while isinstance(values, Mapping) and len(values) == 1:
        ((key, values),) = values.items()
        keys.append(key)
    return tuple(keys)

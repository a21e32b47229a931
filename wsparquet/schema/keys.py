"""Compares keys, and decides whether a key is a tag.

Sources of the rules: Avro 1.11 specification, "JSON Encoding"; docs/decoding.md, "Keys" and "Tags".
"""

from __future__ import annotations

import re
import string
from functools import lru_cache

__all__ = ["AVRO_NAMES", "is_identifier", "is_tag", "last_part", "normalise", "short_tag"]

AVRO_NAMES = frozenset({"string", "int", "long", "float", "double", "boolean", "bytes", "array", "map"})

_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase, " \t_")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=4096)
def normalise(key: str) -> str:
    """Normalize a key for comparison: convert ASCII letters to lower case, and remove blanks and underscores."""
    return key.translate(_FOLD)


def last_part(name: str) -> str:
    """Return a type's name without its namespace."""
    return name.rpartition(".")[2]


def short_tag(tag: str) -> str:
    """Return a body tag as tables list it: in lower case, without namespace, leading WebSession and trailing Data."""
    return normalise(last_part(tag)).removeprefix("websession").removesuffix("data")


def is_tag(key: str, names: frozenset[str]) -> bool:
    """Whether ``key``, the only key of an object, is a tag. ``names`` has the normalized names of the expected type."""
    return key in AVRO_NAMES or "." in key or normalise(key) in names


def is_identifier(key: str) -> bool:
    """Whether the key may appear in a path without quotes."""
    return _IDENTIFIER.fullmatch(key) is not None

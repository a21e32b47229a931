"""When two keys are the same, and when a key is a tag.

Sources of the rules: Avro 1.11 specification, "JSON Encoding"; docs/decoding.md, "Keys" and "Tags".
"""

from __future__ import annotations

import re
import string
from functools import lru_cache

__all__ = ["AVRO_NAMES", "is_identifier", "is_tag", "last_part", "normalise", "shed"]

AVRO_NAMES = frozenset({"string", "int", "long", "float", "double", "boolean", "bytes", "array", "map"})

_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase, " \t_")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@lru_cache(maxsize=4096)
def normalise(key: str) -> str:
    """The form in which keys are compared: ASCII lower case, no blanks, no underscores."""
    return key.translate(_FOLD)


def last_part(name: str) -> str:
    """A type's name without its namespace."""
    return name.rpartition(".")[2]


def shed(tag: str) -> str:
    """A body tag as tables list it: without namespace, ``WebSession`` and ``Data``, in lower case."""
    return normalise(last_part(tag)).removeprefix("websession").removesuffix("data")


def is_tag(key: str, names: frozenset[str]) -> bool:
    """Whether the only key of an object is a tag at a position whose own type goes by ``names`` (normalised)."""
    return key in AVRO_NAMES or "." in key or normalise(key) in names


def is_identifier(key: str) -> bool:
    """Whether a key can stand in a path without quotes."""
    return _IDENTIFIER.fullmatch(key) is not None

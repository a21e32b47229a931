"""Rescued values, which have no matching column: their paths and their JSON text.

A path is a chain of ``(parent, step)`` pairs that ends in a root such as ``$`` or ``$body``. A step is a key or an
index. Chains are cheap to build. A chain is converted to text only if a value is rescued.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from json.encoder import encode_basestring
from typing import Any

from wsparquet.decode.reference.values import Constant, Literal
from wsparquet.schema.keys import is_identifier
from wsparquet.strict_json import strict_number, strict_string, strict_word

__all__ = ["Path", "Rescue", "by_path", "path_text", "rescued_json", "to_json"]

# The type is ``str | tuple[Path, str | int]``. If the type were declared, mypy would require checks that slow down the
# loop.
Path = Any
Rescue = list[tuple[Path, Any]]


def path_text(path: Path, *, starred: bool = False) -> str:
    """Return the path as text, such as ``$.items[0].url``. If ``starred`` is true, every index becomes ``[*]``."""
    steps: list[str] = []
    while isinstance(path, tuple):
        path, step = path
        steps.append(_step(step, starred=starred))
    return str(path) + "".join(reversed(steps))


def _step(step: str | int, *, starred: bool) -> str:
    if isinstance(step, int):
        return "[*]" if starred else f"[{step}]"
    return f".{step}" if is_identifier(step) else f"['{json.dumps(step)[1:-1]}']"


def to_json(value: Any) -> str:
    """Return a parsed value as strict JSON text. Number literals stay as written."""
    match value:
        case Literal():
            return strict_number(value)
        case Constant():
            return strict_word(value)
        case str():
            return str(encode_basestring(strict_string(value)))
        case tuple():
            return "{" + ", ".join(f"{to_json(key)}: {to_json(item)}" for key, item in value) + "}"
        case list():
            return "[" + ", ".join(map(to_json, value)) + "]"
        case _:
            return {None: "null", True: "true", False: "false"}[value]


def rescued_json(rescue: Iterable[tuple[Path, Any]]) -> dict[str, str]:
    """Map paths to the JSON texts of values as ``by_path`` does."""
    return by_path((path, to_json(value)) for path, value in rescue)


def by_path(rescue: Iterable[tuple[Path, str]]) -> dict[str, str]:
    """Map paths to texts, in order of appearance. A path's second text gets the suffix ``#2``, and so on."""
    uses: dict[str, int] = {}
    texts: dict[str, str] = {}
    for path, text in rescue:
        name = path_text(path)
        uses[name] = uses.get(name, 0) + 1
        texts[name if uses[name] == 1 else f"{name}#{uses[name]}"] = text
    return texts


def json_object(texts: dict[str, str]) -> str:
    """Return a JSON object that maps keys to values."""
    return "{" + ", ".join(f"{json.dumps(key)}: {text}" for key, text in texts.items()) + "}"

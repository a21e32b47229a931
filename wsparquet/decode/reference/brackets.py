"""Where a piece of broken JSON ends, and how deep JSON is nested: brackets counted outside strings.

Only text that the parser refused, and the rare record that may be too deep, comes here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["MAX_DEPTH", "ElementEnd", "depth", "element_end"]

MAX_DEPTH = 128

# A string, or a quote that opens none (over a line's end, or at the end of the text), or anything of structure.
_TOKEN = re.compile(rb'"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*(?P<closed>")?|[{}\[\],]')
_OPENER = {b"}": b"{", b"]": b"["}


@dataclass(frozen=True, slots=True)
class ElementEnd:
    """How the search for an element's end went: ``found`` or ``broken`` at ``end``, or ``open`` as text ran out."""

    state: Literal["found", "broken", "open"]
    end: int
    depth: int


def element_end(data: bytes, start: int, limit: int) -> ElementEnd:
    """Where the element of an array that starts at ``start`` ends: at the comma or closing bracket behind it.

    It is broken where a bracket closes another kind, or a string runs over a line's end.
    """
    stack: list[bytes] = []
    deepest = 0
    for match in _TOKEN.finditer(data, start, limit):
        token = match.group()
        if token[0] == 0x22:
            if match["closed"] is None:
                rest = data[match.end() : min(match.end() + 2, limit)]
                return ElementEnd("open" if rest in {b"", b"\\"} else "broken", match.start(), deepest)
        elif token in b"{[":
            stack.append(token)
            deepest = max(deepest, len(stack))
        elif not stack and token in b",]":
            return ElementEnd("found", match.start(), deepest)
        elif token != b"," and (not stack or stack.pop() != _OPENER[token]):
            return ElementEnd("broken", match.start(), deepest)
    return ElementEnd("open", limit, deepest)


def depth(data: bytes) -> int:
    """How many levels of brackets whole JSON text has; the outermost is the first."""
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return 0  # shallow for certain, and that is all that anyone asks
    return element_end(data + b",", 0, len(data) + 1).depth

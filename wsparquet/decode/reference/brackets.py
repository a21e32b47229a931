"""Finds the end of broken JSON, and the nesting depth of JSON, by counting brackets outside strings.

Brackets are counted only for text that the parser rejects, and for the rare records that may be nested too deep.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["MAX_DEPTH", "ElementEnd", "depth", "element_end"]

MAX_DEPTH = 128

# A string, an opening quote without a closing quote on its line, a bracket, or a comma.
_TOKEN = re.compile(rb'"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*(?P<closed>")?|[{}\[\],]')
_OPENER = {b"}": b"{", b"]": b"["}


@dataclass(frozen=True, slots=True)
class ElementEnd:
    """The result of a search for an element's end.

    ``state``: ``found`` or ``broken``, with the position in ``end``, or ``open`` if more text is needed.
    """

    state: Literal["found", "broken", "open"]
    end: int
    depth: int


def element_end(data: bytes, start: int, limit: int) -> ElementEnd:
    """Find the end of the array element that starts at ``start``: the comma or closing bracket after the element.

    An element is broken if its brackets do not match, or if one of its strings contains a line feed.
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
    """Return the nesting depth of complete JSON text; the outermost bracket is level 1."""
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return 0  # certainly below the limit, which is all that callers need
    return element_end(data + b",", 0, len(data) + 1).depth

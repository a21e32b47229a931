"""Write pieces of Markdown for Python-Markdown, which renders the site: escaped text and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["escaped", "table"]

_SPECIAL = re.compile(r"([\\*_<>|\[\]])")


def escaped(text: str) -> str:
    """The text with a backslash before each character that Markdown would interpret; code spans stay as they are."""
    pieces = text.split("`")
    return "`".join(piece if number % 2 else _SPECIAL.sub(r"\\\1", piece) for number, piece in enumerate(pieces))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table. Cells are Markdown: ``escaped`` text, links, and code spans, which may hold any bar."""
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"

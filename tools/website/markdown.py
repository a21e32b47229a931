"""Writes escaped text and tables in the Markdown of Python-Markdown, which renders the site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["escaped", "table"]

_SPECIAL = re.compile(r"([\\*_<>|\[\]])")


def escaped(text: str) -> str:
    """Return the text with a backslash before each character that Markdown would interpret, except in code spans."""
    pieces = text.split("`")
    return "`".join(piece if number % 2 else _SPECIAL.sub(r"\\\1", piece) for number, piece in enumerate(pieces))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table. Cells are Markdown: ``escaped`` text, links, or code spans with ``|``."""
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"

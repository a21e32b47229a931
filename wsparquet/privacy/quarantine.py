"""Finds the texts of people in quarantine files, and copies the files without these texts."""

from __future__ import annotations

import base64
import itertools
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any, BinaryIO

from wsparquet.errors import DatasetError
from wsparquet.privacy.ids import LONGEST
from wsparquet.privacy.people import People

__all__ = ["TextFinder", "copy_without", "count_kinds", "find_texts"]

Group = tuple[int, str]
"""The number of a text in the file, counted from 0, and its kind: ``record`` or ``item``."""


class TextFinder:
    """Searches texts that come in pieces. An id may begin in one piece and end in the next."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._tail = ""

    def has(self, piece: str, continued: bool) -> bool:
        """Return whether a piece has an id of the people; ``continued``: whether it continues the piece before."""
        text = (self._tail if continued else "") + piece
        self._tail = text[-LONGEST:]
        return self._people.in_text(text)


def find_texts(lines: Iterable[bytes], people: People, where: str) -> list[Group]:
    """Return the texts with an id of these people. A long text is in several lines, and is a text of them as a whole.

    Raises DatasetError if a line is not valid; ``where`` names the file.
    """
    finder = TextFinder(people)
    found = (group for group, continued, values in _texts(lines, where) if finder.has(_text(values), continued))
    return list(dict.fromkeys(found))


def copy_without(lines: Iterable[bytes], groups: Collection[Group], to: BinaryIO, where: str) -> int:
    """Write all lines but those of some texts, and return how many texts are written. Raises like ``find_texts``."""
    kept = set[Group]()
    one, other = itertools.tee(lines)
    for line, (group, _, _) in zip(one, _texts(other, where), strict=True):
        if group not in groups:
            to.write(line)
            kept.add(group)
    return len(kept)


def count_kinds(groups: Iterable[Group]) -> Counter[str]:
    """Return how many of the texts are records, and how many are items."""
    return Counter(kind for _, kind in groups)


def _texts(lines: Iterable[bytes], where: str) -> Iterator[tuple[Group, bool, dict[str, Any]]]:
    number = -1
    for line in lines:
        try:
            values = json.loads(line)
            kind, continued = values["kind"], values["continued"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DatasetError(
                f"{where}: expected lines with kind and continued, found {len(line)} other bytes "
                f"({type(error).__name__}); convert its source with `again`"
            ) from error
        number += not continued
        yield (number, kind), continued, values


def _text(values: dict[str, Any]) -> str:
    if "base64" in values:
        return base64.b64decode(values["base64"]).decode("utf-8", "replace")
    return str(values.get("text", ""))

"""A mutant: one small fault in one module; and the order in which a run tries mutants."""

from __future__ import annotations

import difflib
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

__all__ = ["Mutant", "drawn"]


@dataclass(frozen=True)
class Mutant:
    """One fault: the module's text before, and what makes the text after, which takes a while.

    ``path`` is relative to the tree. ``line`` is the line of the fault, ``number`` counts the faults on this line from
    1. ``first`` and ``last`` are the lines of the statement around the fault: a test that runs none of them cannot
    notice the fault. ``last`` is 0 if the statement runs at import, so that every test can notice the fault.
    """

    path: str
    line: int
    number: int
    first: int
    last: int
    before: str
    render: Callable[[], str]

    @cached_property
    def after(self) -> str:
        """The text of the module with the fault."""
        return self.render()

    @property
    def name(self) -> str:
        """What `MUTANT=` selects: path, line and number."""
        return f"{self.path}:{self.line}:{self.number}"

    @property
    def diff(self) -> str:
        """The fault as a unified diff."""
        before, after = self.before.splitlines(keepends=True), self.after.splitlines(keepends=True)
        return "".join(difflib.unified_diff(before, after, f"a/{self.path}", f"b/{self.path}"))

    @property
    def change(self) -> tuple[str, str]:
        """The removed and the added lines, without indentation: they stay the same if lines above change."""
        lines = self.diff.splitlines()[2:]
        removed, added = ("\n".join(line[1:].strip() for line in lines if line[0] == sign) for sign in "-+")
        return removed, added


def drawn(mutants: Iterable[Mutant], seed: int) -> Iterator[Mutant]:
    """Yield all mutants in random order, but no second mutant of a line before the first of each line.

    The same seed gives the same order as long as the code stays the same.
    """
    chance = random.Random(seed)
    lines: defaultdict[tuple[str, int], list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        lines[mutant.path, mutant.line].append(mutant)
    ranked = []
    for group in lines.values():
        chance.shuffle(group)
        ranked += [(rank, chance.random(), mutant) for rank, mutant in enumerate(group)]
    ranked.sort(key=lambda entry: entry[:2])
    return (mutant for _, _, mutant in ranked)

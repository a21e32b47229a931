"""The mutants that no test can notice, because the mutated code does the same; people have judged them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tools.mutants.mutant import Mutant

__all__ = ["is_known", "known_equivalents"]

FILE = Path(__file__).with_name("equivalent.toml")

Known = frozenset[tuple[str, str, str]]


def known_equivalents(file: Path = FILE) -> Known:
    """Return path, removed lines and added lines of each known equivalent."""
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", [])
    return frozenset((entry["path"], entry["removed"].strip(), entry["added"].strip()) for entry in entries)


def is_known(mutant: Mutant, known: Known) -> bool:
    """Return whether a mutant is known to be equivalent."""
    return (mutant.path, *mutant.change) in known

"""How often each optional field has a value: reads the table ``frequencies.csv``, which is meant to be edited.

A row has a struct, a field, and the share of values that are not null. An empty struct stands for every struct, and the
field ``*`` for every other field of the struct.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

__all__ = ["present"]

_ANY = "*"


@cache
def _table() -> dict[tuple[str, str], float]:
    text = files("wsparquet.generate").joinpath("frequencies.csv").read_text(encoding="utf-8")
    return {(row["struct"], row["field"]): float(row["present"]) for row in csv.DictReader(text.splitlines())}


def present(owner: str, name: str) -> float:
    """Return the share, 0 to 1, of a struct's values in which a field is not null."""
    table = _table()
    keys = ((owner, name), ("", name), (owner, _ANY), ("", _ANY))
    return next(table[key] for key in keys if key in table)

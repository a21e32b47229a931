"""The parts that Iceberg tables must name: the parts that count, which ``open_dataset`` and ``scan`` also read.

An Iceberg table names whole files only. Rows of a day part that do not count must therefore be removed from the day
part first.
"""

from __future__ import annotations

from typing import NamedTuple

from wsparquet.commit.record import Part
from wsparquet.dataset import LakeDataset, Root
from wsparquet.layout import key_of_part

__all__ = ["TablePart", "Unsettled", "parts_by_location"]


class TablePart(NamedTuple):
    """A part that counts; ``source_file`` is the value of this column in all its rows, or None if it differs."""

    part: Part
    source_file: str | None


class Unsettled(Exception):
    """A day part has void rows, because another run has just replaced or removed their source."""


def parts_by_location(root: Root, base: str, *, settled: bool = True) -> dict[str, dict[str, TablePart]]:
    """Return the parts that count now, by table and location.

    Raises Unsettled if a part has rows that do not count, unless ``settled`` is false.
    """
    lake = LakeDataset(root)
    names = {header.identity.key: header.facts.source_name for header in lake.commits.headers()}
    found: dict[str, dict[str, TablePart]] = {}
    for table in lake.tables:
        parts = lake.parts(table)
        if settled and any(each.void for each in parts):
            raise Unsettled
        keyed = ((each.part, key_of_part(each.part.path)) for each in parts)
        found[table] = {f"{base}/{part.path}": TablePart(part, names.get(key) if key else None) for part, key in keyed}
    return found

"""The result of ``publish``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from wsparquet.json_values import in_json
from wsparquet.results import Result

__all__ = ["KEEP", "Mismatch", "PublishedTable", "Publishing"]

KEEP = timedelta(days=7)
"""How long old snapshots and their metadata are kept by default."""


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """A published table; ``metadata`` is the location of its newest metadata file.

    ``files`` and ``rows`` are the numbers in the table's current snapshot. ``added`` and ``removed`` are the numbers of
    files by which the publication changed the table; both are 0 if nothing had changed.

    >>> wsparquet.PublishedTable("geo", "lake/_wsparquet/iceberg/geo/metadata/v1.metadata.json", files=2, rows=40).added
    0
    """

    name: str
    metadata: str
    files: int
    rows: int
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A difference between a published table and the commit records."""

    where: str
    expected: str
    found: str


@dataclass(frozen=True, repr=False)
class Publishing(Result):
    """The result of ``publish``. ``catalog`` is None if the tables are in the root itself.

    ``tables`` has every table of the root, also those without rows. ``stopped``: whether the publication has ended.

    >>> wsparquet.Publishing("lake", tables=(wsparquet.PublishedTable("geo", "…/v1.metadata.json", files=2, rows=40),))
    <Publishing root=lake, tables=1, rows=40>
    """

    root: str
    catalog: str | None = None
    tables: tuple[PublishedTable, ...] = ()
    stopped: bool = False
    keep: timedelta = field(default=KEEP, metadata=in_json("keep_seconds", convert=timedelta.total_seconds))

    def facts(self) -> Mapping[str, object]:
        """Return the number of tables, the number of their rows, and the numbers of added and removed files."""
        return {
            "root": self.root,
            "catalog": self.catalog,
            "tables": len(self.tables) or None,
            "rows": sum(each.rows for each in self.tables) or None,
            "added": sum(each.added for each in self.tables) or None,
            "removed": sum(each.removed for each in self.tables) or None,
            "stopped": self.stopped,
        }

"""The interface of the two places for a root's Iceberg tables: the root itself (``in_root``), and a catalog.

A table is loaded as a ``State`` and changed by a ``Change`` that depends on this state. If the table has changed in the
meantime, nothing is written and ``Lost`` is raised: the difference must then be computed again, from newer records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import TableRequirement, TableUpdate, update_table_metadata

from wsparquet.dataset import Root

__all__ = ["Change", "Lost", "State", "Tables", "table_names"]


def table_names(root: Root) -> tuple[str, ...]:
    """Return the names of the tables that a root publishes, which are all of its tables."""
    return tuple(root.schema.tables)


class Lost(Exception):
    """Another publisher has changed a table since it was loaded; nothing was written."""


@dataclass(frozen=True)
class State:
    """A table as it was loaded.

    ``exists``: whether the table exists; if not, ``metadata`` is what it begins with. ``location``: the location of the
    metadata file. ``version``: the number of the newest version in the root, or 0. ``handle``: the catalog's
    table, or the bytes of that version.
    """

    name: str
    metadata: TableMetadata
    exists: bool
    location: str | None = None
    version: int = 0
    handle: Any = None


@dataclass(frozen=True)
class Change:
    """The updates of a table's metadata, and the requirements that the table must still meet when they are applied."""

    updates: tuple[TableUpdate, ...]
    requirements: tuple[TableRequirement, ...]

    def applied_to(self, state: State) -> TableMetadata:
        """Return the metadata after the updates."""
        return update_table_metadata(state.metadata, self.updates, metadata_location=state.location)


class Tables(Protocol):
    """The Iceberg tables of one root. Every method raises DatasetError if the root or the catalog fails."""

    place: str
    """Where the tables are, for messages."""

    def load(self, name: str) -> State:
        """Return the current state of a table. If the table does not exist, return the state of a new table.

        Raises DatasetError if the catalog has another root's table of this name.
        """
        ...

    def commit(self, state: State, change: Change) -> State:
        """Create or change a table atomically, and return its new state.

        Raises Lost if the table is no longer as in ``state``.
        """
        ...

    def settle(self, state: State) -> None:
        """Make sure that readers that open the table find ``state`` or a newer state."""
        ...

    def is_settled(self, state: State) -> bool:
        """Return whether readers that open the table find ``state``."""
        ...

    def drop(self, name: str) -> None:
        """Make the table disappear for readers, if the table belongs to this root. Its files stay."""
        ...

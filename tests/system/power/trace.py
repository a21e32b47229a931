"""What was done to a folder and all that is in it: names that were set and removed, and what was synced when."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field


@dataclass(eq=False)
class File:
    """A file, by whatever names; ``data`` is its final content, because a file is written once.

    ``number`` is another for each file of this process.
    """

    data: bytes = field(default=b"", repr=False)
    mode: int = 0o644
    synced: bool = False
    number: int = field(default_factory=itertools.count().__next__)


@dataclass(eq=False)
class Folder:
    """A folder; ``names`` is what it has now, at the end of what was recorded."""

    mode: int = 0o755
    names: dict[str, Node] = field(default_factory=dict, repr=False)


Node = File | Folder


@dataclass(frozen=True, eq=False)
class Named:
    """A name was set to a file or a folder, or removed; ``path`` is for messages, relative to the world."""

    folder: Folder
    name: str
    node: Node | None
    path: str


@dataclass(frozen=True, eq=False)
class Synced:
    """A file's data or a folder's names were synced; ``site`` is the function that did so, and the kind of path.

    ``number``: how many changes and syncs had been made, this one included.
    """

    node: Node
    site: str
    path: str
    number: int


Event = Named | Synced


@dataclass
class Trace:
    """A world's events in order. ``before`` is what it had on the disk before them: each folder's names.

    A crash is tried after each event from number ``start`` on; earlier ones only say what is not yet synced.
    """

    world: Folder
    before: dict[Folder, dict[str, Node]]
    events: list[Event] = field(default_factory=list)
    start: int = 0

    def sites(self) -> list[str]:
        """Return every place at which something was synced, sorted."""
        return sorted({event.site for event in self.syncs()})

    def syncs(self) -> list[Synced]:
        """Return all syncs, in order."""
        return [event for event in self.events if isinstance(event, Synced)]

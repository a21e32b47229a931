"""The events of the splitter, in the order of the stream. Offsets are byte offsets in the decompressed text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["ContainerEnd", "ContainerStart", "ContainerValue", "Event", "Item", "Record"]


@dataclass(frozen=True, slots=True)
class ContainerStart:
    """The start of a container's ``recordCollection``. ``values`` has the container's parsed values before this key."""

    number: int
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ContainerValue:
    """A value of the open container after its records, or a ``recordCollection`` that is not a list."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class ContainerEnd:
    """The end of the open container, which may be complete or incomplete."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record with its text ``raw`` and its offset ``start``. ``reason`` says why the record could not be parsed."""

    number: int
    start: int
    raw: bytes
    value: Any = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """Quarantined text outside of records. ``continued`` is true if the text is a further piece of the same item."""

    start: int
    raw: bytes
    reason: str
    continued: bool = False


Event = ContainerStart | ContainerValue | ContainerEnd | Record | Item

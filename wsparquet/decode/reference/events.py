"""The events of the splitter, in the order of the stream. Offsets are bytes of the decompressed text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["ContainerEnd", "ContainerStart", "ContainerValue", "Event", "Item", "Record"]


@dataclass(frozen=True, slots=True)
class ContainerStart:
    """The start of a container's ``recordCollection``: the container's number, and the parsed values before it."""

    number: int
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ContainerValue:
    """A value of the open container after its records, or a ``recordCollection`` that is not a list."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class ContainerEnd:
    """The end of the open container, complete or cut off."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record: its parsed value, or the ``reason`` why there is none; ``raw`` is its text and ``start`` its offset."""

    number: int
    start: int
    raw: bytes
    value: Any = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """Quarantined text outside records; ``continued`` if it is a further piece of the previous item."""

    start: int
    raw: bytes
    reason: str
    continued: bool = False


Event = ContainerStart | ContainerValue | ContainerEnd | Record | Item

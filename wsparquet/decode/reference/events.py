"""What the splitter finds in a stream, in the stream's order. Offsets are bytes of the inflated text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["ContainerEnd", "ContainerStart", "ContainerValue", "Event", "Item", "Record"]


@dataclass(frozen=True, slots=True)
class ContainerStart:
    """A container whose ``recordCollection`` is reached: its number, and the values before it, parsed."""

    number: int
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ContainerValue:
    """A value of the open container that stands behind its records, or a ``recordCollection`` that is no list."""

    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class ContainerEnd:
    """The open container is over, whole or cut."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: parsed, or the ``reason`` why it could not be; ``raw`` is its text and ``start`` its offset."""

    number: int
    start: int
    raw: bytes
    value: Any = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """Text outside records that is quarantined; ``continued`` where it is a further piece of the item before."""

    start: int
    raw: bytes
    reason: str
    continued: bool = False


Event = ContainerStart | ContainerValue | ContainerEnd | Record | Item

"""The commas and the closing bracket of a top-level array of containers.

Source of the rules: docs/decoding.md, "Input". The containers themselves are read like containers outside an array.
"""

from __future__ import annotations

from wsparquet.decode.reference.events import Item

__all__ = ["Array"]


class Array:
    """The top-level array; ``is_open`` says whether there is one.

    A comma that is not between two containers becomes an item.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._filled = False
        self._comma: int | None = None

    def open(self) -> None:
        """Enter an array before its first container."""
        self.is_open, self._filled, self._comma = True, False, None

    def fill(self) -> None:
        """Note that a container or other text follows."""
        self._filled, self._comma = True, None

    def take(self, mark: bytes, offset: int) -> list[Item]:
        """Consume the comma or the closing bracket at the byte ``offset`` of the stream."""
        if mark == b"]":
            self.is_open = False
            return [] if self._comma is None else [Item(self._comma, b",", "a comma without a container after it")]
        if not self._filled:
            return [Item(offset, b",", "a comma without a container before it")]
        self._filled, self._comma = False, offset
        return []

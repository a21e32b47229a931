"""Reads complete keys and values of a container, or reports that a key or value may continue in later text."""

from __future__ import annotations

import json
from typing import Any

from wsparquet.decode.model import Limits
from wsparquet.decode.reference.brackets import MAX_DEPTH, depth
from wsparquet.decode.reference.buffer import ESCAPED, Buffer
from wsparquet.decode.reference.parse import DEEP, BadText, checked
from wsparquet.decode.reference.resync import Rejected, reaches_collection
from wsparquet.decode.reference.syntax import Cut, Key, Wrong, key_at, may_continue, value_end
from wsparquet.decode.reference.values import Literal
from wsparquet.errors import DecodeError
from wsparquet.schema.keys import is_tag

__all__ = ["PIECE", "TOO_DEEP", "Elements"]

PIECE = 1 << 20
"""The maximum size of one piece of a quarantined item, and of a scalar between containers, in bytes."""

TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
CUT_OFF = "cut off by the start of the next container"


class Elements:
    """Reads keys and values in the text of a buffer up to its ``limit``."""

    def __init__(self, buffer: Buffer, limits: Limits) -> None:
        self._buffer = buffer
        self._limits = limits

    def value(self, at: int) -> tuple[Any, int] | None:
        """Return the value at ``at`` and the index after it, or None if more text is needed.

        The value is ``DEEP`` if it is nested so deep that the parser cannot build it.

        Raises:
            BadText: the text is not a JSON value, no matter what follows.
            DecodeError: the value is longer than a record may be, and has no error within this length.

        """
        buffer = self._buffer
        try:
            value, end = buffer.scan(at)
        except BadText as error:
            found = self._valid_end(at, error)
            if found is None:
                return None
            value, end = DEEP, found
        if end > buffer.limit:
            self._check_length(buffer.limit - at)
            if not buffer.complete:
                return None
            raise BadText(CUT_OFF)
        self._check_length(end - at)
        # A number at the end may continue in later text.
        known = buffer.skip_number(end) if type(value) is Literal else buffer.skip_space(end)
        if known == buffer.limit and not buffer.complete:
            return None
        return checked(buffer.data[at:end], value), end

    def _valid_end(self, at: int, error: BadText) -> int | None:
        """Return the index after a value that the parser rejects but that is valid, or None if more text is needed.

        Raises ``error`` if the value is not valid.
        """
        buffer = self._buffer
        try:
            return value_end(buffer.data, at, buffer.limit)
        except Cut:
            self._check_length(buffer.limit - at)
            if buffer.complete:
                raise (BadText(CUT_OFF) if buffer.limit < len(buffer.data) else error) from None
        except Wrong as wrong:
            self._check_length(wrong.position - at)
            if buffer.complete or not may_continue(buffer.data, wrong.position, buffer.limit):
                raise error from None
        return None

    def _check_length(self, size: int) -> None:
        if size > self._limits.max_record:
            raise self.too_long("record or container value", "max_record")

    def too_long(self, what: str, parameter: str) -> DecodeError:
        """Return the error for a text at the buffer's position that exceeds the limit ``parameter``."""
        offset = self._buffer.base + self._buffer.position
        return DecodeError(
            f"a {what} at byte {offset} is longer than {getattr(self._limits, parameter)} bytes; "
            f"if the file is a valid Web Session file, raise the limit with `{parameter}`"
        )

    def container_value(self, at: int) -> tuple[Any, int] | None:
        """Like ``value``, but a value that is nested too deep makes the container unreadable."""
        found = self.value(at)
        if found is not None and depth(self._buffer.data[at : found[1]]) > MAX_DEPTH:
            raise BadText(TOO_DEEP)
        return found

    def line_value(self) -> tuple[Any, int] | None:
        """Like ``value``, for a scalar outside containers. Returns None until the scalar's line is complete."""
        buffer = self._buffer
        newline = buffer.data.find(b"\n", buffer.position, buffer.limit)
        end = newline if newline >= 0 else buffer.limit
        if end - buffer.position >= PIECE:
            raise BadText("the line is too long")
        if newline < 0 and not buffer.complete:
            return None
        value, end = buffer.scan(buffer.position)
        return checked(buffer.data[buffer.position : end], value), end

    def key(self, at: int) -> tuple[str, int] | None:
        """Return the key at ``at`` and the index of its value, or None if more text is needed."""
        buffer = self._buffer
        expected = f"expected a key and its value at byte {buffer.base + at}"
        try:
            key = key_at(buffer.data, at, buffer.limit)
        except Wrong:
            raise BadText(expected) from None
        except Cut:
            key = None
        if key is None or key.value == buffer.limit:
            if buffer.complete:
                raise BadText(expected)
            return None
        return self._text(key), key.value

    def _text(self, key: Key) -> str:
        raw = self._buffer.data[key.start : key.end]
        text: str = checked(raw, json.loads(raw.decode("utf-8", ESCAPED)))
        return text

    def after(self, end: int) -> int:
        """Given the end of a value, return the index of the next key or of the object's closing bracket."""
        buffer = self._buffer
        at = buffer.skip_space(end)
        if buffer.data[at : at + 1] == b",":
            return buffer.skip_space(at + 1)
        if at == buffer.limit or buffer.data[at : at + 1] != b"}":
            raise BadText(f"expected a comma or a closing bracket at byte {buffer.base + at}")
        return at

    def tagged_bracket(self, at: int) -> int | None:
        """Return the index of the opening bracket of a list of records, given the index ``at`` of the tag around it."""
        buffer = self._buffer
        if buffer.data[at] != 0x7B:  # {
            return None
        try:
            key = key_at(buffer.data, buffer.skip_space(at + 1), buffer.limit)
        except (Cut, Wrong):
            return None
        if key.value == buffer.limit or buffer.data[key.value] != 0x5B:  # [
            return None
        return key.value if is_tag(self._text(key), frozenset()) else None

    def opens_array(self) -> bool | None:
        """Whether the array at the buffer's position begins with a container, or None if more text is needed."""
        buffer = self._buffer
        first = buffer.skip_between(buffer.position + 1)
        if first == buffer.limit and buffer.complete:
            return not buffer.at_end  # a border is the start of a container
        if first == buffer.limit or buffer.may_be_mark(first):
            return None
        return buffer.data[first] == 0x7B and self._reaches_collection(first)  # {

    def _reaches_collection(self, at: int) -> bool | None:
        buffer = self._buffer
        try:
            reaches_collection(buffer.data, at, buffer.limit)
        except Cut:
            return False if buffer.complete else None
        except Wrong as wrong:
            return None if not buffer.complete and may_continue(buffer.data, wrong.position, buffer.limit) else False
        except Rejected:
            return False
        return True

"""Finds where containers, their values, and their records begin and end in a stream of bytes.

A border is the start of a line that always starts a container. A state machine reads the text between two borders,
container by container and record by record. The JSON scanner normally finds each record's end; brackets are counted
only if the scanner fails. Each state is a method that advances and returns events, or returns None if it needs more
text. The rules are in docs/decoding.md, "Input" and "Quarantine".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wsparquet.decode.keys import is_tag, normalise
from wsparquet.decode.model import Limits
from wsparquet.decode.reference.brackets import MAX_DEPTH, depth, element_end
from wsparquet.decode.reference.buffer import SPACE, Buffer
from wsparquet.decode.reference.events import ContainerEnd, ContainerStart, ContainerValue, Event, Item, Record
from wsparquet.decode.reference.parse import BadText, checked
from wsparquet.decode.reference.readers import unwrap_tag
from wsparquet.decode.reference.values import Literal
from wsparquet.errors import DecodeError

__all__ = ["TOO_DEEP", "Splitter"]

PIECE = 1 << 20
"""The maximum size of one piece of a quarantined item, in bytes."""

TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
CUT_OFF = "cut off by the start of the next container"

_KEY = re.compile(rb'("[^"\\\n]*(?:\\[^\n][^"\\\n]*)*")[ \t\r\n]*:[ \t\r\n]*')
_TAGGED_LIST = re.compile(rb'\{[ \t\r\n]*("[^"\\\n]*(?:\\[^\n][^"\\\n]*)*")[ \t\r\n]*:[ \t\r\n]*\[')

Events = Sequence[Event]


class Splitter:
    """A push parser: ``feed`` and ``finish`` yield all events that can be determined from the text so far."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.buffer = Buffer()
        self.containers = 0
        self.records = 0
        self._state: Callable[[], Events | None] = self._between
        self._in_container = False
        self._tagged = False
        self._comma: int | None = None
        self._awaited = 0
        self._reason = ""
        self._skipped = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """Parse the next bytes and yield their events.

        Raises:
            DecodeError: a record, a container value, or a stretch of text outside containers exceeds its limit.

        """
        new_border = self.buffer.append(data)
        if not self.buffer.begun:
            return
        # Read an incomplete record again only when the text has doubled, not at every chunk: total work stays linear.
        if new_border or len(self.buffer.data) - self.buffer.position >= self._awaited:
            self.buffer.ready()
            yield from self._run()

    def finish(self) -> Iterator[Event]:
        """Parse what is left at the end of the text. Raises the same errors as ``feed``."""
        self.buffer.end()
        yield from self._run()

    def _run(self) -> Iterator[Event]:
        buffer = self.buffer
        self._awaited = 0
        while True:
            if self._state not in (self._skip, self._skip_line):
                buffer.position = buffer.skip_space(buffer.position)
            if buffer.position == buffer.limit:
                if not buffer.complete:
                    return
                yield from self._cut()
                if not buffer.cross():
                    return
                continue
            events = None if buffer.at_undecided else self._state()
            if events is None:
                self._await_more()
                return
            yield from events

    def _await_more(self) -> None:
        pending = len(self.buffer.data) - self.buffer.position
        if pending > max(self.limits.max_record, PIECE):
            raise self._too_long("record or container value", self.limits.max_record, "--max-record")
        self._awaited = 2 * pending

    def _too_long(self, what: str, limit: int, option: str) -> DecodeError:
        offset = self.buffer.base + self.buffer.position
        return DecodeError(
            f"a {what} at byte {offset} is longer than {limit} bytes; "
            f"if the file is a valid Web Session file, raise the limit with {option}"
        )

    def _cut(self) -> Iterator[Event]:
        """Close the container that is still open at a border or at the end of the text."""
        if self._in_container:
            if self._state != self._skip:
                yield self._item(self.buffer.position, self.buffer.position, "the container is incomplete")
            yield ContainerEnd()
        self._in_container = False
        self._state = self._between

    def _item(self, start: int, end: int, reason: str, *, continued: bool = False) -> Item:
        return Item(self.buffer.base + start, self.buffer.data[start:end], reason, continued)

    def _value(self, at: int) -> tuple[Any, int] | None:
        """Return the value at ``at`` and the index after it, or None if more text is needed.

        Raises:
            BadText: the text is not a JSON value, no matter what follows.

        """
        buffer = self.buffer
        try:
            value, end = buffer.scan(at)
        except BadText as error:
            if not buffer.complete and element_end(buffer.data, at, buffer.limit).state == "open":
                return None
            if error.position >= buffer.limit < len(buffer.data):
                raise BadText(CUT_OFF) from None
            raise
        if end > buffer.limit:
            raise BadText(CUT_OFF)
        if end - at > self.limits.max_record:
            raise self._too_long("record or container value", self.limits.max_record, "--max-record")
        # A number at the end may continue in later text.
        known = buffer.skip_number(end) if type(value) is Literal else buffer.skip_space(end)
        if known == buffer.limit and not buffer.complete:
            return None
        return checked(buffer.data[at:end], value), end

    # --- Between containers -------------------------------------------------------------------------------------------

    def _between(self) -> Events | None:
        first = self.buffer.data[self.buffer.position : self.buffer.position + 1]
        if first == b"{":
            return self._head()
        try:
            found = self._value(self.buffer.position) if first == b"[" else self._line_value()
        except BadText as error:
            return self._skip_from(self.buffer.position, f"not a container: {error}", self._skip_line)
        return None if found is None else self._outside(found[1], "a value outside any container")

    def _line_value(self) -> tuple[Any, int] | None:
        """Like ``_value``, for a scalar outside containers, which ends with its line. Needs the complete line."""
        buffer = self.buffer
        newline = buffer.data.find(b"\n", buffer.position, buffer.limit)
        end = newline if newline >= 0 else buffer.limit
        if end - buffer.position >= PIECE:
            raise BadText("the line is too long")
        if newline < 0 and not buffer.complete:
            return None
        value, end = buffer.scan(buffer.position)
        return checked(buffer.data[buffer.position : end], value), end

    def _outside(self, end: int, reason: str) -> Events:
        """Quarantine, in pieces, a valid value that is not a container."""
        start, self.buffer.position = self.buffer.position, end
        starts = range(start, end, PIECE)
        return [self._item(at, min(at + PIECE, end), reason, continued=at > start) for at in starts]

    def _head(self) -> Events | None:
        """Read a container up to its records. If this part is incomplete, start over when there is more text."""
        buffer = self.buffer
        values: list[tuple[str, Any]] = []
        at = buffer.skip_space(buffer.position + 1)
        try:
            while buffer.data[at : at + 1] != b"}":
                key_end = self._key(at)
                if key_end is None:
                    return None
                key, at = key_end
                if normalise(key) == "recordcollection":
                    return self._collection(at, values)
                found = self._container_value(at)
                if found is None:
                    return None
                values.append((key, found[0]))
                at = self._after(found[1])
        except BadText as error:
            return self._skip_from(buffer.position, f"unreadable container: {error}", self._skip)
        return self._outside(at + 1, "an object without recordCollection is not a container")

    def _container_value(self, at: int) -> tuple[Any, int] | None:
        """Like ``_value``, but a value that is nested too deep makes the container unreadable."""
        found = self._value(at)
        if found is not None and depth(self.buffer.data[at : found[1]]) > MAX_DEPTH:
            raise BadText(TOO_DEEP)
        return found

    def _key(self, at: int) -> tuple[str, int] | None:
        """Return the key at ``at`` and the index of its value, or None if more text is needed."""
        buffer = self.buffer
        match = _KEY.match(buffer.data, at, buffer.limit)
        if match is None or match.end() == buffer.limit:
            if buffer.complete or element_end(buffer.data, at, buffer.limit).state != "open":
                raise BadText(f"expected a key and its value at byte {buffer.base + at}")
            return None
        return checked(match[1], buffer.scan(match.start(1))[0]), match.end()

    def _after(self, end: int) -> int:
        """Given the end of a value, return the index of the next key or of the object's closing bracket."""
        buffer = self.buffer
        at = buffer.skip_space(end)
        if buffer.data[at : at + 1] == b",":
            return buffer.skip_space(at + 1)
        if at == buffer.limit or buffer.data[at : at + 1] != b"}":
            raise BadText(f"expected a comma or a closing bracket at byte {buffer.base + at}")
        return at

    def _collection(self, at: int, values: list[tuple[str, Any]]) -> Events | None:
        """Start to read the value of ``recordCollection`` at ``at``: a list, a tagged list, null, or another value."""
        buffer = self.buffer
        bracket = at if buffer.data[at : at + 1] == b"[" else self._tagged_bracket(at)
        rest: list[Event] = []
        if bracket is not None:
            self._tagged, self._comma = bracket != at, None
            state, position = self._record, bracket + 1
        else:
            found = self._container_value(at)
            if found is None:
                return None
            value, position = found
            if unwrap_tag(value) is not None:
                rest.append(ContainerValue("recordCollection", value))
            state = self._tail
        start = ContainerStart(self.containers, tuple(values))
        self.containers += 1
        self._in_container, self._state, buffer.position = True, state, position
        return [start, *rest]

    def _tagged_bracket(self, at: int) -> int | None:
        match = _TAGGED_LIST.match(self.buffer.data, at, self.buffer.limit)
        if match is None:
            return None
        key = checked(match[1], self.buffer.scan(match.start(1))[0])
        return match.end() - 1 if is_tag(key, frozenset()) else None

    # --- Inside a container -------------------------------------------------------------------------------------------

    def _record(self) -> Events | None:
        buffer = self.buffer
        match buffer.data[buffer.position]:
            case 0x5D:  # ]
                return self._end_of_records()
            case 0x2C:  # ,
                buffer.position += 1
                return [self._item(buffer.position - 1, buffer.position, "a comma without a record before the comma")]
        try:
            found = self._value(buffer.position)
        except BadText as error:
            return self._bad_record(str(error))
        if found is None:
            return None
        value, end = found
        after = buffer.skip_space(end)
        if wrong := self._wrong_after(value, after):
            return self._bad_record(wrong)
        return [self._take_record(end, after, value)]

    def _wrong_after(self, value: Any, after: int) -> str | None:
        """Return the reason why the text after a record is invalid, or None if it is valid."""
        buffer = self.buffer
        if after == buffer.limit:
            return "a number that may be incomplete, since the text ends after it" if type(value) is Literal else None
        found = buffer.data[after]
        return None if found in b",]" else f"expected a comma or ] after the record, found {chr(found)!r}"

    def _take_record(self, end: int, after: int, value: Any, reason: str | None = None) -> Record:
        buffer = self.buffer
        start = buffer.position
        if end - start > self.limits.max_record:
            raise self._too_long("record or container value", self.limits.max_record, "--max-record")
        record = Record(self.records, buffer.base + start, buffer.data[start:end], value, reason)
        self.records += 1
        self._comma = None
        if after < buffer.limit and buffer.data[after] == 0x2C:
            self._comma = buffer.base + after
            after += 1
        buffer.position = after
        return record

    def _bad_record(self, reason: str) -> Events | None:
        """Quarantine an unreadable record: only the record if its brackets balance, else up to the next border."""
        buffer = self.buffer
        element = element_end(buffer.data, buffer.position, buffer.limit)
        if element.state == "open" and not buffer.complete:
            return None
        if element.state != "found":
            return self._skip_from(buffer.position, f"unreadable record: {reason}", self._skip)
        end = buffer.position + len(buffer.data[buffer.position : element.end].rstrip(SPACE))
        return [self._take_record(end, element.end, None, TOO_DEEP if element.depth > MAX_DEPTH else reason)]

    def _end_of_records(self) -> Events:
        buffer = self.buffer
        buffer.position += 1
        self._state = self._closing_tag if self._tagged else self._tail
        if self._comma is None:
            return []
        return [Item(self._comma, b",", "a comma without a record after the comma")]

    def _closing_tag(self) -> Events | None:
        buffer = self.buffer
        if buffer.data[buffer.position] != 0x7D:  # }
            return self._skip_from(buffer.position, "expected } after the tagged list of records", self._skip)
        buffer.position += 1
        self._state = self._tail
        return []

    def _tail(self) -> Events | None:
        """Read the text after the records: another value of the container, or the end of the container."""
        buffer = self.buffer
        first = buffer.data[buffer.position]
        if first == 0x7D:  # }
            buffer.position += 1
            self._in_container, self._state = False, self._between
            return [ContainerEnd()]
        if first != 0x2C:  # ,
            return self._skip_from(buffer.position, f"expected a comma or }}, found {chr(first)!r}", self._skip)
        try:
            key_end = self._key(buffer.skip_space(buffer.position + 1))
            found = self._container_value(key_end[1]) if key_end else None
        except BadText as error:
            return self._skip_from(buffer.position, f"unreadable container: {error}", self._skip)
        if key_end is None or found is None:
            return None
        buffer.position = found[1]
        return [ContainerValue(key_end[0], found[0])]

    # --- Unreadable text ----------------------------------------------------------------------------------------------

    def _skip_from(self, start: int, reason: str, state: Callable[[], Events | None]) -> Events | None:
        self.buffer.position = start
        self._reason, self._skipped, self._state = reason, 0, state
        return state()

    def _skip(self) -> Events | None:
        """Quarantine text up to the next border."""
        buffer = self.buffer
        stop = buffer.limit
        if not buffer.complete and buffer.undecided is not None:
            stop = min(stop, buffer.undecided)
        return self._piece(stop, ends=buffer.complete)

    def _skip_line(self) -> Events | None:
        """Quarantine the text up to the end of the line."""
        buffer = self.buffer
        newline = buffer.data.find(b"\n", buffer.position, buffer.limit)
        stop = newline if newline >= 0 else buffer.limit
        events = self._piece(stop, ends=newline >= 0 or buffer.complete)
        if newline >= 0 and buffer.position == newline:
            self._state = self._between
        return events

    def _piece(self, stop: int, *, ends: bool) -> Events | None:
        """Quarantine the next piece of an item: one of the maximum size, or the rest if the item ``ends`` at ``stop``.

        Drops white space at the end of an item. The cuts between pieces do not depend on chunk sizes.
        """
        buffer = self.buffer
        start = buffer.position
        if stop - start < PIECE and not ends:
            return None
        text = buffer.data[start : min(stop, start + PIECE)]
        buffer.position += len(text)
        if len(text) < PIECE:
            text = text.rstrip(SPACE)
        self._skipped += len(text)
        if self._skipped > self.limits.max_line:
            raise self._too_long("stretch of text outside any readable container", self.limits.max_line, "--max-line")
        return [Item(buffer.base + start, text, self._reason, continued=self._skipped > len(text))] if text else []

"""Finds where containers, their values, and their records begin and end in a stream of bytes.

A border is the start of a line that always starts a container. A state machine reads the text between two borders,
container by container and record by record. The JSON scanner normally finds each record's end. The splitter counts
brackets only if the scanner fails, and then searches for the next undamaged record or container. Each state is a method
that advances and returns events, or returns None if it needs more text. The rules are in docs/decoding.md, "Input",
"Quarantine", and "Resynchronizing".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wsparquet.decode.model import Limits
from wsparquet.decode.reference.array import Array
from wsparquet.decode.reference.brackets import MAX_DEPTH, element_end
from wsparquet.decode.reference.buffer import SPACE, Buffer
from wsparquet.decode.reference.elements import PIECE, TOO_DEEP, Elements
from wsparquet.decode.reference.events import ContainerEnd, ContainerStart, ContainerValue, Event, Item, Record
from wsparquet.decode.reference.parse import DEEP, BadText
from wsparquet.decode.reference.readers import unwrap_tag
from wsparquet.decode.reference.resync import Search, record_start, starts
from wsparquet.decode.reference.syntax import skip_space
from wsparquet.decode.reference.values import Literal
from wsparquet.schema.keys import normalise

__all__ = ["Splitter"]

Events = Sequence[Event]


class Splitter:
    """A push parser: ``feed`` and ``finish`` yield all events that can be determined from the text so far."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.buffer = Buffer()
        self._elements = Elements(self.buffer, limits)
        self.containers = 0
        self.records = 0
        self._state: Callable[[], Events | None] = self._between
        self._in_container = False
        self._tagged = False
        self._damaged = False
        self._comma: int | None = None
        self._closers: list[Item] = []
        self._array = Array()
        self._search = Search(self.buffer, 0, 0, limits.max_record)
        self._resume_at = 0
        self._resume_kind = ""
        self._awaited = 0
        self._reason = ""
        self._skipped = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """Parse the next bytes and yield their events.

        Raises:
            DecodeError: a record, a container value, or a stretch of text outside containers exceeds its limit.

        """
        new_border = self.buffer.append(data)
        # Read an incomplete record again only when the text has doubled, not at every chunk: total work stays linear.
        if new_border or len(self.buffer.data) - self.buffer.position >= self._awaited:
            self.buffer.ready()
            yield from self._run()

    def finish(self) -> Iterator[Event]:
        """Parse the rest of the text. Raises the same errors as ``feed``."""
        self.buffer.end()
        yield from self._run()

    def _run(self) -> Iterator[Event]:
        buffer = self.buffer
        self._awaited = 0
        while True:
            if self._state == self._between:
                buffer.position = buffer.skip_between(buffer.position)
            elif not self._in_damage:
                buffer.position = buffer.skip_space(buffer.position)
            if buffer.position == buffer.limit:
                if not buffer.complete:
                    self._await_more()
                    return
                yield from self._cut()
                if not buffer.cross():
                    return
                continue
            events = self._state()
            if events is None:
                self._await_more()
                return
            yield from events

    @property
    def _in_damage(self) -> bool:
        """Whether the state quarantines text instead of reading it."""
        return self._state in {self._skip, self._skip_line, self._resynchronize, self._resume}

    def _await_more(self) -> None:
        pending = len(self.buffer.data) - self.buffer.position
        # A candidate in damaged text may be as long as a record, and up to one piece of text may precede the candidate.
        allowed = self.limits.max_record + 2 * PIECE if self._in_damage else max(self.limits.max_record, PIECE)
        if pending > allowed:
            raise self._elements.too_long("record or container value", "max_record")
        self._awaited = 2 * pending

    def _cut(self) -> Iterator[Event]:
        """Close the container that is open at a border, or everything that is open at the end of the text."""
        position = self.buffer.position
        if self._in_container:
            if not self._in_damage:
                yield self._item(position, position, "the container is incomplete")
            yield ContainerEnd()
        elif self._array.is_open and self.buffer.at_end and self._state == self._between:
            yield self._item(position, position, "the array of containers is incomplete")
        self._in_container = False
        self._state = self._between

    def _item(self, start: int, end: int, reason: str, *, continued: bool = False) -> Item:
        return Item(self.buffer.base + start, self.buffer.data[start:end], reason, continued)

    # --- Between containers -------------------------------------------------------------------------------------------

    def _between(self) -> Events | None:
        buffer = self.buffer
        first = buffer.data[buffer.position : buffer.position + 1]
        if buffer.may_be_mark(buffer.position):
            return None
        if self._array.is_open and first in {b",", b"]"}:
            buffer.position += 1
            return self._array.take(first, buffer.base + buffer.position - 1)
        if first == b"[" and not self._array.is_open:
            opens = self._elements.opens_array()
            if opens is not False:
                return self._open_array() if opens else None
        self._array.fill()
        return self._head() if first == b"{" else self._other_value()

    def _open_array(self) -> Events:
        self._array.open()
        self.buffer.position += 1
        return []

    def _other_value(self) -> Events | None:
        """Quarantine a value that is not an object, or a line of other text."""
        buffer = self.buffer
        is_array = buffer.data[buffer.position] == 0x5B  # [
        try:
            found = self._elements.value(buffer.position) if is_array else self._elements.line_value()
        except BadText as error:
            return self._skip_from(buffer.position, f"not a container: {error}", self._skip_line)
        return None if found is None else self._outside(found[1], "a value outside any container")

    def _outside(self, end: int, reason: str) -> Events:
        """Quarantine, in pieces, a valid value that is not a container."""
        start, self.buffer.position = self.buffer.position, end
        starts = range(start, end, PIECE)
        return [self._item(at, min(at + PIECE, end), reason, continued=at > start) for at in starts]

    def _head(self) -> Events | None:
        """Read a container up to its records. If the text ends before the records, start over with more text."""
        buffer = self.buffer
        values: list[tuple[str, Any]] = []
        at = buffer.skip_space(buffer.position + 1)
        try:
            while buffer.data[at : at + 1] != b"}":
                key_end = self._elements.key(at)
                if key_end is None:
                    return None
                key, at = key_end
                if normalise(key) == "recordcollection":
                    return self._collection(at, values)
                found = self._elements.container_value(at)
                if found is None:
                    return None
                values.append((key, found[0]))
                at = self._elements.after(found[1])
        except BadText as error:
            return self._skip_from(buffer.position, f"unreadable container: {error}", self._skip)
        return self._outside(at + 1, "an object without recordCollection is not a container")

    def _collection(self, at: int, values: list[tuple[str, Any]]) -> Events | None:
        """Start to read the value of ``recordCollection`` at ``at``: a list, a tagged list, null, or another value."""
        buffer = self.buffer
        bracket = at if buffer.data[at : at + 1] == b"[" else self._elements.tagged_bracket(at)
        rest: list[Event] = []
        if bracket is not None:
            state, position = self._record, bracket + 1
        else:
            found = self._elements.container_value(at)
            if found is None:
                return None
            value, position = found
            if unwrap_tag(value) is not None:
                rest.append(ContainerValue("recordCollection", value))
            state = self._tail
        start = ContainerStart(self.containers, tuple(values))
        self.containers += 1
        self._in_container, self._state, buffer.position = True, state, position
        self._tagged, self._comma = bracket is not None and bracket != at, None
        self._closers, self._damaged = [], False
        return [start, *rest]

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
            found = self._elements.value(buffer.position)
        except BadText as error:
            return self._bad_record(str(error))
        if found is None:
            return None
        value, end = found
        after = buffer.skip_space(end)
        if wrong := self._wrong_after(value, after):
            return self._bad_record(wrong)
        return [self._take_record(end, after, value, TOO_DEEP if value is DEEP else None)]

    def _wrong_after(self, value: Any, after: int) -> str | None:
        """Return the reason why the text after a record is invalid, or None if it is valid."""
        buffer = self.buffer
        if after == buffer.limit:
            return "a number that may be incomplete, since the text ends after it" if type(value) is Literal else None
        found = buffer.data[after]
        return None if found in b",]" else "expected a comma or ] after the record"

    def _take_record(self, end: int, after: int, value: Any, reason: str | None = None) -> Record:
        buffer = self.buffer
        start = buffer.position
        record = Record(self.records, buffer.base + start, buffer.data[start:end], value, reason)
        self.records += 1
        self._comma = None
        if after < buffer.limit and buffer.data[after] == 0x2C:
            self._comma = buffer.base + after
            after += 1
        buffer.position = after
        return record

    def _bad_record(self, reason: str) -> Events | None:
        """Quarantine an unreadable record alone if its brackets balance and no other record starts inside it.

        In all other cases, quarantine the text up to the next undamaged record or container.
        """
        buffer = self.buffer
        start, reach = buffer.position, self.limits.max_record + 1
        stop = min(buffer.limit, start + reach)
        final = buffer.complete or stop == start + reach
        element = element_end(buffer.data, start, stop)
        kind, inner = record_start(buffer.data, start + 1, stop, reach=reach) or ("", stop)
        if kind == "begun" and final:
            kind, inner = "", stop
        if element.state == "found" and element.end <= inner:
            end = start + len(buffer.data[start : element.end].rstrip(SPACE))
            return [self._take_record(end, element.end, None, TOO_DEEP if element.depth > MAX_DEPTH else reason)]
        if element.state != "broken" and kind != "record" and not final:
            return None
        return self._resynchronize_from(f"unreadable record: {reason}", start + 1)

    def _end_of_records(self) -> Events:
        self._state = self._closing_tag if self._tagged else self._tail
        self._closers = []
        self._pass_closer()
        if self._comma is None:
            return []
        return [Item(self._comma, b",", "a comma without a record after the comma")]

    def _pass_closer(self) -> None:
        """Read the bracket that ends the records. If more records follow in damaged text, the bracket is an item."""
        position = self.buffer.position
        self._closers.append(self._item(position, position + 1, "a bracket that closes the records before their end"))
        self.buffer.position += 1

    def _closing_tag(self) -> Events | None:
        buffer = self.buffer
        if buffer.data[buffer.position] != 0x7D:  # }
            return self._resynchronize_from("expected } after the tagged list of records", buffer.position)
        self._pass_closer()
        self._state = self._tail
        return []

    def _tail(self) -> Events | None:
        """Read the text after the records: another value of the container, or the end of the container."""
        buffer = self.buffer
        first = buffer.data[buffer.position]
        if first == 0x7D:  # }
            return self._end_of_container()
        if first != 0x2C:  # ,
            return self._resynchronize_from("expected a comma or } after the value", buffer.position)
        try:
            key_end = self._elements.key(buffer.skip_space(buffer.position + 1))
            found = self._elements.container_value(key_end[1]) if key_end else None
        except BadText as error:
            return self._resynchronize_from(f"unreadable container: {error}", buffer.position)
        if key_end is None or found is None:
            return None
        buffer.position = found[1]
        return [ContainerValue(key_end[0], found[0])]

    def _end_of_container(self) -> Events | None:
        continues = self._damaged and self._continues_after(self.buffer.position + 1)
        if continues is None:
            return None
        if continues:
            return self._resynchronize_from("a closing bracket before the container's end", self.buffer.position)
        self.buffer.position += 1
        self._in_container, self._state = False, self._between
        return [ContainerEnd()]

    def _continues_after(self, at: int) -> bool | None:
        """Whether the open container continues at ``at``, after a closing bracket, or None if more text is needed.

        This method is called only after damage, because the bracket may then belong to a damaged record.
        """
        buffer = self.buffer
        stop = min(buffer.limit, at + PIECE)
        final = buffer.complete or stop == at + PIECE
        found = skip_space(buffer.data, at, stop)
        if found == stop:
            return False if final else None
        if buffer.data[found] != 0x2C:  # ,
            return buffer.data[found] == 0x7D or (buffer.data[found] == 0x5D and not self._array.is_open)
        after = skip_space(buffer.data, found + 1, stop)
        kind, start = next(starts(buffer.data, after, stop, after_comma=True, reach=PIECE), ("", after))
        if not final and (after == stop or (kind == "begun" and start == after)):
            return None
        return kind == "record" and start == after

    # --- Unreadable text ----------------------------------------------------------------------------------------------

    def _skip_from(self, start: int, reason: str, state: Callable[[], Events | None]) -> Events | None:
        self.buffer.position = start
        self._reason, self._skipped, self._state = reason, 0, state
        return state()

    def _resynchronize_from(self, reason: str, at: int) -> Events | None:
        """Quarantine text from the position up to the first undamaged record or container from ``at`` on."""
        buffer = self.buffer
        self._search = Search(buffer, buffer.position, at, self.limits.max_record)
        return self._skip_from(buffer.position, reason, self._resynchronize)

    def _resynchronize(self) -> Events | None:
        """Search for the next undamaged record or container, and quarantine the text before it."""
        buffer = self.buffer
        found = self._search.run()
        if found.kind == "nothing":
            self._state = self._skip
            return self._skip()
        if found.kind == "more":
            return self._pieces(found.stop)
        self._resume_at, self._resume_kind = buffer.base + found.stop, found.kind
        self._state = self._resume
        return self._resume()

    def _resume(self) -> Events:
        """Quarantine the rest of the damaged text, and go on with the record or container after it."""
        is_record = self._resume_kind == "record"
        events = self._pieces(self._resume_at - self.buffer.base, ends=True, comma=is_record) or []
        if is_record:
            self._state, self._damaged, self._comma = self._record, True, None
            events += self._closers
            self._closers = []
        else:
            if not self._skipped:
                start = self._resume_at - self.buffer.base
                events.append(self._item(start, start, "the container is incomplete"))
            self._state, self._in_container = self._between, False
            events.append(ContainerEnd())
        return events

    def _skip(self) -> Events | None:
        """Quarantine text up to the next border, the next line that always starts a container."""
        return self._pieces(self.buffer.limit, ends=self.buffer.complete)

    def _skip_line(self) -> Events | None:
        """Quarantine the text up to the end of the line."""
        buffer = self.buffer
        newline = buffer.data.find(b"\n", buffer.position, buffer.limit)
        stop = newline if newline >= 0 else buffer.limit
        events = self._pieces(stop, ends=newline >= 0 or buffer.complete)
        if newline >= 0 and buffer.position == newline:
            self._state = self._between
        return events

    def _pieces(self, stop: int, *, ends: bool = False, comma: bool = False) -> list[Event] | None:
        """Quarantine the pieces of an item up to ``stop``.

        If the item ``ends`` at ``stop``, all pieces are quarantined, otherwise only the pieces of the maximum size.
        White space at the end of an item is dropped, and so is a comma there if ``comma`` is true. Chunks of any size
        result in the same pieces. Return None if there is no piece yet.
        """
        buffer = self.buffer
        events: list[Event] = []
        while stop - buffer.position >= PIECE or (ends and buffer.position < stop):
            start = buffer.position
            text = buffer.data[start : min(stop, start + PIECE)]
            buffer.position += len(text)
            if len(text) < PIECE:
                text = text.rstrip(SPACE)
                rest = text.removesuffix(b",").rstrip(SPACE) if comma else text
                # If the comma is the only text, it is kept, so that all damage is reported by an item.
                text = rest if rest or self._skipped or self._closers else text
            self._skipped += len(text)
            if self._skipped > self.limits.max_line:
                raise self._elements.too_long("stretch of text outside any readable container", "max_line")
            if text:
                events.append(Item(buffer.base + start, text, self._reason, continued=self._skipped > len(text)))
        return events if events or ends else None

"""The unread text of the stream, and its borders: starts of lines that always start a container.

Source of the rule: docs/decoding.md, "Input". No container extends across a border.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from wsparquet.decode.reference.parse import BadText, scan

__all__ = ["BOM", "ESCAPED", "SPACE", "Buffer"]

SPACE = b" \t\r\n"
_SPACE = re.compile(rb"[ \t\r\n]*")
_BETWEEN = re.compile(rb"(?:[ \t\r\n\x00]+|\xef\xbb\xbf)*")
_NUMBER = re.compile(rb"[-+.eE0-9]*")
_LINE = re.compile(rb"\n(\{)")
_MARKED_LINE = re.compile(rb"\n((?:\xef\xbb\xbf)?\{)")
_LINE_BEGUN = (b"\n\xef", b"\n\xef\xbb", b"\n\xef\xbb\xbf")
_BORDER = re.compile(rb'\{[ \t\r\n]*"(?:dataType|metaData|recordCollection)"[ \t\r\n]*:')
_BORDER_BEGUN = re.compile(rb'\{[ \t\r\n]*(?:"[A-Za-z]*(?:"[ \t\r\n]*)?)?')
# Each invalid UTF-8 byte decodes to one surrogate, which encodes to the same byte, so offsets stay correct.
ESCAPED = "surrogateescape"
BOM = b"\xef\xbb\xbf"


class Buffer:
    """Unread text. Indices are byte indices into ``data``, which begins at the stream's byte ``base``.

    ``position`` is the next byte to read. ``limit`` is the next border. Without a border, ``limit`` is the end of the
    text so far, or the start of a last line that may become a border. ``complete`` is true if no more text can come
    before ``limit``.
    """

    def __init__(self) -> None:
        self.data = b""
        self._text = ""
        self._wide = False
        self._mark = (0, 0)
        self.base = 0
        self.position = 0
        self.limit = 0
        self.complete = False
        self.final = False
        self._undecided: int | None = None
        self._marked = False
        self._borders: deque[int] = deque()
        self._searched = 0

    def append(self, data: bytes) -> bool:
        """Append text. Return True if the text completes a new border."""
        # Keep the byte before the position, which may be the line feed before a border.
        read = max(self.position - 1, 0)
        self.data = self.data[read:] + data
        self.base += read
        self.position -= read
        return self._search()

    def ready(self) -> None:
        """Update ``limit``, ``complete``, and the text for ``scan`` after a change of ``data``."""
        self._text = self.data.decode("utf-8", ESCAPED)
        self._wide = len(self._text) < len(self.data)
        self._mark = (0, 0)
        self._set_limit()

    def scan(self, at: int) -> tuple[Any, int]:
        """Return the JSON value at ``at`` and the index after the value. Each invalid UTF-8 byte becomes a surrogate.

        Raises:
            BadText: no complete JSON value starts there; ``position`` is the index where reading failed.

        """
        start = self._character(at)
        try:
            value, end = scan(self._text, start)
        except BadText as error:
            error.position = at + self._width(start, error.position)
            raise
        after = at + self._width(start, end)
        self._mark = (after, end)
        return value, after

    def _character(self, at: int) -> int:
        """Return the index of the character that starts at byte ``at``.

        The count starts at the end of the last value, to save time.
        """
        if not self._wide:
            return at
        index, character = self._mark if at >= self._mark[0] else (0, 0)
        return character + len(self.data[index:at].decode("utf-8", ESCAPED))

    def _width(self, start: int, end: int) -> int:
        """Return the number of bytes of the characters from ``start`` to ``end``."""
        return len(self._text[start:end].encode("utf-8", ESCAPED)) if self._wide else max(end - start, 0)

    def end(self) -> None:
        """Mark the end of the text."""
        self.final = True
        self.ready()

    def cross(self) -> bool:
        """Move ``limit`` to the next border.

        Return False if ``position`` is at the end of the text instead of a border.
        """
        if not self._borders:
            return False
        self._borders.popleft()
        self._set_limit()
        return True

    @property
    def at_end(self) -> bool:
        """Whether the text has ended and no border is left."""
        return self.final and not self._borders

    def skip_space(self, at: int) -> int:
        """Return the index of the first byte from ``at`` on that is not white space, but at most ``limit``."""
        return self._after(_SPACE, at)

    def skip_between(self, at: int) -> int:
        """Like ``skip_space``, but also skip NULs and byte order marks, which may stand between documents."""
        return self._after(_BETWEEN, at)

    def may_be_mark(self, at: int) -> bool:
        """Whether more text may complete a byte order mark that starts at ``at``."""
        return not self.complete and BOM.startswith(self.data[at : self.limit])

    def skip_number(self, at: int) -> int:
        """Like ``skip_space``, but first skip all bytes that can be part of a number."""
        return self._after(_SPACE, self._after(_NUMBER, at))

    def _after(self, pattern: re.Pattern[bytes], at: int) -> int:
        match = pattern.match(self.data, at, self.limit)
        return match.end() if match else at

    def _set_limit(self) -> None:
        self.complete = bool(self._borders) or self.final
        if self._borders:
            self.limit = self._borders[0] - self.base
        elif self.final or self._undecided is None:
            self.limit = len(self.data)
        else:
            self.limit = self._undecided

    def _search(self) -> bool:
        """Search new text for borders. If the text ends inside the last candidate, that candidate stays undecided."""
        known = len(self._borders)
        self._undecided = None
        self._marked = self._marked or (self.base == 0 and self.data.startswith(BOM))
        for match in (_MARKED_LINE if self._marked else _LINE).finditer(self.data, max(self._searched - self.base, 0)):
            begun = _BORDER_BEGUN.match(self.data, match.end() - 1)
            if _BORDER.match(self.data, match.end() - 1):
                self._borders.append(self.base + match.start(1))
            elif begun and begun.end() == len(self.data):
                self._undecided = match.start(1)
                break
        if self._undecided is None and self._marked and self.data.endswith(_LINE_BEGUN):
            self._undecided = self.data.rindex(b"\n") + 1
        stop = self._undecided if self._undecided is not None else len(self.data)
        self._searched = self.base + max(stop - 1, 0)
        return len(self._borders) > known

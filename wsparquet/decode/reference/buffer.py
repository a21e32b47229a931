"""The unread text of the stream, and its borders: starts of lines that always start a container.

Source of the rule: docs/decoding.md, "Input". No object, array, or string extends across a border.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from wsparquet.decode.reference.parse import BadText, scan

__all__ = ["SPACE", "Buffer"]

SPACE = b" \t\r\n"
_SPACE = re.compile(rb"[ \t\r\n]*")
_NUMBER = re.compile(rb"[-+.eE0-9]*")
_BORDER = re.compile(rb'\{[ \t\r\n]*"(?:dataType|metaData|recordCollection)"[ \t\r\n]*:')
_BORDER_BEGUN = re.compile(rb'\{[ \t\r\n]*(?:"[A-Za-z]*(?:"[ \t\r\n]*)?)?')
# Each invalid UTF-8 byte decodes to one surrogate, which encodes to the same byte, so offsets stay correct.
ESCAPED = "surrogateescape"
_BOM = b"\xef\xbb\xbf"


class Buffer:
    """Unread text. Indices are byte indices into ``data``, which begins at the stream's byte ``base``.

    ``position`` is the next byte to read. ``limit`` is the next border or, without one, the end of the text so far.
    ``complete`` is true if no more text can come before ``limit``. ``begun`` is true once the decoder knows whether the
    text starts with a byte order mark. ``undecided`` is the start of a line that needs more text before the decoder
    knows whether the line is a border.
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
        self.undecided: int | None = None
        self._borders: deque[int] = deque()
        self._searched = 0
        self.begun = False

    def append(self, data: bytes) -> bool:
        """Append text. Return True if the text completes a new border."""
        # Keep the byte before the position, which may be the line feed before a border.
        read = max(self.position - 1, 0)
        self.data = self.data[read:] + data
        self.base += read
        self.position -= read
        self._skip_byte_order_mark()
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
        """Return the index of the character that starts at byte ``index``.

        Counts from the end of the last value, to save time.
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
        self.begun = True
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
    def at_undecided(self) -> bool:
        """Whether ``position`` is at the start of a line that may turn out to be a border once there is more text."""
        return not self.complete and self.undecided is not None and self.position >= self.undecided

    def skip_space(self, at: int) -> int:
        """Return the index of the first byte from ``at`` on that is not white space, but at most ``limit``."""
        return self._after(_SPACE, at)

    def skip_number(self, at: int) -> int:
        """Like ``skip_space``, but first skip all bytes that can be part of a number."""
        return self._after(_SPACE, self._after(_NUMBER, at))

    def _after(self, pattern: re.Pattern[bytes], at: int) -> int:
        match = pattern.match(self.data, at, self.limit)
        return match.end() if match else at

    def _skip_byte_order_mark(self) -> None:
        if self.begun or (len(self.data) < len(_BOM) and _BOM.startswith(self.data)):
            return
        self.begun = True
        if self.data.startswith(_BOM):
            self.position = len(_BOM)

    def _set_limit(self) -> None:
        self.complete = bool(self._borders) or self.final
        self.limit = self._borders[0] - self.base if self._borders else len(self.data)

    def _search(self) -> bool:
        """Search new text for borders. Whether the last candidate is a border may remain undecided."""
        known = len(self._borders)
        at = max(self._searched - self.base, 0)
        self.undecided = None
        while (found := self.data.find(b"\n{", at)) >= 0:
            begun = _BORDER_BEGUN.match(self.data, found + 1)
            if _BORDER.match(self.data, found + 1):
                self._borders.append(self.base + found + 1)
            elif begun and begun.end() == len(self.data):
                self.undecided = found + 1
                break
            at = found + 1
        stop = self.undecided if self.undecided is not None else len(self.data)
        self._searched = self.base + max(stop - 1, 0)
        return len(self._borders) > known

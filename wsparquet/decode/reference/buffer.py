"""The stream's unread text, and the lines in it that start a container in every state.

Source of the rule: docs/decoding.md, "Input". Such a line is a border: nothing that was open before reaches beyond it.
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
# Bytes that are no UTF-8 become single surrogates, and these the same bytes again, so offsets can be told.
ESCAPED = "surrogateescape"
_BOM = b"\xef\xbb\xbf"


class Buffer:
    """Unread text; every index is one of bytes, into ``data``, which begins at the stream's byte ``base``.

    ``position`` is where reading stands, ``limit`` where it has to stop: at the next border, or at the end of what is
    there. ``complete`` says that nothing more can come before ``limit``. ``begun`` turns true once it is known whether
    a byte order mark stands first; ``undecided`` is where a line begins that may turn out a border when more is there.
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
        """Add text behind what is unread; True where that showed a new border."""
        # The byte before the position stays: it may be the line end that makes a border of what follows.
        read = max(self.position - 1, 0)
        self.data = self.data[read:] + data
        self.base += read
        self.position -= read
        self._skip_byte_order_mark()
        return self._search()

    def ready(self) -> None:
        """Make ``limit``, ``complete`` and what ``scan`` reads true of ``data``."""
        self._text = self.data.decode("utf-8", ESCAPED)
        self._wide = len(self._text) < len(self.data)
        self._mark = (0, 0)
        self._set_limit()

    def scan(self, at: int) -> tuple[Any, int]:
        """The JSON value at ``at``, and the index behind it; bytes that are no UTF-8 are single surrogates in it.

        Raises:
            BadText: no whole JSON value starts there; its ``position`` is the index where reading failed.

        """
        start = self._character(at)
        try:
            value, end = scan(self._text, start)
        except BadText as error:
            error.position = at + self._width(start, error.position)
            raise
        behind = at + self._width(start, end)
        self._mark = (behind, end)
        return value, behind

    def _character(self, at: int) -> int:
        """The character that begins at a byte; counted on from where the last value ended."""
        if not self._wide:
            return at
        index, character = self._mark if at >= self._mark[0] else (0, 0)
        return character + len(self.data[index:at].decode("utf-8", ESCAPED))

    def _width(self, start: int, end: int) -> int:
        """How many bytes the characters from ``start`` to ``end`` are."""
        return len(self._text[start:end].encode("utf-8", ESCAPED)) if self._wide else max(end - start, 0)

    def end(self) -> None:
        """No more text will come."""
        self.final = True
        self.begun = True
        self.ready()

    def cross(self) -> bool:
        """Go beyond the border at ``position``, which is ``limit``; False where it is the end of the text instead."""
        if not self._borders:
            return False
        self._borders.popleft()
        self._set_limit()
        return True

    @property
    def at_undecided(self) -> bool:
        """Whether reading stands at a line that may turn out a border when more of it is there."""
        return not self.complete and self.undecided is not None and self.position >= self.undecided

    def skip_space(self, at: int) -> int:
        """The index of the first byte from ``at`` that is no white space, ``limit`` at most."""
        return self._behind(_SPACE, at)

    def skip_number(self, at: int) -> int:
        """As ``skip_space``, passing first over all that may belong to a number."""
        return self._behind(_SPACE, self._behind(_NUMBER, at))

    def _behind(self, pattern: re.Pattern[bytes], at: int) -> int:
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
        """Look for borders in text that has not been searched; the last candidate may need more text to decide."""
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

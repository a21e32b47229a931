"""How text from sources reaches a terminal: never as control sequences, never as markup."""

from __future__ import annotations

import unicodedata

__all__ = ["clean", "human_bytes"]

# Controls, format characters (which can turn the order of text around), surrogates, line and paragraph separators.
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def clean(text: str) -> str:
    """The text with every character that a terminal could act on replaced by U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(character) in _UNSAFE else character for character in text)


def human_bytes(count: int) -> str:
    """A number of bytes as people read it, in powers of 1024."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"

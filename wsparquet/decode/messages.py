"""Error messages that both decoders share."""

from __future__ import annotations

import codecs

from wsparquet.errors import DecodeError

__all__ = ["longer_opening", "no_container"]

OPENING = 60
"""The number of bytes from which the error message for a source without containers derives the kind of content."""
KINDS = (
    (b"{", "JSON of another kind"),
    (b"[", "JSON of another kind"),
    (b"<", "HTML or XML"),
    (b"PAR1", "a Parquet file"),
    (b"Obj\x01", "an Avro file"),
    (b"%PDF-", "a PDF"),
    (b"BZh", "a file compressed by bzip2"),
    (b"\xfd7zXZ", "a file compressed by xz"),
    (b"7z\xbc\xaf", "a 7z archive"),
)
"""The first bytes of some kinds of content. Text that begins with a bracket need not be valid JSON."""


def longer_opening(opening: bytes, data: bytes) -> bytes:
    """Return the beginning of a source, from which the error message derives the kind of content.

    ``opening``: the beginning in the chunks before the chunk ``data``.
    """
    if len(opening) == OPENING:
        return opening
    return (opening + data[:OPENING] if opening else data.lstrip())[:OPENING]


def no_container(opening: bytes) -> DecodeError:
    """Return the error for a source without containers. The message quotes nothing, since a file may hold secrets."""
    return DecodeError(
        "contains no container: expected JSON objects with recordCollection, found "
        f"{_kind(opening)}; give Web Session files as the Data Access API returns them"
    )


def _kind(opening: bytes) -> str:
    opening = opening.removeprefix(codecs.BOM_UTF8).lstrip()
    if not opening:
        return "nothing"
    text = opening.decode("utf-8", "ignore")
    readable = all(each.isprintable() or each.isspace() for each in text)
    # The text may end inside a character, after up to three bytes of this character.
    other = "other text" if readable and len(opening) - len(text.encode()) <= 3 else "binary data"
    return next((kind for start, kind in KINDS if opening.startswith(start)), other)

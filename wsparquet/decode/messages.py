"""Error messages that both decoders share."""

from __future__ import annotations

from wsparquet.errors import DecodeError

__all__ = ["no_container", "opening_of"]

OPENING = 60
"""How many bytes of a source without containers its error message shows."""


def opening_of(data: bytes) -> bytes:
    """Return the beginning of a source, to be shown in an error message."""
    return data.lstrip()[:OPENING]


def no_container(opening: bytes) -> DecodeError:
    """Return the error for a source without containers."""
    return DecodeError(
        "contains no container: expected JSON objects with recordCollection, found "
        f"{opening!r}; give Web Session files as the Data Access API returns them"
    )

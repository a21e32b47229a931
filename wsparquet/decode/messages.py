"""What both decoders say, in the same words, of a source that is refused as a whole."""

from __future__ import annotations

from wsparquet.errors import DecodeError

__all__ = ["no_container", "opening_of"]

OPENING = 60
"""How many bytes of a source that holds no container its error shows."""


def opening_of(data: bytes) -> bytes:
    """What a source begins with, for the error that shows it."""
    return data.lstrip()[:OPENING]


def no_container(opening: bytes) -> DecodeError:
    """The error of a source that holds no container."""
    return DecodeError(
        "no container in it: expected JSON objects with recordCollection, found "
        f"{opening!r}; give Web Session files as the Data Access API hands them out"
    )

"""The types of the argument ``sources``: a path, glob, folder or URL, or several of them."""

from __future__ import annotations

import os
from collections.abc import Iterable

from wsparquet.errors import OptionError

__all__ = ["Path", "Sources", "as_list"]

Path = str | os.PathLike[str]
"""A path, glob, folder or URL; ``-`` is standard input."""
Sources = Path | Iterable[Path]
"""One path, glob, folder or URL, or several of them."""


def as_list(given: Sources, *, name: str = "sources") -> list[Path]:
    """Return the caller's argument as a list.

    Raises:
        OptionError: the argument, called ``name``, is neither a path nor an iterable of paths.

    """
    if isinstance(given, str | os.PathLike):
        return [given]
    if isinstance(given, Iterable):
        places = list(given)
        if all(isinstance(each, str | os.PathLike) for each in places):
            return places
    raise OptionError(
        name, f"expected a path, a glob, a folder, a URL, or a list of them, found a value of type {_kind(given)}"
    )


def _kind(given: object) -> str:
    if not isinstance(given, list | tuple | set):
        return type(given).__name__
    return f"{type(given).__name__} with {', '.join(sorted({type(each).__name__ for each in given}))}"

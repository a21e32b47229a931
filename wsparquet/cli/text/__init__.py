"""Formats results as lines of text for people: one function, with an implementation for each type of result.

Each implementation is in a module named like the package of the result, such as ``conversion`` or ``verification``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from importlib import import_module
from typing import Self

__all__ = ["REPLACED", "ErrorLine", "lines"]

REPLACED = "replaced"
"""The text in ``ErrorLine.failure``, instead of an error, if the line reports replaced rows."""


class ErrorLine(str):
    """A line for standard error.

    ``failure`` has the name and the error of the failure that the line reports, or is None for other lines.
    """

    __slots__ = ("failure",)

    failure: tuple[str, str] | None

    def __new__(cls, text: str, *, failure: tuple[str, str] | None = None) -> Self:
        """Return the line."""
        line = super().__new__(cls, text)
        line.failure = failure
        return line


@singledispatch
def lines(result: object) -> Iterator[str]:
    """Yield the lines that present a result.

    Each module with implementations imports the types of its results, so the module itself is imported on first use.

    Raises:
        TypeError: no implementation exists for this type.

    """
    kind = type(result)
    import_module(f"{__name__}.{kind.__module__.split('.')[1]}")
    present = lines.dispatch(kind)
    if present is lines.dispatch(object):
        raise TypeError(f"expected a result that can be printed as text, found {kind.__name__}")
    return present(result)

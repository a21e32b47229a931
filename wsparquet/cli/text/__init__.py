"""Results as lines of text, for people: one function, and an implementation for each type of result.

The implementations are in the module that bears the name of the result's own room: ``conversion``, ``verification``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch
from importlib import import_module

__all__ = ["ErrorLine", "lines"]


class ErrorLine(str):
    """A line that goes to standard error."""

    __slots__ = ()


@singledispatch
def lines(result: object) -> Iterator[str]:
    """Yield the lines that present a result.

    The modules with implementations import the types of their results, so each module is imported on first use.

    Raises:
        TypeError: no implementation exists for this type.

    """
    kind = type(result)
    import_module(f"{__name__}.{kind.__module__.split('.')[1]}")
    present = lines.dispatch(kind)
    if present is lines.dispatch(object):
        raise TypeError(f"expected a result with a text form, found {kind.__name__}")
    return present(result)

"""Converts the values that click has parsed into one frozen dataclass for each command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar

__all__ = ["group", "takes"]

Arguments = TypeVar("Arguments")
_GROUP = "group"


def group(kind: type) -> dict[str, Any]:
    """Return the ``metadata`` of a field for options that several commands share. The field's value is a ``kind``."""
    return {_GROUP: kind}


def takes(kind: type[Arguments]) -> Callable[[Callable[[Arguments], int]], Callable[..., int]]:
    """Return a decorator: click then calls the function with one ``kind``, built from the values of all parameters."""

    def decorate(command: Callable[[Arguments], int]) -> Callable[..., int]:
        @wraps(command)
        def call(**values: object) -> int:
            arguments = _made(kind, values)
            if values:
                raise TypeError(f"expected a field of {kind.__name__} for each parameter, found none for {[*values]}")
            return command(arguments)

        return call

    return decorate


def _made(kind: type[Arguments], values: dict[str, object]) -> Arguments:
    """Build a ``kind`` from ``values``, and remove the used values from ``values``."""
    found = {}
    for each in fields(kind):  # type: ignore[arg-type]  # a dataclass, which a type variable cannot express
        inner: type[Any] | None = each.metadata.get(_GROUP)
        found[each.name] = _made(inner, values) if inner else values.pop(each.name)
    return kind(**found)

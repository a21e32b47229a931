"""Let the reference of the Python library find what each public name stands for."""

from __future__ import annotations

import re

import wsparquet

__all__ = ["located"]

_DIRECTIVE = re.compile(r"^::: wsparquet\.(\w+)$", re.MULTILINE)


def located(page: str) -> str:
    """The page with each ``::: wsparquet.NAME`` naming the module where the object is defined.

    mkdocstrings reads the code without running it, and takes ``wsparquet.verify`` for the module
    ``wsparquet.verification.verify``, as packages often have a module and a function of one name.
    """
    return _DIRECTIVE.sub(lambda match: f"::: {_home(match[1])}", page)


def _home(name: str) -> str:
    value = getattr(wsparquet, name)
    if not hasattr(value, "__qualname__"):
        return f"wsparquet.{name}"  # a constant
    return f"{value.__module__}.{value.__qualname__}"

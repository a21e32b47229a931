"""Tells the reference of the Python library in which module each public name is defined."""

from __future__ import annotations

import re

import wsparquet

__all__ = ["located"]

_DIRECTIVE = re.compile(r"^::: wsparquet\.(\w+)$", re.MULTILINE)


def located(page: str) -> str:
    """Return the page with the defining module inserted into each ``::: wsparquet.NAME``.

    mkdocstrings reads the code without running it. It would resolve ``wsparquet.verify`` to the module
    ``wsparquet.verification.verify``, not to the function of the same name in that module.
    """
    return _DIRECTIVE.sub(lambda match: f"::: {_home(match[1])}", page)


def _home(name: str) -> str:
    value = getattr(wsparquet, name)
    if not hasattr(value, "__qualname__"):
        return f"wsparquet.{name}"  # a constant
    return f"{value.__module__}.{value.__qualname__}"

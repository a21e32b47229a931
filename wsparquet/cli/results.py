"""The results of commands whose library functions return only a part of the result, such as a list of paths."""

from __future__ import annotations

from dataclasses import dataclass

from wsparquet.json_values import JsonResult

__all__ = ["Generated"]


@dataclass(frozen=True)
class Generated(JsonResult):
    """The paths of the files that `wsparquet generate` wrote."""

    files: tuple[str, ...]

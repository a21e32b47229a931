"""The results of commands whose library functions return only a part of the result, such as a list of paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wsparquet.json_values import JsonResult

if TYPE_CHECKING:
    from wsparquet.conversion.summary import Failure
    from wsparquet.inspection import Inspection

__all__ = ["Generated", "Inspections"]


@dataclass(frozen=True)
class Inspections(JsonResult):
    """The result of `wsparquet inspect`: the sources that can be read, and those that failed."""

    sources: tuple[Inspection, ...]
    failed: tuple[Failure, ...]


@dataclass(frozen=True)
class RemovedSource:
    """A removed source, with the number of its rows."""

    name: str
    account: str
    rows: int


@dataclass(frozen=True)
class Removal(JsonResult):
    """The result of `wsparquet remove`."""

    removed: tuple[RemovedSource, ...]


@dataclass(frozen=True)
class Generated(JsonResult):
    """The paths of the files that `wsparquet generate` wrote."""

    files: tuple[str, ...]

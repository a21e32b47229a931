"""Contract cases in groups: one test checks a group, since thousands of tests cost more than what they check.

Each test costs pytest and its workers some milliseconds, and each worker collects all tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

import pytest

MOST = 60
"""The most cases of one group, so that workers share a large file."""


def in_groups(names: Iterable[str]) -> list[Any]:
    """Return parameters of a test: tuples of names ``file:name``, all of one file, or of names without a file."""
    found = []
    for file, group in groupby(names, lambda name: name[: name.find(":") + 1]):
        some = tuple(group)
        found += [pytest.param(some[at : at + MOST], id=f"{file}{at}") for at in range(0, len(some), MOST)]
    return found


def check_each(names: Iterable[str], check: Callable[[str], None]) -> None:
    """Check every case, whichever fail before it. Each failure names its case."""
    failures = []
    for name in names:
        try:
            check(name)
        except Exception as error:  # noqa: BLE001 - raised again with the others
            error.add_note(f"in the case {name!r}")
            failures.append(error)
    if failures:
        raise ExceptionGroup(f"{len(failures)} cases do not hold", failures)

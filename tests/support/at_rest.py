"""A root at rest: each of its files is named by a commit record once, and no attempt left anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from wsparquet.dataset import Root
from wsparquet.layout import is_root

STATE = "_wsparquet"

OWN = tuple(f"{STATE}/{name}" for name in ("commits/", "checkpoint", "locks/", "probes/", "root.json", "sync/"))
"""The files of a root that no commit record names. Runs that were killed leave probes."""


def files_below(folder: Path) -> list[str]:
    """Return the paths of all files below a folder, hidden files included, relative to the folder."""
    return sorted(
        os.path.relpath(Path(parent) / name, folder) for parent, _, names in os.walk(folder) for name in names
    )


def records(root: Path) -> Iterator[dict[str, Any]]:
    """Yield all commit records, read as the JSON files that they are."""
    for path in sorted((root / STATE / "commits").rglob("*.json")):
        yield json.loads(path.read_text())


def assert_only_named(found: Iterable[str], named: Iterable[str]) -> None:
    """Assert that the files found in a root are its own and the named ones, each named once."""
    assert sorted(path for path in found if not path.startswith(OWN)) == sorted(named)


def assert_at_rest(root: Path) -> None:
    """Assert that a root on a local disk is at rest, and that wsparquet reads its records as any JSON reader does.

    A place at which every source failed is no root yet, and has nothing but the files of locks.
    """
    if not is_root(root):
        assert [path for path in files_below(root) if not path.startswith(f"{STATE}/locks/")] == []
        return
    named = [part["path"] for record in records(root) for part in record["parts"]]
    named += [record["quarantine"] for record in records(root) if record["quarantine"]]
    assert_only_named(files_below(root), named)
    assert sorted(named) == sorted(path for commit in Root.open(root, create=False).commits() for path in commit.paths)
    assert list((root / STATE / "tmp").iterdir()) == []

"""A root at rest: each of its files is named by a commit record once, and no attempt left anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from wsparquet.dataset import Root
from wsparquet.layout import is_root

STATE = "_wsparquet"

OWN = tuple(
    f"{STATE}/{name}"
    for name in (
        *("commits/", "checkpoint", "days/", "erased.json", "iceberg/", "locks/", "probes/"),
        *("root.json", "sync/"),
    )
)
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


def day_records(root: Path) -> Iterator[dict[str, Any]]:
    """Yield all day records, read as the JSON files that they are."""
    for path in sorted((root / STATE / "days").rglob("*.json")):
        yield json.loads(path.read_text())


def covered(days: Mapping[tuple[str, str | None], Any], record: dict[str, Any], part: dict[str, Any]) -> bool:
    """Return whether the day parts have the rows of a source's part."""
    day = days.get((record["identity"]["account"], part["date"]), {"members": {}})
    member = day["members"].get(record["identity"]["name"])
    return bool(member and member["content_id"] == record["content_id"] and part["table"] in member["rows"])


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
    days = {(day["identity"]["account"], day["identity"]["day"]): day for day in day_records(root)}
    own = [part["path"] for record in records(root) for part in record["parts"] if not covered(days, record, part)]
    quarantined = [record["quarantine"] for record in records(root) if record["quarantine"]]
    merged = [part["path"] for day in days.values() for part in day["parts"]]
    assert_only_named(files_below(root), own + quarantined + merged)
    every = [part["path"] for record in records(root) for part in record["parts"]] + quarantined
    assert sorted(every) == sorted(path for commit in Root.open(root, create=False).commits() for path in commit.paths)
    assert list((root / STATE / "tmp").iterdir()) == []

"""Roots of drifted sources, and what they have: rows, counts and files."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import wsparquet
from tests.drift import drifted

__all__ = ["compacted", "contents", "drifted_sources", "records", "rows"]

HOUR_MS = 3_600_000


def drifted_sources(folder: Path, seed: int, *, files: int = 3, containers: int = 6) -> Path:
    """Write drifted sources with the names of the API."""
    folder.mkdir()
    for number in range(files):
        start = 1_467_291_600_000 + number * HOUR_MS
        text = "".join(drifted(Random(seed * 1000 + number * 100 + each)) for each in range(containers))
        name = f"WebSession.{start}.{start + HOUR_MS}.part-00000-0.gz"
        (folder / name).write_text(text, encoding="utf-8", errors="surrogatepass")
    return folder


def compacted(root: Path) -> None:
    """Merge the files of all days."""
    wsparquet.compact(root, min_files=2, older_than=timedelta(0)).raise_for_failures()


def rows(root: Path | str, storage_options: dict[str, Any] | None = None) -> dict[str, list[str]]:
    """The rows of each table with their dates, as sorted text: NaN equals NaN."""
    lake = wsparquet.open_dataset(root, storage_options=storage_options)
    return {name: sorted(map(repr, lake.table(name).to_table().to_pylist())) for name in lake.tables}


def records(root: Path) -> dict[str, dict[str, Any]]:
    """The commit records by the names of their identities."""
    found = [json.loads(path.read_bytes()) for path in (root / "_wsparquet/commits").rglob("*.json")]
    return {each["identity"]["name"]: each for each in found}


def contents(root: Path) -> dict[str, Any]:
    """For each source: its report, its files by table and date with their rows and times, and its extension."""
    return {
        name: (
            {**each["report"], "rows": dict(each["report"]["rows"])},
            sorted([part[key] for key in ("table", "date", "rows", "min_time", "max_time")] for part in each["parts"]),
            each["extension"],
        )
        for name, each in records(root).items()
    }

"""Roots as queries may meet them, and what their tables have to hold by the commit records."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.dataset.helpers import IDENTITY, data_files, facts, make_rows, put
from wsparquet import open_dataset
from wsparquet.commit import Text
from wsparquet.dataset import Root
from wsparquet.layout import Identity

OTHER = Identity("7", "another source")
COPY = Identity("7", "a copy")
TEXT = Text("ab" * 32, 1000)
TABLES = ("geo", "navigation")


def counted(path: Path | str, table: str, **options: Any) -> list[tuple[str, int]]:
    """Source and number of each row that counts, as the dataset of pyarrow has them, sorted."""
    rows = open_dataset(path, **options).table(table).to_table(columns=["source_file", "record_number"]).to_pylist()
    return sorted((row["source_file"], row["record_number"]) for row in rows)


def commit(root: Root, identity: Identity, *, seed: int, **known: Any) -> None:
    """Commit rows of two tables over several days, some without a day."""
    with root.begin(fallback_day_ms=None) as attempt:
        for table in TABLES:
            attempt.write(table, make_rows(table, 12, seed=seed))
        attempt.commit(identity, facts(f"{seed:064x}", **known), expected=root.commits().get(identity))


def commit_large(root: Root, identity: Identity) -> None:
    """Commit rows of `geo` with one large column, so that a file has more bytes than its other columns."""
    batch = make_rows("geo", 300)
    index = batch.schema.get_field_index("rescued")
    large = pa.array([os.urandom(10_000).hex() for _ in range(batch.num_rows)])
    with root.begin(fallback_day_ms=None) as attempt:
        attempt.write("geo", batch.set_column(index, batch.schema.field(index), large))
        attempt.commit(identity, facts(), expected=None)


def two_sources(path: Path) -> Root:
    """A root with two sources."""
    root = Root.open(path)
    put(root, IDENTITY, seed=1, count=12, tables=TABLES)
    put(root, OTHER, seed=2, count=12, tables=TABLES)
    return root


def twins(path: Path) -> Root:
    """A root in which two records hold the same text, of which one counts."""
    root = Root.open(path)
    commit(root, IDENTITY, seed=1, text=TEXT)
    commit(root, COPY, seed=1, text=TEXT)
    return root


def settled_twins(path: Path) -> Root:
    """The same after the copy has yielded."""
    root = twins(path)
    root.settle_twins(root.commits())
    return root


def replaced(path: Path) -> Root:
    """A root whose first source was replaced by other content."""
    root = two_sources(path)
    put(root, IDENTITY, seed=3, count=7, tables=("geo",))
    return root


def removed(path: Path) -> Root:
    """A root from which a source was removed."""
    root = two_sources(path)
    root.remove([OTHER.name])
    return root


def under_way(path: Path) -> Root:
    """A root in whose folders lie parts of an attempt that has no record yet."""
    root = two_sources(path)
    for part in data_files(path):
        stem, _token, number, suffix = part.rsplit(".", 3)
        shutil.copy(path / part, path / f"{stem}.{'0' * 16}.{number}.{suffix}")
    return root


STATES = (two_sources, twins, settled_twins, replaced, removed, under_way)
"""Each makes a root at a path."""

ROWS = {"two_sources": 24, "twins": 12, "settled_twins": 12, "replaced": 19, "removed": 12, "under_way": 24}
"""The rows of `geo` that count in each state."""

"""Published roots, looked at as engines do: through the metadata alone."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.table import StaticTable, Table

from tests.dataset.helpers import facts, make_rows
from tests.store.s3.lake import Lake
from wsparquet import open_dataset
from wsparquet.commit import Commit, Text
from wsparquet.dataset import Root
from wsparquet.layout import Identity, is_part_path
from wsparquet.schema import TABLES

TABLE_NAMES = tuple(TABLES)
SOURCE = Identity("75555851", "WebSession.1467291600000.1467295200000.part-00000-0")
OTHER = Identity("7", "a b#c?d%e ü[x]")
"""A name that has to be encoded in a path, and that looks like parts of a URL and like a pattern."""


def put(
    root: Root, identity: Identity = SOURCE, *, seed: int, tables: tuple[str, ...] = ("geo",), count: int = 6
) -> Commit:
    """Commit rows under an identity, whatever is there now; the rows name their source as a conversion's do."""
    with root.begin(fallback_day_ms=None) as attempt:
        for table in tables:
            rows = make_rows(table, count, seed=seed)
            name = pa.array([f"{identity.name}.gz"] * rows.num_rows)
            column = rows.schema.get_field_index("source_file")
            attempt.write(table, rows.set_column(column, rows.schema.field(column), name))
        # Processes must not take each other's sources for copies.
        text = Text(hashlib.sha256(f"{identity} {seed}".encode()).hexdigest(), 100)
        known = facts(f"{seed:064x}", source_name=f"{identity.name}.gz", text=text)
        return attempt.commit(identity, known, expected=root.commits().get(identity))


def properties(lake: Lake) -> dict[str, str]:
    """How pyiceberg's own clients reach the bucket."""
    options = lake.options
    return {
        "s3.endpoint": options["endpoint_url"],
        "s3.access-key-id": options["key"],
        "s3.secret-access-key": options["secret"],
        "s3.region": "us-east-1",
    }


def published(place: str, table: str, options: Mapping[str, str] | None = None) -> StaticTable:
    """A published table, found by its folder through the hint, as any reader without a catalog finds it."""
    return StaticTable.from_metadata(f"{place}/_wsparquet/iceberg/{table}", dict(options or {}))


def files_of(table: Table) -> list[str]:
    """The locations of the files that the current snapshot names; a file named twice appears twice."""
    return sorted(task.file.file_path for task in table.scan().plan_files())


def counting_files(root: Root, table: str, storage_options: Mapping[str, Any] | None = None) -> list[str]:
    """The locations of the parts that count, as ``open_dataset`` sees them."""
    lake = open_dataset(root.place, storage_options=storage_options)
    return sorted(f"{root.place}/{path}" for path in lake.files(table))


def assert_published(
    root: Root,
    options: Mapping[str, str] | None = None,
    *,
    storage: Mapping[str, Any] | None = None,
    tables: Iterable[str] = TABLE_NAMES,
) -> None:
    """Assert that each table names exactly the parts that count, and that nothing waits to be deleted."""
    for name in tables:
        assert files_of(published(root.place, name, options)) == counting_files(root, name, storage), name
    assert root.retired.waiting() == {}
    parts = {entry.path for entry in root.store.entries("") if is_part_path(entry.path)}
    assert parts == {each.part.path for each in root.log.counting().parts()}


def versions(root: Path | str, table: str = "geo") -> list[str]:
    """The versions of a table's metadata, by name."""
    return sorted(
        path.name for path in (Path(root) / "_wsparquet/iceberg" / table / "metadata").glob("v*.metadata.json")
    )


def hint(root: Path | str, table: str = "geo") -> str:
    """The version that readers open."""
    return (Path(root) / "_wsparquet/iceberg" / table / "metadata/version-hint.text").read_text()


def comparable(table: pa.Table, *, lists: bool = True) -> list[str]:
    """The rows in an order of their own. ``lists`` false: a null list is as good as an empty one."""
    rows = table.select(sorted(table.column_names)).to_pylist()
    return sorted(repr(row if lists else _without_nulls(row)) for row in rows)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value] or None
    return value


def copied(root: Root, to: Path) -> Root:
    """A copy of a local root."""
    shutil.copytree(root.place, to)
    return Root.open(to)

"""``wsparquet.open_dataset`` sees what commit records name, and nothing else that lies in a root."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.system.helpers import STATE, assert_same, committed_rows, convert, make_sources, rows_on_disk, table_folders
from wsparquet import TABLES, open_dataset, read
from wsparquet.dataset import Root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with three committed sources."""
    convert(tmp_path / "lake", make_sources(tmp_path / "in", files=3, dirty=False))
    return tmp_path / "lake"


def test_an_orphan_is_not_seen(root: Path) -> None:
    """A part that no record names is not read, though engines that go by the folder find it."""
    before = committed_rows(root)
    assert_same(before, rows_on_disk(root))
    for folder in table_folders(root):
        part = next(folder.rglob("*.parquet"))
        account, name = part.name.split(".", 1)
        shutil.copy(part, part.with_name(f"{account}.{name.replace('.part-', '.part-9')}"))
    assert_same(committed_rows(root), before)
    assert rows_on_disk(root) != before


def test_an_attempt_under_way_is_not_seen(root: Path, tmp_path: Path) -> None:
    """Rows that are written and finished but not committed are not seen, nor is anything left of them afterwards."""
    before = committed_rows(root)
    source = make_sources(tmp_path / "more", seed=7, files=1, dirty=False)
    with Root.open(root).begin(fallback_day_ms=None) as attempt:
        for table, rows in read(source).items():
            for batch in rows.to_batches():
                attempt.write(table, batch)
        assert sum(attempt.close().values()) > 0
        assert any((root / STATE / "tmp").rglob("*.part"))
        assert_same(committed_rows(root), before)
    assert not any((root / STATE / "tmp").iterdir())
    assert_same(committed_rows(root), before)


def test_published_parts_without_a_record_are_not_seen(root: Path) -> None:
    """Parts whose commit record is gone do not count, whatever else is there."""
    before = committed_rows(root)
    record = min((root / STATE / "commits").rglob("*.json"))
    record.unlink()
    gone = f"{record.stem}.gz"
    assert gone in before
    assert_same(committed_rows(root), {name: tables for name, tables in before.items() if name != gone})


def test_every_table_is_there(root: Path) -> None:
    """All tables can be opened with their full schema, those without a row too."""
    lake = open_dataset(root)
    assert lake.tables == tuple(TABLES)
    assert lake.table("unrecognized").to_table().num_rows == 0
    for name in lake.tables:
        assert lake.table(name).schema.names == [*TABLES[name].schema.names, "date"]

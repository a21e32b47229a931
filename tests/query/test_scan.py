"""A scanned table has exactly the rows that count, and a query reads no more files and bytes than it needs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.dataset.helpers import IDENTITY, data_files, put
from tests.query import roots
from tests.store.s3.lake import Lake
from tools.s3.proxy import Proxy
from tools.s3.server import SECRET
from wsparquet import DatasetError, OptionError, PlaceError, open_dataset, scan
from wsparquet.dataset import Root
from wsparquet.query.snapshot import take_snapshot
from wsparquet.schema import TABLES

HOSTILE = ['it\'s "mine"', "[a]*?{b}", "env=prod/lake 100%", "a=b=c", "k=", "=v", "q=%41", "ä\u2028 #?", "a\\b"]


def found(frame: pl.LazyFrame) -> list[tuple[str, int]]:
    """Source and number of each row, sorted."""
    return sorted(frame.select("source_file", "record_number").collect().rows())


@pytest.mark.parametrize("make", roots.STATES, ids=lambda make: make.__name__)
def test_exactly_the_rows_that_count(make: Callable[[Path], Root], tmp_path: Path) -> None:
    """Twins count once before and after one yields; replaced, removed and uncommitted rows do not count."""
    make(tmp_path)
    assert len(found(scan(tmp_path, "geo"))) == roots.ROWS[make.__name__]
    for table in roots.TABLES:
        assert found(scan(tmp_path, table)) == roots.counted(tmp_path, table)


@pytest.mark.parametrize("table", TABLES)
def test_values_and_types_are_those_of_the_dataset(table: str, tmp_path: Path) -> None:
    """Each table has the same columns, types and values as in pyarrow, also if it has no files."""
    roots.two_sources(tmp_path)
    expected = pl.from_arrow(open_dataset(tmp_path).table(table).to_table())
    assert isinstance(expected, pl.DataFrame)
    frame = scan(tmp_path, table)
    assert dict(frame.collect_schema()) == dict(expected.schema)
    order = ["source_file", "record_number"]
    assert frame.collect().sort(order).equals(expected.sort(order))
    assert expected.height == (24 if table in roots.TABLES else 0)


def test_a_day_reads_only_its_files_and_a_query_only_its_columns(tmp_path: Path) -> None:
    """The plan has the filter and the columns; files of other days may be gone, and the answer is the same."""
    roots.two_sources(tmp_path)
    days = scan(tmp_path, "geo").select(pl.col("date").drop_nulls().unique().sort()).collect()["date"].to_list()
    query = scan(tmp_path, "geo").filter(pl.col("date") == days[0]).select("city")
    plan = query.explain()
    assert f"PROJECT 2/{len(TABLES['geo'].schema) + 2} COLUMNS" in plan
    assert 'SELECTION: col("date") ==' in plan
    expected = query.collect()
    assert expected.height > 0
    for part in data_files(tmp_path):
        if f"date={days[0]}" not in part:
            (tmp_path / part).write_bytes(b"not Parquet")
    assert query.collect().equals(expected)


def test_a_frame_shows_the_root_as_it_was(tmp_path: Path) -> None:
    """A later commit is not in a frame that exists, and is in the next one."""
    root = roots.two_sources(tmp_path)
    before = scan(tmp_path, "geo")
    put(root, roots.COPY, seed=5, count=3)
    assert (len(found(before)), len(found(scan(tmp_path, "geo")))) == (24, 27)


def test_a_snapshot_beside_replacements_has_one_content_or_the_other(tmp_path: Path) -> None:
    """While a source is replaced again and again, the files of exactly one of its contents are named each time."""
    root = roots.two_sources(tmp_path)
    stop = threading.Event()

    def replace() -> None:
        for seed in range(10, 10_000):
            if stop.is_set():
                return
            put(root, IDENTITY, seed=seed, count=4)

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        for _ in range(20):
            paths = take_snapshot(tmp_path, ("geo",)).files["geo"]
            tokens = {path.rsplit(".", 3)[1] for path in paths if IDENTITY.name in path}
            assert len(tokens) == 1
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_of_a_root_is_a_name(name: str, tmp_path: Path) -> None:
    """Patterns, percent signs, quotes, and folders that look like partitions above the root change nothing."""
    roots.two_sources(tmp_path / name)
    frame = scan(tmp_path / name, "geo")
    assert frame.collect_schema().names() == [*TABLES["geo"].schema.names, "date"]
    assert found(frame) == roots.counted(tmp_path / name, "geo")


def test_a_root_whose_folder_would_become_a_column_is_refused(tmp_path: Path) -> None:
    """Polars would replace the column by the folder's value, so an error names the folder, whatever the table."""
    roots.two_sources(tmp_path / "city=x" / "lake")
    for table in ("geo", "navigation"):
        with pytest.raises(DatasetError, match=r"below the folder city=x, which .* as the column city"):
            scan(tmp_path / "city=x" / "lake", table)


def test_wrong_parameters_are_refused(tmp_path: Path) -> None:
    """The error about a mistyped table suggests the right one, and a missing root has an error of its own."""
    roots.two_sources(tmp_path / "lake")
    with pytest.raises(OptionError, match=r"`table`: expected one of geo, .*found 'navigatoin'; did you mean navig"):
        scan(tmp_path / "lake", "navigatoin")
    with pytest.raises(OptionError, match="`storage_options`: expected a dictionary or None, found a value of type"):
        scan(tmp_path / "lake", "geo", storage_options=["a"])  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="nowhere"):
        scan(tmp_path / "nowhere", "geo")
    with pytest.raises(PlaceError, match="found gs://, which is not supported for roots"):
        scan("gs://bucket/lake", "geo")
    with pytest.raises(PlaceError, match="UTF-8"):
        scan(os.fsencode(tmp_path).decode() + "/\udcff", "geo")


def test_polars_is_imported_where_it_is_used() -> None:
    """Neither `wsparquet` nor the function itself imports Polars."""
    code = "import sys, wsparquet; wsparquet.scan; print('polars' in sys.modules, 'duckdb' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "False False\n"


# --- S3 ---------------------------------------------------------------------------------------------------------------


def test_a_root_in_a_bucket(bucket: Lake, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows that count, by the options of s3fs; one day reads no object of another, and one column fewer bytes."""
    for name in [each for each in os.environ if each.startswith("AWS_")]:
        monkeypatch.delenv(name)
    root = bucket.open()
    roots.commit_large(root, IDENTITY)
    put(root, roots.OTHER, seed=2, count=12, tables=roots.TABLES)
    frame = scan(bucket.url, "geo", storage_options=bucket.options)
    assert found(frame) == roots.counted(bucket.url, "geo", storage_options=bucket.options)
    assert scan(bucket.url, "impression", storage_options=bucket.options).collect().height == 0

    everything, asked = _bytes_of(proxy, frame)
    assert len(asked) > 3
    one_day = frame.filter(pl.col("date") == date(2016, 7, 1))
    day, of_day = _bytes_of(proxy, one_day)
    assert of_day
    assert all("date%3D2016-07-01" in path or "date=2016-07-01" in path for path in of_day)
    column, _ = _bytes_of(proxy, one_day.select("record_number"))
    assert column < day < everything

    shown = f"{frame!r} {frame} {frame.explain()}"
    assert SECRET not in shown


def _bytes_of(proxy: Proxy, frame: pl.LazyFrame) -> tuple[int, set[str]]:
    """The number of bytes that answers had while a frame was collected, and the paths of the objects."""
    sizes: list[int] = []
    paths: set[str] = set()

    def note(method: str, path: str, answer: Any) -> Any:
        if method == "GET" and ".parquet" in path:
            sizes.append(len(answer.body))
            paths.add(path)
        return answer

    proxy.settings.rewrite = note
    frame.collect()
    proxy.settings.rewrite = None
    return sum(sizes), paths

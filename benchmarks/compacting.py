"""What a compaction costs and gains: a month of hourly sources, before and after, by files, bytes and queries."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

import wsparquet
from benchmarks.statistic import interleaved, series
from wsparquet.generate import GenerateOptions, generate

__all__ = ["compacting"]

START_MS = 1_467_244_800_000
"""2016-06-30, 00:00 UTC."""

FILE_SIZE = 100_000
DAY = "2016-07-05"

Query = Callable[[Path, str], Any]


def compacting(folder: Path, *, sources: int, seed: int, runs: int) -> dict[str, Any]:
    """Files, bytes and CPU seconds of the compaction of so many sources, and seconds of queries before and after."""
    raw, before, after = folder / "compact_raw", folder / "before", folder / "after"
    generate(raw, GenerateOptions(files=sources, size=FILE_SIZE, seed=seed, start_ms=START_MS))
    wsparquet.convert(raw, to=before).raise_for_failures()
    shutil.copytree(before, after)
    began, cpu = time.monotonic(), time.process_time()
    found = wsparquet.compact(after, older_than=timedelta(0)).raise_for_failures()
    result: dict[str, Any] = {
        "wall": time.monotonic() - began,
        "cpu": time.process_time() - cpu,
        "rows": sum(table.rows for table in found.tables),
        "sizes": {root.name: sizes(root) for root in (before, after)},
        "queries": {},
    }
    visitor = a_visitor(after)
    for name, query in QUERIES.items():
        answers = {root.name: query(root, visitor) for root in (before, after)}
        if answers["before"] != answers["after"]:
            raise RuntimeError(f"{name}: expected equal answers, found {answers}")
        roots = {root.name: root for root in (before, after)}
        times = interleaved([*roots], partial(_seconds, query, roots, visitor), runs=runs)
        result["queries"][name] = {which: series(values) for which, values in times.items()}
    return result


def sizes(root: Path) -> dict[str, dict[str, int]]:
    """The number and the bytes of the files of each table."""
    found = {}
    for table in sorted(root.glob("record_type=*")):
        files = [path.stat().st_size for path in table.rglob("*.parquet")]
        found[table.name.partition("=")[2]] = {"files": len(files), "bytes": sum(files)}
    return found


def a_visitor(root: Path) -> str:
    """A visitor with rows in the middle of the month."""
    query = f"SELECT min(visitorId) FROM {_files(root, 'navigation')} WHERE date = '{DAY}'"
    with duckdb.connect() as connection:
        return str(connection.execute(query).fetchall()[0][0])


def _seconds(query: Query, roots: dict[str, Path], visitor: str, which: str) -> float:
    began = time.monotonic()
    query(roots[which], visitor)
    return time.monotonic() - began


def _files(root: Path, table: str) -> str:
    return f"read_parquet('{root}/record_type={table}/**/*.parquet', hive_partitioning = true)"


def _in_duckdb(query: str) -> Query:
    def run(root: Path, visitor: str) -> Any:
        text = query.format(navigation=_files(root, "navigation"), visitor=visitor, day=DAY)
        with duckdb.connect() as connection:
            return connection.execute(text).fetchall()

    return run


def _in_polars(query: Callable[[pl.LazyFrame, str], pl.LazyFrame]) -> Query:
    def run(root: Path, visitor: str) -> Any:
        return query(wsparquet.scan(root, "navigation"), visitor).collect().rows()

    return run


def _journey(root: Path, visitor: str) -> Any:
    """All rows of one visitor, in every table."""
    return [
        wsparquet.scan(root, table).filter(pl.col("visitorId") == visitor).select(pl.len()).collect().item()
        for table in sizes(root)
    ]


def _pages(frame: pl.LazyFrame, _: str) -> pl.LazyFrame:
    pages = frame.select(page="navigationData").explode("page").unnest("page").group_by("url").len()
    return pages.sort("len", "url", descending=True).head(5)


QUERIES: dict[str, Query] = {
    "DuckDB: rows by day": _in_duckdb("SELECT date, count(*) FROM {navigation} GROUP BY date ORDER BY date"),
    "DuckDB: top pages": _in_duckdb(
        "SELECT page.url, count(*) AS views FROM (SELECT unnest(navigationData) AS page FROM {navigation}) "
        "GROUP BY ALL ORDER BY views DESC, 1 LIMIT 5"
    ),
    "DuckDB: visits of a day": _in_duckdb("SELECT count(DISTINCT visitId) FROM {navigation} WHERE date = '{day}'"),
    "DuckDB: one visitor": _in_duckdb("SELECT count(*) FROM {navigation} WHERE visitorId = '{visitor}'"),
    "Polars: rows by day": _in_polars(lambda frame, _: frame.group_by("date").len().sort("date")),
    "Polars: top pages": _in_polars(_pages),
    "Polars: visits of a day": _in_polars(
        lambda frame, _: frame.filter(pl.col("date").cast(str) == DAY).select(pl.col("visitId").n_unique())
    ),
    "Polars: one visitor": _in_polars(lambda frame, who: frame.filter(pl.col("visitorId") == who).select(pl.len())),
    "Polars: one visitor's journey, all tables": _journey,
}
"""The same questions in two engines; DuckDB reads the folder, and Polars scans the rows that count."""

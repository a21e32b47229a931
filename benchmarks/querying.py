"""How long queries of a month of hourly sources take: `scan` and `connect`, and the same by hand over the folder.

By hand means what a user would write without wsparquet: globs over the folders of the tables. Both read the same files,
so a ratio above 1 is what it costs to read exactly the rows that count, and one below 1 is what it gains.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

import wsparquet
from benchmarks.statistic import interleaved, series
from wsparquet.generate import GenerateOptions, generate
from wsparquet.render.views import VIEWS, view_query, view_statement, views_below
from wsparquet.schema import TABLES

__all__ = ["querying"]

START_MS = 1_467_244_800_000
"""2016-06-30, 00:00 UTC."""

FILE_SIZE = 30_000
DAY = date(2016, 7, 1)
TOTALS = "SELECT count(*) AS visits, sum(pages) AS pages, sum(orders) AS orders FROM visits"

Query = Callable[[], Any]


def querying(folder: Path, *, sources: int, seed: int, runs: int) -> dict[str, Any]:
    """Seconds of each query with wsparquet and by hand, for a root with so many sources, two of them an hour."""
    lake = make_lake(folder, sources=sources, seed=seed)
    parts = sum(len(wsparquet.open_dataset(lake).files(table)) for table in TABLES)
    found: dict[str, Any] = {"parts": parts, "queries": {}}
    for name, (ours, by_hand) in _pairs(lake).items():
        queries = {"wsparquet": ours, "by hand": by_hand}
        answers = {who: query() for who, query in queries.items()}
        if answers["wsparquet"] != answers["by hand"]:
            raise RuntimeError(f"{name}: expected equal answers, found {answers}")
        times = interleaved([*queries], partial(_seconds_of, queries), runs=runs)
        found["queries"][name] = {who: series(values) for who, values in times.items()}
    return found


def make_lake(folder: Path, *, sources: int, seed: int) -> Path:
    """Convert generated files of consecutive hours, two for each hour."""
    lake, raw = folder / "month", folder / "month_raw"
    generate(raw, GenerateOptions(files=sources, size=FILE_SIZE, seed=seed, start_ms=START_MS))
    wsparquet.convert(raw, to=lake).raise_for_failures()
    return lake


def _seconds_of(queries: dict[str, Query], who: str) -> float:
    began = time.perf_counter()
    queries[who]()
    return time.perf_counter() - began


def _pairs(lake: Path) -> dict[str, tuple[Query, Query]]:
    """Each query with wsparquet and by hand. The answers of both are equal."""
    return {
        "Polars: open and plan one day": (
            lambda: bool(_one_day(wsparquet.scan(lake, "geo")).explain()),
            lambda: bool(_one_day(_globbed(lake, "geo")).explain()),
        ),
        "Polars: one day": (
            lambda: _one_day(wsparquet.scan(lake, "geo")).collect().rows(),
            lambda: _one_day(_globbed(lake, "geo")).collect().rows(),
        ),
        "Polars: all": (
            lambda: _all(wsparquet.scan(lake, "geo")).collect().rows(),
            lambda: _all(_globbed(lake, "geo")).collect().rows(),
        ),
        "Polars: `visits` over a month": (
            lambda: _totals(wsparquet.scan(lake, "visits")),
            lambda: _totals(_visits_by_hand(lake)),
        ),
        "DuckDB: open": (lambda: bool(wsparquet.connect(lake)), lambda: bool(_views_by_hand(lake))),
        "DuckDB: open and plan one day": _sql(
            lake, f"EXPLAIN SELECT count(*) FROM geo WHERE date = '{DAY}'", plan=True
        ),
        "DuckDB: one day": _sql(lake, f"SELECT count(*), count(country) FROM geo WHERE date = '{DAY}'"),
        "DuckDB: all": _sql(lake, "SELECT count(*), count(country) FROM geo"),
        "DuckDB: `visits` over a month": _sql(lake, TOTALS),
    }


def _sql(lake: Path, query: str, *, plan: bool = False) -> tuple[Query, Query]:
    def asked(connection: duckdb.DuckDBPyConnection) -> Any:
        with connection:
            rows = connection.execute(query).fetchall()
            return bool(rows) if plan else rows

    return lambda: asked(wsparquet.connect(lake)), lambda: asked(_views_by_hand(lake))


def _one_day(frame: pl.LazyFrame) -> pl.LazyFrame:
    return _all(frame.filter(pl.col("date") == DAY))


def _all(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.select(rows=pl.len(), countries=pl.col("country").count())


def _totals(visits: pl.LazyFrame) -> Any:
    return visits.select(pl.len(), pl.col("pages").sum(), pl.col("orders").sum()).collect().rows()


# --- By hand ----------------------------------------------------------------------------------------------------------


def _globbed(lake: Path, table: str) -> pl.LazyFrame:
    if not (lake / f"record_type={table}").exists():
        return pl.LazyFrame(pl.DataFrame(_empty(table)))
    folders: dict[str, Any] = {"record_type": pl.String, "date": pl.Date}
    return pl.scan_parquet(lake / f"record_type={table}" / "**" / "*.parquet", hive_schema=folders)


def _visits_by_hand(lake: Path) -> pl.LazyFrame:
    context = pl.SQLContext({table: _globbed(lake, table) for table in TABLES})
    for view in views_below("visits"):
        context.register(view, context.execute(view_query(view, "polars")))
    return context.execute(view_query("visits", "polars"))


def _views_by_hand(lake: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for table in TABLES:
        if (lake / f"record_type={table}").exists():
            source = f"read_parquet('{lake}/record_type={table}/**/*.parquet', hive_partitioning = true"
            columns = "SELECT * EXCLUDE (record_type)"
            connection.execute(f"CREATE VIEW {table} AS {columns} FROM {source}, hive_types = {{'date': DATE}})")
        else:
            connection.register(table, _empty(table))
    for view in VIEWS:
        connection.execute(view_statement(view, "duckdb"))
    return connection


def _empty(table: str) -> pa.Table:
    return pa.schema([*TABLES[table].schema, pa.field("date", pa.date32())]).empty_table()

"""Polars: lines decoded with their types, exploded into records, then one partitioned sink per table.

(`scan_ndjson` with the same types takes some twenty times as long as `str.json_decode`.)

Otherwise: the tagged types are given, so another tag fails all or is lost; no `record_number`, no `rescued`, no
quarantine; rows of all sources share files, not committed.
"""

# ruff: noqa: D102 - the methods are described in benchmarks.tagged.Dialect

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from benchmarks.tagged import CONTAINER, RecordType, instant_of, record_types, unwrapped_columns

PACKAGES = ("polars",)


class Expressions:
    """Polars' expressions."""

    def get(self, struct: pl.Expr, key: str) -> pl.Expr:
        return struct.struct.field(key)

    def first(self, options: Sequence[pl.Expr]) -> pl.Expr:
        return options[0] if len(options) == 1 else pl.coalesce(*options)

    def struct(self, members: dict[str, pl.Expr], *, present: pl.Expr) -> pl.Expr:
        inside = pl.struct([value.alias(name) for name, value in members.items()])
        return pl.when(present.is_not_null()).then(inside)

    def mapped(self, items: pl.Expr, each: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
        return items.list.eval(each(pl.element()))

    def instant(self, milliseconds: pl.Expr) -> pl.Expr:
        return milliseconds.cast(pl.Datetime("ms", "UTC")).cast(pl.Datetime("us", "UTC"))

    def branch(self, options: Sequence[tuple[str, pl.Expr]]) -> pl.Expr:
        return pl.coalesce(*(pl.when(value.is_not_null()).then(pl.lit(name)) for name, value in options))

    def earliest(self, items: pl.Expr, field: str) -> pl.Expr:
        return items.list.eval(pl.element().struct.field(field)).list.min()


def _rows(records: pl.DataFrame, record: RecordType) -> pl.LazyFrame:
    expressions = Expressions()
    body = pl.col("body").struct.field(record.tag)
    columns = unwrapped_columns(record, body, pl.col("metaData"), expressions)
    rows = records.lazy().filter(body.is_not_null())
    rows = rows.select(*(value.alias(name) for name, value in columns.items()), "source_file")
    return rows.with_columns(date=instant_of(record, pl.col, expressions).dt.date())


def convert(sources: Sequence[Path], output: Path) -> None:
    """Write the tables of all sources."""
    container = pl.Struct(pl.DataFrame(CONTAINER.empty_table()).schema)
    lines = pl.scan_lines(list(sources), include_file_paths="source_file")
    records = (
        lines.with_columns(pl.col("line").str.json_decode(container).struct.unnest())
        .select(pl.col("recordCollection").struct.field("array").alias("record"), "metaData", "source_file")
        .explode("record")
        .with_columns(pl.col("record").struct.field("body"))
        .drop("record")
        .collect()
    )
    for record in record_types():
        target = pl.PartitionBy(output / f"record_type={record.table}", key="date", include_key=False)
        _rows(records, record).sink_parquet(target, compression="zstd", compression_level=1, mkdir=True)

"""The leaves of a real Parquet file of a table: what every rendering is held against."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from wsparquet.schema import Table

Leaf = tuple[str, str]


def write(table: Table, folder: Path) -> Path:
    """A Parquet file with the table's schema and one row of nulls."""
    path = folder / f"{table.name}.parquet"
    pq.write_table(pa.Table.from_pylist([{}], schema=table.schema), path)
    return path


def parquet_leaves(path: Path) -> list[Leaf]:
    """Every leaf column of a Parquet file: its path without list nodes, and its logical or physical type."""
    schema = pq.ParquetFile(path).schema
    return [_leaf(schema.column(index)) for index in range(len(schema))]


def _leaf(column: pq.ColumnSchema) -> Leaf:
    logical = column.logical_type.type
    return column.path.replace(".list.element", ""), column.physical_type if logical == "NONE" else logical

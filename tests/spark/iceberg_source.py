"""A data source named ``iceberg`` that reads Iceberg tables by pyiceberg: Iceberg's own jar is not to be had here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyiceberg.table import StaticTable
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from wsparquet.render.spark import schema
from wsparquet.schema import TABLES


class IcebergSource(DataSource):
    """A table at a path, as ``spark.read.format("iceberg").load(path)`` reads it."""

    @classmethod
    def name(cls) -> str:
        """Return the format's name."""
        return "iceberg"

    def schema(self) -> StructType:
        """Return the columns of the table that the last part of the path names."""
        return StructType.fromJson(schema(TABLES[Path(self.options["path"]).name]))

    def reader(self, schema: StructType) -> DataSourceReader:
        """Return what reads the table."""
        return Reader(self.options["path"], schema.names)


class Reader(DataSourceReader):
    """Reads the files that the current snapshot names."""

    def __init__(self, path: str, names: list[str]) -> None:
        self._path = path
        self._names = names

    def read(self, _: InputPartition) -> Iterator[Any]:
        """Yield all rows."""
        table = StaticTable.from_metadata(self._path).scan().to_arrow()
        plain: list[pa.RecordBatch] = table.select(self._names).replace_schema_metadata(None).to_batches()
        yield from plain

"""PySpark (`local[2]`): one typed scan of the JSON, exploded into records and kept, then a partitioned write per table.

Otherwise: the tagged types are given, so another tag is lost silently; a JVM starts; no `record_number`, no `rescued`,
no quarantine; rows of all sources share files, not committed.
"""

# ruff: noqa: D102 - the methods are described in benchmarks.tagged.Dialect

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from benchmarks.tagged import CONTAINER, RecordType, instant_of, record_types, unwrapped_columns

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PACKAGES = ("pyspark",)
_SCALARS = {"string": "STRING", "int32": "INT", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}
_OPTIONS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS",
    "spark.ui.enabled": "false",
    "spark.driver.memory": "6g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.hadoop.parquet.compression.codec.zstd.level": "1",
}


def missing() -> str | None:
    """Why it cannot run here; None if it can."""
    return None if shutil.which("java") else "Java is not installed"


def sql_type(data_type: pa.DataType) -> str:
    """The SQL type of a source's Arrow type."""
    if pa.types.is_struct(data_type):
        fields = [data_type.field(index) for index in range(data_type.num_fields)]
        inside = ", ".join(f"`{field.name}`: {sql_type(field.type)}" for field in fields)
        return f"STRUCT<{inside}>"
    if pa.types.is_list(data_type):
        return f"ARRAY<{sql_type(data_type.value_type)}>"
    return _SCALARS[str(data_type)]


class Sql:
    """Spark's expressions."""

    def __init__(self) -> None:
        self._names = (f"x{number}" for number in itertools.count())

    def get(self, struct: str, key: str) -> str:
        return f"{struct}.`{key}`"

    def first(self, options: Sequence[str]) -> str:
        return options[0] if len(options) == 1 else f"coalesce({', '.join(options)})"

    def struct(self, members: dict[str, str], *, present: str) -> str:
        inside = ", ".join(f"'{name}', {value}" for name, value in members.items())
        return f"if({present} IS NULL, NULL, named_struct({inside}))"

    def mapped(self, items: str, each: Callable[[str], str]) -> str:
        name = next(self._names)
        return f"transform({items}, {name} -> {each(name)})"

    def instant(self, milliseconds: str) -> str:
        return f"timestamp_millis({milliseconds})"

    def branch(self, options: Sequence[tuple[str, str]]) -> str:
        cases = " ".join(f"WHEN {value} IS NOT NULL THEN '{name}'" for name, value in options)
        return f"CASE {cases} END"

    def earliest(self, items: str, field: str) -> str:
        return f"array_min({items}.`{field}`)"


def _query(record: RecordType) -> str:
    sql = Sql()
    columns = unwrapped_columns(record, f"body.`{record.tag}`", "metaData", sql)
    selected = ", ".join(f"{value} AS `{name}`" for name, value in columns.items())
    instant = instant_of(record, lambda name: f"`{name}`", sql)
    rows = f"SELECT {selected}, source_file FROM records WHERE body.`{record.tag}` IS NOT NULL"
    return f"SELECT *, CAST({instant} AS DATE) AS date FROM ({rows})"


def _session(scratch: str) -> SparkSession:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.local.dir", scratch)
    for name, value in _OPTIONS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def _stop(session: SparkSession) -> None:
    """End the JVM and wait for it, so that its time and memory are among those of this process's children."""
    gateway = session.sparkContext._gateway  # noqa: SLF001
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()


def convert(sources: Sequence[Path], output: Path) -> None:
    """Write the tables of all sources."""
    schema = ", ".join(f"`{field.name}` {sql_type(field.type)}" for field in CONTAINER)
    with tempfile.TemporaryDirectory() as scratch:
        session = _session(scratch)
        try:
            lines = session.read.schema(schema).json([str(source) for source in sources])
            records = lines.selectExpr(
                "explode(recordCollection.array) AS record", "metaData", "_metadata.file_name AS source_file"
            )
            records.selectExpr("record.body AS body", "metaData", "source_file").persist().createOrReplaceTempView(
                "records"
            )
            for record in record_types():
                folder = output / f"record_type={record.table}"
                session.sql(_query(record)).write.partitionBy("date").parquet(str(folder))
        finally:
            _stop(session)

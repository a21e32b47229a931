"""DuckDB: one typed scan of the JSON into a temporary table, then one partitioned COPY per table.

Otherwise: the tagged types are given, so another tag is lost silently; timestamps have no zone; no `record_number`, no
`rescued`, no quarantine; a bad line fails all; rows of all sources share files, not committed.
"""

# ruff: noqa: D102 - the methods are described in benchmarks.tagged.Dialect

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from benchmarks.tagged import CONTAINER, RecordType, instant_of, record_types, unwrapped_columns

PACKAGES = ("duckdb",)
_SCALARS = {"string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}
_LONGEST_LINE = 256 << 20


def sql_type(data_type: pa.DataType) -> str:
    """The SQL type of a source's Arrow type."""
    if pa.types.is_struct(data_type):
        fields = [data_type.field(index) for index in range(data_type.num_fields)]
        inside = ", ".join(f'"{field.name}" {sql_type(field.type)}' for field in fields)
        return f"STRUCT({inside})"
    if pa.types.is_list(data_type):
        return f"{sql_type(data_type.value_type)}[]"
    return _SCALARS[str(data_type)]


class Sql:
    """DuckDB's expressions."""

    def __init__(self) -> None:
        self._names = (f"x{number}" for number in itertools.count())

    def get(self, struct: str, key: str) -> str:
        return f'{struct}."{key}"'

    def first(self, options: Sequence[str]) -> str:
        return options[0] if len(options) == 1 else f"coalesce({', '.join(options)})"

    def struct(self, members: dict[str, str], *, present: str) -> str:
        inside = ", ".join(f"'{name}': {value}" for name, value in members.items())
        return f"CASE WHEN {present} IS NOT NULL THEN {{{inside}}} END"

    def mapped(self, items: str, each: Callable[[str], str]) -> str:
        name = next(self._names)
        return f"list_transform({items}, lambda {name}: {each(name)})"

    def instant(self, milliseconds: str) -> str:
        return f"epoch_ms({milliseconds})"

    def branch(self, options: Sequence[tuple[str, str]]) -> str:
        cases = " ".join(f"WHEN {value} IS NOT NULL THEN '{name}'" for name, value in options)
        return f"CASE {cases} END"

    def earliest(self, items: str, field: str) -> str:
        name = next(self._names)
        return f'list_min(list_transform({items}, lambda {name}: {name}."{field}"))'


def _query(record: RecordType) -> str:
    sql = Sql()
    columns = unwrapped_columns(record, f'body."{record.tag}"', "tagged_metadata", sql)
    selected = ", ".join(f'{value} AS "{name}"' for name, value in columns.items())
    instant = instant_of(record, lambda name: f'"{name}"', sql)
    rows = f'SELECT {selected}, source_file FROM records WHERE body."{record.tag}" IS NOT NULL'
    return f"SELECT *, CAST({instant} AS DATE) AS date FROM ({rows})"


def convert(sources: Sequence[Path], output: Path) -> None:
    """Write the tables of all sources."""
    import duckdb

    columns = ", ".join(f"'{field.name}': '{sql_type(field.type)}'" for field in CONTAINER)
    files = ", ".join(f"'{source}'" for source in sources)
    connection = duckdb.connect()
    connection.execute(
        "CREATE TEMP TABLE records AS SELECT unnest(recordCollection.array).body AS body, "
        "metaData AS tagged_metadata, filename AS source_file "
        f"FROM read_json([{files}], format = 'newline_delimited', columns = {{{columns}}}, "
        f"maximum_object_size = {_LONGEST_LINE}, filename = true)"
    )
    for record in record_types():
        folder = output / f"record_type={record.table}"
        connection.execute(
            f"COPY ({_query(record)}) TO '{folder}' "
            "(FORMAT parquet, PARTITION_BY (date), COMPRESSION zstd, COMPRESSION_LEVEL 1)"
        )

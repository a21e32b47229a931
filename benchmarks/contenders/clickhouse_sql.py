"""ClickHouse (`chdb`): lines cut into records as text, then one partitioned INSERT per table that extracts its types.

Both steps parse with simdjson, so each record is parsed about three times. (One scan with the type of whole containers
is no way: with it, planning alone takes tens of seconds a table.)

Otherwise: the tagged types are given, so another tag is lost silently; a null list becomes an empty one, since arrays
cannot be null there, and a struct of nulls becomes null; `date` is a column of the files too; no `record_number`, no
`rescued`, no quarantine; rows of all sources share files, not committed.
"""

# ruff: noqa: D102 - the methods are described in benchmarks.tagged.Dialect

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa

from benchmarks.tagged import METADATA_TYPE, RecordType, instant_of, record_types, unwrapped_columns
from wsparquet.parquet.settings import file_schema

PACKAGES = ("chdb",)
_SCALARS = {"string": "String", "int32": "Int32", "int64": "Int64", "double": "Float64", "bool": "Bool"}
_SCALARS["timestamp[us, tz=UTC]"] = "DateTime64(6, 'UTC')"
_SETTINGS = (
    "input_format_skip_unknown_fields = 1, input_format_parallel_parsing = 1, "
    "output_format_parquet_compression_method = 'zstd', output_format_compression_level = 1, "
    "engine_file_truncate_on_insert = 1, max_insert_threads = 2"
)


def sql_type(data_type: pa.DataType) -> str:
    """The SQL type of an Arrow type, nullable wherever ClickHouse has it."""
    if pa.types.is_struct(data_type):
        fields = [data_type.field(index) for index in range(data_type.num_fields)]
        inside = ", ".join(f"`{field.name}` {sql_type(field.type)}" for field in fields)
        return f"Nullable(Tuple({inside}))"
    if pa.types.is_list(data_type):
        return f"Array({sql_type(data_type.value_type)})"
    return f"Nullable({_SCALARS[str(data_type)]})"


class Sql:
    """ClickHouse's expressions."""

    def __init__(self) -> None:
        self._names = (f"x{number}" for number in itertools.count())

    def get(self, struct: str, key: str) -> str:
        return f"tupleElement({struct}, '{key}')"

    def first(self, options: Sequence[str]) -> str:
        return options[0] if len(options) == 1 else f"coalesce({', '.join(options)})"

    def struct(self, members: dict[str, str], *, present: str) -> str:
        # Its names come with the column's type: an alias here would be one of the whole query.
        return f"if({present} IS NULL, NULL, tuple({', '.join(members.values())}))"

    def mapped(self, items: str, each: Callable[[str], str]) -> str:
        name = next(self._names)
        return f"arrayMap({name} -> {each(name)}, {items})"

    def instant(self, milliseconds: str) -> str:
        return f"fromUnixTimestamp64Micro({milliseconds} * 1000, 'UTC')"

    def branch(self, options: Sequence[tuple[str, str]]) -> str:
        cases = ", ".join(f"{value} IS NOT NULL, '{name}'" for name, value in options)
        return f"multiIf({cases}, NULL)"

    def earliest(self, items: str, field: str) -> str:
        name = next(self._names)
        return f"arrayMin({name} -> tupleElement({name}, '{field}'), {items})"


def _query(record: RecordType) -> str:
    sql, schema = Sql(), file_schema(record.table)
    columns = unwrapped_columns(record, "extracted", "metadata", sql)
    selected = ", ".join(
        f"CAST({value}, '{_quoted(sql_type(schema.field(name).type))}') AS `{name}`" for name, value in columns.items()
    )
    instant = instant_of(record, lambda name: f"`{name}`", sql)
    rows = (
        f"SELECT JSONExtract(record, 'body', '{record.tag}', '{sql_type(record.body_type)}') AS extracted, "
        f"JSONExtract(container, '{sql_type(METADATA_TYPE)}') AS metadata, source_file "
        f"FROM records WHERE tag = '{record.tag}'"
    )
    return f"SELECT *, toDate({instant}) AS date FROM (SELECT {selected}, source_file FROM ({rows}))"


def _quoted(text: str) -> str:
    return text.replace("'", "\\'")


def convert(sources: Sequence[Path], output: Path) -> None:
    """Write the tables of all sources, which lie in one folder."""
    from chdb.session import Session

    names = ",".join(source.name for source in sources)
    session = Session()
    session.query(
        "CREATE TABLE records ENGINE = Memory AS SELECT JSONExtractKeys(record, 'body')[1] AS tag, record, "
        "JSONExtractRaw(line, 'metaData') AS container, _file AS source_file "
        f"FROM file('{sources[0].parent}/{{{names}}}', 'LineAsString', 'line String', 'gzip') "
        f"ARRAY JOIN JSONExtractArrayRaw(line, 'recordCollection', 'array') AS record SETTINGS {_SETTINGS}"
    )
    for record in record_types():
        path = output / f"record_type={record.table}" / "date={_partition_id}" / "data.parquet"
        session.query(
            f"INSERT INTO FUNCTION file('{path}', 'Parquet') PARTITION BY date {_query(record)} SETTINGS {_SETTINGS}"
        )

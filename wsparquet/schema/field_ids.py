"""The id of every field of every table, which Parquet files carry and table formats such as Iceberg use.

The registry ``field_ids.csv`` beside this module has a line for each field: the table, the id, the field's full path,
and the schema version in which the field appeared. The registry is append-only: an id is never changed and never used
for another field, even if its field disappears. Documented fields have the ids 1 to 9,999; ids from 10,000 are reserved
for fields that a root adds. A path has the names of all structs from the table down to the field, and ``element`` for
the element of a list. ``date``, the partition column, has an id, too.

``python -m tools.field_ids`` appends the fields that have no id yet.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.schema.tables import PARTITION, AnyTable, table_of

__all__ = [
    "FIELD_ID",
    "FIRST_EXTENSION_ID",
    "REGISTRY_FILE",
    "FieldId",
    "field_ids",
    "field_paths",
    "registry",
    "with_field_ids",
    "with_id",
]

FIELD_ID: Final = "PARQUET:field_id"
"""The key in the metadata of an Arrow field under which both Parquet writers find the field's id."""

FIRST_EXTENSION_ID: Final = 10_000
REGISTRY_FILE: Final = "field_ids.csv"


class FieldId(NamedTuple):
    """A line of the registry. ``since`` is the schema version in which the field appeared."""

    table: str
    id: int
    path: str
    since: int


@functools.cache
def registry() -> tuple[FieldId, ...]:
    """Return all lines of the registry, in order."""
    # Reading the file without importlib.resources and csv saves 7 ms of the start of every conversion.
    text = Path(__file__).with_name(REGISTRY_FILE).read_text(encoding="utf-8")
    rows = (line.split(",") for line in text.splitlines()[1:])
    return tuple(FieldId(table, int(number), path, int(since)) for table, number, path, since in rows)


@functools.cache
def field_ids(table: AnyTable) -> Mapping[str, int]:
    """Return the ids of a table's fields by path, including fields that earlier schema versions had."""
    known = table_of(table)
    # The ids of an extension come last: a field that the documentation has since adopted keeps its id in the files.
    return {line.path: line.id for line in registry() if line.table == known.name} | {**known.ids}


def field_paths(table: AnyTable) -> Iterator[str]:
    """Yield the paths of all fields of a table, each struct or list before its children, and ``date`` last."""
    for field in (*table_of(table).schema, PARTITION):
        yield from _paths(field, field.name)


def _paths(field: pa.Field[Any], path: str) -> Iterator[str]:
    yield path
    for child in _children(field.type):
        yield from _paths(child, f"{path}.{child.name}")


def _children(data_type: pa.DataType) -> list[pa.Field[Any]]:
    if isinstance(data_type, pa.StructType):
        return [data_type.field(index) for index in range(data_type.num_fields)]
    return [data_type.value_field] if isinstance(data_type, pa.ListType) else []


def with_field_ids(table: AnyTable) -> pa.Schema:
    """Return a table's schema, in which the metadata of each field contains only the field's id.

    Raises:
        SchemaError: a field has no id.

    """
    return pa.schema([with_id(table, field, field.name) for field in table_of(table).schema])


def with_id(table: AnyTable, field: pa.Field[Any], path: str) -> pa.Field[Any]:
    """Return a field of a table with the id of its ``path``. Raises the same error as ``with_field_ids``."""
    number = field_ids(table).get(path)
    if number is None:
        raise SchemaError(
            f"{table_of(table).name}: expected an id for {path} in wsparquet/schema/{REGISTRY_FILE}, found none; "
            "run `python -m tools.field_ids`"
        )
    children = [with_id(table, child, f"{path}.{child.name}") for child in _children(field.type)]
    return pa.field(field.name, _type(field.type, children), field.nullable, metadata={FIELD_ID: str(number)})


def _type(data_type: pa.DataType, children: list[pa.Field[Any]]) -> pa.DataType:
    if isinstance(data_type, pa.StructType):
        return pa.struct(children)
    return pa.list_(children[0]) if isinstance(data_type, pa.ListType) else data_type

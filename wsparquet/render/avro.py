"""Renders a table's rows as an Avro record schema (Avro specification 1.11, "Schemas"), for tools that exchange Avro.

Every field is a union of null and its type, null by default. A struct is a record with its documented name; its first
occurrence contains the definition, and later occurrences contain only the name. The schema describes wsparquet's rows.
It is not the schema of the source files, which is not published. The partition column is omitted, because rows do
not contain it.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.render.metadata import describe, engine_type, struct_names
from wsparquet.schema import Table
from wsparquet.schema.fields import TIMESTAMP

__all__ = ["schema"]

NAMESPACE = "wsparquet"
# Structs have a separate namespace, because the struct Navigation and the table navigation differ only by case.
STRUCTS = "wsparquet.structs"

TYPES: dict[pa.DataType, str] = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "long",
    pa.float64(): "double",
}


def schema(table: Table) -> dict[str, Any]:
    """Return the Avro record schema of a table as JSON values.

    Raises:
        SchemaError: a type has no Avro equivalent, or two different structs have one name.

    """
    records: dict[str, pa.DataType] = {}
    fields = [_field(field, table.name, records) for field in table.schema]
    return {"type": "record", "name": table.name, "namespace": NAMESPACE, "doc": table.doc, "fields": fields}


def _field(field: pa.Field[Any], parent: str, records: dict[str, pa.DataType]) -> dict[str, Any]:
    branches = ["null", _type(field, parent, records)]
    return {"name": field.name, "type": branches, "default": None, "doc": describe(field)}


def _type(field: pa.Field[Any], parent: str, records: dict[str, pa.DataType]) -> Any:
    data_type = field.type
    if pa.types.is_struct(data_type):
        return _record(field, parent, records)
    if pa.types.is_list(data_type):
        return {"type": "array", "items": ["null", _type(data_type.value_field, parent, records)]}
    if data_type == TIMESTAMP:
        return {"type": "long", "logicalType": "timestamp-micros"}
    return engine_type("avro", TYPES, data_type)


def _record(field: pa.Field[Any], parent: str, records: dict[str, pa.DataType]) -> Any:
    name = _record_name(field, parent)
    full_name = f"{STRUCTS}.{name}"
    if full_name in records:
        if not records[full_name].equals(field.type, check_metadata=True):
            raise SchemaError(f"expected one struct named {name}, found two: rename one in wsparquet/schema/structs.py")
        return full_name
    records[full_name] = field.type
    fields = [_field(child, name, records) for child in field.type.fields]
    return {"type": "record", "name": name, "namespace": STRUCTS, "fields": fields}


def _record_name(field: pa.Field[Any], parent: str) -> str:
    """Return a struct's documented name.

    Unions have no documented name: the name of a union combines the names of its parent and its field.
    """
    names = struct_names(field)
    words = names[0].split() if names else [parent, field.name]
    return "".join(word[0].upper() + word[1:] for word in words)

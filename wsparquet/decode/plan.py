"""The plan: the schema, compiled into a tree that defines what to expect at each position of a record.

The tree does not define how decoders read values. Errors in the schema are detected here, before any row is decoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.schema import COMMON_SUFFIX, DOCUMENTED, METADATA, UNRECOGNIZED, Schema, Table
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.keys import is_tag, normalise
from wsparquet.schema.tables import (
    METADATA_COLUMN,
    NUMBER_COLUMN,
    RECORD_COLUMN,
    RESCUED_COLUMN,
    SOURCE_COLUMN,
    TAG_COLUMN,
)

__all__ = [
    "PLANS",
    "Branch",
    "CommonColumn",
    "DecodePlan",
    "FieldPlan",
    "Leaf",
    "ListOf",
    "Node",
    "RawPlan",
    "StructOf",
    "TablePlan",
    "UnionOf",
    "compiled",
]

LEAVES = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "int32",
    pa.int64(): "int64",
    pa.float64(): "float64",
    TIMESTAMP: "timestamp",
}

PLANS = 8
"""How many schemas of different roots a process keeps compiled."""

Content = Literal["metadata", "source", "number", "rescued"]

COMMON_COLUMNS: dict[str, Content] = {
    METADATA_COLUMN.name: "metadata",
    SOURCE_COLUMN.name: "source",
    NUMBER_COLUMN.name: "number",
    RESCUED_COLUMN.name: "rescued",
}
"""The content that a decoder writes to each common column."""


@dataclass(frozen=True)
class Leaf:
    """A scalar.

    ``kind`` is a value of ``LEAVES``. ``names`` has the normalized names that a tag around the scalar may have.
    ``values`` has the documented values of an enum, and is empty for other leaves.
    """

    kind: str
    names: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()


@dataclass(frozen=True)
class FieldPlan:
    """A field of a struct: the column's name, the normalized keys of the field, and the node of the field's value.

    ``added`` has those of the keys that an extension adds to a documented struct, which never choose a table, a
    payload, or a branch. If an extension adds the field, these are all of its keys.
    """

    name: str
    keys: frozenset[str]
    node: Node
    added: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StructOf:
    """A struct. ``inline`` is the struct field whose own fields may appear directly in this struct."""

    fields: tuple[FieldPlan, ...]
    names: frozenset[str] = frozenset()
    inline: FieldPlan | None = None


@dataclass(frozen=True)
class ListOf:
    """A list. If ``or_one`` is true, a single element may appear without a list around it."""

    element: Node
    or_one: bool = False


@dataclass(frozen=True)
class Branch:
    """A branch of a union: the name of its column, the normalized names that its tag may have, and its struct.

    ``added`` has those of the names that an extension adds. If an extension adds the branch, these are all its names.
    """

    name: str
    names: frozenset[str]
    struct: StructOf
    added: frozenset[str] = frozenset()


@dataclass(frozen=True)
class UnionOf:
    """A union of structs."""

    branches: tuple[Branch, ...]


Node = Leaf | StructOf | ListOf | UnionOf


@dataclass(frozen=True)
class TablePlan:
    """A record type: its body tags, the names of its payload, and a struct of the payload's columns.

    ``added`` says that an extension adds the table.
    """

    name: str
    tags: frozenset[str]
    payload_names: frozenset[str]
    payload: StructOf
    flat: bool
    added: bool = False


@dataclass(frozen=True)
class RawPlan:
    """The table of records that belong to no other table: its name, and its columns for the body tag and the record."""

    name: str
    tag: str
    record: str


@dataclass(frozen=True)
class CommonColumn:
    """A column that every table has after its payload, and the content that a decoder writes to it."""

    name: str
    holds: Content


@dataclass(frozen=True)
class DecodePlan:
    """The complete tree: the header, the metaData of containers, the tables, and the columns common to all tables."""

    header: StructOf
    metadata: StructOf
    tables: tuple[TablePlan, ...]
    unrecognized: RawPlan
    common: tuple[CommonColumn, ...]


@lru_cache(maxsize=PLANS)
def compiled(schema: Schema = DOCUMENTED) -> DecodePlan:
    """Return the plan of a schema.

    Raises:
        SchemaError: two fields, branches, or tables share a key or name, or no reader supports a type.

    """
    tables = tuple(_table(table) for table in schema.tables.values() if table.tags)
    _distinct("tables", ((table.name, table.tags) for table in tables))
    _distinct("tables", ((table.name, table.payload_names) for table in tables))
    header = schema.header
    return DecodePlan(
        header=_struct(header.fields, frozenset(map(normalise, (header.name, *header.aliases)))),
        metadata=_struct(METADATA.fields, frozenset({normalise(METADATA.name)})),
        tables=tables,
        unrecognized=RawPlan(UNRECOGNIZED.name, TAG_COLUMN.name, RECORD_COLUMN.name),
        common=tuple(_common(field) for field in COMMON_SUFFIX),
    )


def _common(field: pa.Field) -> CommonColumn:
    if field.name not in COMMON_COLUMNS:
        raise SchemaError(f"no decoder fills the common column {field.name!r}; expected one of {list(COMMON_COLUMNS)}")
    return CommonColumn(field.name, COMMON_COLUMNS[field.name])


def _table(table: Table) -> TablePlan:
    names = frozenset(map(normalise, (table.flat.name, *table.flat.aliases))) if table.flat else frozenset()
    return TablePlan(
        name=table.name,
        tags=frozenset(table.tags),
        payload_names=frozenset(table.payload_names),
        payload=_struct(table.payload, names),
        flat=table.flat is not None,
        added=table.added,
    )


def _struct(fields: Iterable[pa.Field], names: frozenset[str], *, inline: bool = False) -> StructOf:
    plans = tuple(FieldPlan(field.name, _keys(field), _node(field), _added_keys(field)) for field in fields)
    _distinct("fields", ((plan.name, plan.keys) for plan in plans))
    for plan in plans:
        if plan.keys & names:
            raise SchemaError(f"field {plan.name!r} has the name of its own struct, so its key would look like a tag")
        if any(is_tag(key, frozenset()) for key in plan.keys):
            raise SchemaError(f"field {plan.name!r} has the name of an Avro type, so its key would look like a tag")
    inlined = [plan for plan in plans if isinstance(plan.node, StructOf)] if inline else []
    if inline and len(inlined) != 1:
        raise SchemaError(f"a struct of kind inline needs exactly one struct field, found {len(inlined)}")
    return StructOf(plans, names, inlined[0] if inlined else None)


def _node(field: pa.Field) -> Node:
    kind = field.type
    if annotations_of(field).kind == "union":
        return _union(field)
    if pa.types.is_struct(kind):
        return _struct(kind.fields, _names(field), inline=annotations_of(field).kind == "inline")
    if pa.types.is_list(kind):
        return ListOf(_node(kind.value_field), or_one=pa.types.is_string(kind.value_type))
    if kind not in LEAVES:
        raise SchemaError(f"no reader for type {kind} of field {field.name!r}; expected one of {list(LEAVES.values())}")
    return Leaf(LEAVES[kind], _names(field), frozenset(annotations_of(field).values))


def _union(field: pa.Field) -> UnionOf:
    branches = []
    for child in field.type.fields:
        if child.name != "type":
            struct = _struct(child.type.fields, frozenset())
            notes = annotations_of(child)
            more = frozenset(map(normalise, notes.added_names))
            names = _names(child) | {normalise(child.name)} | more
            branches.append(Branch(child.name, names, struct, names if notes.added else more))
    _distinct("branches", ((branch.name, branch.names) for branch in branches))
    return UnionOf(tuple(branches))


def _keys(field: pa.Field) -> frozenset[str]:
    notes = annotations_of(field)
    return frozenset(map(normalise, (field.name, *notes.aliases, *notes.added_names)))


def _added_keys(field: pa.Field) -> frozenset[str]:
    notes = annotations_of(field)
    return _keys(field) if notes.added else frozenset(map(normalise, notes.added_names))


def _names(field: pa.Field) -> frozenset[str]:
    return frozenset(map(normalise, annotations_of(field).struct_names))


def _distinct(what: str, named: Iterable[tuple[str, frozenset[str]]]) -> None:
    owners: dict[str, str] = {}
    for name, keys in named:
        for key in keys:
            if key in owners:
                raise SchemaError(f"{what} {owners[key]!r} and {name!r} are both known as {key!r}")
            owners[key] = name

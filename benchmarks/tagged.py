"""What the field's form looks like to a tool with no idea of tags, and how its values are unwrapped, written down once.

A contender says how its engine takes a field, makes a struct and maps over a list (``Dialect``); the walk is the same
for all. Spellings of one key that differ in case alone are read in the column's own only, since SQL engines take
them for one name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, Protocol, TypeVar

import pyarrow as pa

from wsparquet.generate.shapes import NAMESPACE, RECORD_TABLES, body_tag, payload_key
from wsparquet.schema import HEADER, METADATA, TABLES

__all__ = [
    "CONTAINER",
    "METADATA_TYPE",
    "Dialect",
    "Node",
    "RecordType",
    "instant_of",
    "record_types",
    "unwrapped_columns",
]

E = TypeVar("E")
_PRIMITIVES = {"string": "string", "int32": "int", "int64": "long", "double": "double", "bool": "boolean"}


@dataclass(frozen=True)
class Node:
    """One value of the source: its column's name, its keys and the tags around it (none: bare), and what is in it.

    ``type`` is a scalar's type in the source; ``time`` marks milliseconds that become a timestamp. ``members`` are a
    struct's fields, a union's branches, or a list's one element.
    """

    name: str
    kind: Literal["scalar", "struct", "list", "union"]
    keys: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    type: pa.DataType | None = None
    time: bool = False
    members: tuple[Node, ...] = ()

    @property
    def bare_type(self) -> pa.DataType:
        """The source's Arrow type of the value within its tag."""
        match self.kind:
            case "scalar":
                return self.type or pa.null()
            case "list":
                return pa.list_(self.members[0].bare_type)
            case "union":
                return pa.struct([pa.field(tag, branch.bare_type) for branch in self.members for tag in branch.tags])
            case _:
                return pa.struct([pa.field(key, member.tagged_type) for member in self.members for key in member.keys])

    @property
    def tagged_type(self) -> pa.DataType:
        """The source's Arrow type of the value, tag and all."""
        return pa.struct([pa.field(tag, self.bare_type) for tag in self.tags]) if self.tags else self.bare_type


# --- From the schema --------------------------------------------------------------------------------------------------


def _metadata(field: pa.Field, key: str) -> str:
    return (field.metadata or {}).get(key.encode(), b"").decode()


def _struct_tags(field: pa.Field) -> tuple[str, ...]:
    names = (_metadata(field, "struct"), *json.loads(_metadata(field, "struct_aliases") or "[]"))
    return tuple(NAMESPACE + name.replace(" ", "") for name in names)


def _keys(field: pa.Field) -> tuple[str, ...]:
    other = _metadata(field, "source_name")
    return (field.name, other) if other and other.lower() != field.name.lower() else (field.name,)


def _children(data_type: pa.DataType) -> list[pa.Field]:
    return [data_type.field(index) for index in range(data_type.num_fields)]


def _node(field: pa.Field) -> Node:
    """A field as it stands in its struct."""
    keys = _keys(field)
    if _metadata(field, "kind") == "union":
        return Node(field.name, "union", keys, members=tuple(_node(child) for child in _children(field.type)[1:]))
    if pa.types.is_list(field.type):
        return Node(field.name, "list", keys, ("array",), members=(_element(field.type.field(0)),))
    if pa.types.is_struct(field.type):
        return Node(field.name, "struct", keys, _struct_tags(field), members=_members(field.type))
    if _metadata(field, "struct"):
        return Node(field.name, "scalar", keys, _struct_tags(field), field.type)
    if pa.types.is_timestamp(field.type):
        return Node(field.name, "scalar", keys, ("long",), pa.int64(), time=True)
    return Node(field.name, "scalar", keys, (_PRIMITIVES[str(field.type)],), field.type)


def _members(data_type: pa.DataType) -> tuple[Node, ...]:
    return tuple(_node(child) for child in _children(data_type))


def _element(element: pa.Field) -> Node:
    if pa.types.is_struct(element.type):
        return Node("element", "struct", members=_members(element.type))
    return Node("element", "scalar", type=element.type)


# --- Containers and records -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RecordType:
    """One record type: the table, the body's tag, and what is in the body.

    ``time`` names the field that says when a record happened: of the payload if that is ``flat``, else of the elements
    of its list. None: the container's start says it.
    """

    table: str
    tag: str
    header: Node
    payload: Node
    time: str | None

    @property
    def flat(self) -> bool:
        """Whether the payload's fields are the table's own columns."""
        return self.payload.kind == "struct"

    @property
    def body_type(self) -> pa.DataType:
        """The source's Arrow type of what is within the body's tag."""
        return Node("body", "struct", members=(self.header, self.payload)).bare_type


_HEADER = Node("header", "struct", ("header",), (NAMESPACE + "VisitorHeader",), members=_members(HEADER.type))


def _untagged(node: Node) -> Node:
    return Node(node.name, node.kind, node.keys, (), node.type, node.time)


_META = Node(
    "metaData",
    "struct",
    ("metaData",),
    (NAMESPACE + "MetaData",),
    members=tuple(_untagged(node) if node.name == "schemaVersion" else node for node in _members(METADATA.type)),
)


@cache
def record_types() -> tuple[RecordType, ...]:
    """Every record type that is generated, in the page's order."""
    return tuple(_record_type(name) for name in RECORD_TABLES)


def _record_type(name: str) -> RecordType:
    table = TABLES[name]
    if table.flat is not None:
        tags = (NAMESPACE + table.flat.name.replace(" ", ""),)
        payload = Node(name, "struct", (payload_key(table),), tags, members=_members(table.flat.type))
        timed = payload
    else:
        payload = _node(table.payload[0])
        timed = payload.members[0]
    time = next((member.name for member in timed.members if member.time), None)
    return RecordType(name, NAMESPACE + body_tag(name), _HEADER, payload, time)


METADATA_TYPE: pa.DataType = _META.tagged_type
"""A container's ``metaData``, tag and all."""


def _container() -> pa.Schema:
    bodies = pa.struct([pa.field(record.tag, record.body_type) for record in record_types()])
    records = pa.list_(pa.struct([pa.field("body", bodies)]))
    collection = pa.struct([pa.field("array", records)])
    return pa.schema([pa.field("metaData", METADATA_TYPE), pa.field("recordCollection", collection)])


CONTAINER: pa.Schema = _container()
"""One container line as a tool sees it that knows no tags: every record has a body with one child set."""


# --- Unwrapping -------------------------------------------------------------------------------------------------------


class Dialect(Protocol[E]):
    """How an engine says it; ``E`` is its expression, or its column of values."""

    def get(self, struct: E, key: str) -> E:
        """A struct's field, null where the struct is."""
        ...

    def first(self, options: Sequence[E]) -> E:
        """The first that is not null, of one or more."""
        ...

    def struct(self, members: dict[str, E], *, present: E) -> E:
        """A struct, null where ``present`` is."""
        ...

    def mapped(self, items: E, each: Callable[[E], E]) -> E:
        """A list with every element changed."""
        ...

    def instant(self, milliseconds: E) -> E:
        """A timestamp from milliseconds since 1970."""
        ...

    def branch(self, options: Sequence[tuple[str, E]]) -> E:
        """The name beside the first value that is not null."""
        ...

    def earliest(self, items: E, field: str) -> E:
        """The least of a field over a list's elements, which are unwrapped."""
        ...


def _bare(node: Node, value: E, dialect: Dialect[E]) -> E:
    """A value within its tag, unwrapped all through."""
    match node.kind:
        case "scalar":
            return dialect.instant(value) if node.time else value
        case "list":
            element = node.members[0]
            plain = element.kind == "scalar"
            return value if plain else dialect.mapped(value, lambda item: _bare(element, item, dialect))
        case "union":
            return dialect.struct(_branches(node, value, dialect), present=value)
        case _:
            return dialect.struct(_fields(node, value, dialect), present=value)


def _fields(node: Node, value: E, dialect: Dialect[E]) -> dict[str, E]:
    return {member.name: _bare(member, _located(member, value, dialect), dialect) for member in node.members}


def _branches(node: Node, value: E, dialect: Dialect[E]) -> dict[str, E]:
    named = [(tag.rpartition(".")[2], dialect.get(value, tag)) for branch in node.members for tag in branch.tags]
    children = {
        branch.name: _bare(branch, dialect.first([dialect.get(value, tag) for tag in branch.tags]), dialect)
        for branch in node.members
    }
    return {"type": dialect.branch(named), **children}


def _located(node: Node, holder: E, dialect: Dialect[E]) -> E:
    """A field's value within its tag, under whichever key and tag it stands."""
    held = [dialect.get(holder, key) for key in node.keys]
    return dialect.first([dialect.get(value, tag) for value in held for tag in node.tags] if node.tags else held)


def unwrapped_columns(record: RecordType, body: E, metadata: E, dialect: Dialect[E]) -> dict[str, E]:
    """A table's columns from ``body``, what is within the body's tag, and ``metadata``, the container's, in its tag."""
    header = _fields(record.header, _located(record.header, body, dialect), dialect)
    held = _located(record.payload, body, dialect)
    payload = _fields(record.payload, held, dialect) if record.flat else {}
    payload = payload or {record.payload.name: _bare(record.payload, held, dialect)}
    meta = dialect.first([dialect.get(metadata, tag) for tag in _META.tags])
    return {**header, **payload, "metaData": _bare(_META, meta, dialect)}


def instant_of(record: RecordType, column: Callable[[str], E], dialect: Dialect[E]) -> E:
    """When a record happened, from the unwrapped columns: its earliest own timestamp, else its container's start."""
    start = dialect.get(column("metaData"), "startTime")
    if record.time is None:
        return start
    own = column(record.time) if record.flat else dialect.earliest(column(record.payload.name), record.time)
    return dialect.first([own, start])

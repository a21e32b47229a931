"""Adds an extension to the documented schema, which stays first and unchanged.

Each field that an extension adds to a documented struct is marked as added, with all fields in it: what chooses tables,
payloads, branches and days is the documented schema alone (docs/decoding.md, "Extensions").
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.schema.added_fields import Additions
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.extension import Extension, parse_extension
from wsparquet.schema.field_ids import FIRST_EXTENSION_ID, field_paths, registry
from wsparquet.schema.tables import DOCUMENTED, TABLES, Schema, Table

__all__ = ["KeptExtension", "adopt", "extended", "load_extension", "loss", "read_extension", "schema_of"]

Ids = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class KeptExtension:
    """An extension as a root keeps it: the text of the file, and the ids of the fields that it adds, by table and path.

    An id never changes, and is never used again.
    """

    text: str
    ids: Ids = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """All tables of the root."""
        return schema_of(self.text, json.dumps(self.ids))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON values in ``root.json``."""
        return {"hash": self.schema.hash, "text": self.text, "ids": self.ids}


def load_extension(path: str | os.PathLike[str]) -> str:
    """Return the text of an extension's file. Raises SchemaError if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not valid UTF-8"
        raise SchemaError(f"{path}: expected an extension, a TOML file, found that {reason}; check the path") from error


def read_extension(path: str | os.PathLike[str]) -> Schema:
    """Return the documented schema with the extension in a file. Raises SchemaError if the file is not valid."""
    return extended(parse_extension(load_extension(path), os.fspath(path)))


def adopt(text: str, place: str, before: KeptExtension | None = None) -> KeptExtension:
    """Return an extension as a root keeps it, with the ids of ``before``, which the root has kept until now.

    Raises:
        SchemaError: the extension is not valid, or lacks something that ``before`` has.

    """
    schema = extended(parse_extension(text, place), before.ids if before else {})
    if before is not None and (lost := loss(before.schema, schema)) is not None:
        raise SchemaError(
            f"{place}: expected an extension with all that the root's present extension has, found none of {lost}; "
            "print the present extension with `wsparquet extend ROOT`, and add to it"
        )
    return KeptExtension(text, {name: dict(table.ids) for name, table in schema.tables.items() if table.ids})


@lru_cache(maxsize=8)
def schema_of(text: str, ids: str) -> Schema:
    """Return the schema of an extension that a root keeps. ``ids`` is JSON. Raises SchemaError if it is not valid."""
    return extended(parse_extension(text, "the root's extension"), json.loads(ids))


def extended(extension: Extension, ids: Ids | None = None) -> Schema:
    """Return the documented schema with an extension. ``ids`` are those that a root has assigned already.

    Raises:
        SchemaError: the extension contradicts the documented schema or itself; the message names line and key.

    """
    additions = Additions(extension)
    header = additions.header()
    tables = {name: additions.documented(table, header) for name, table in TABLES.items()}
    for added in extension.tables:
        tables[added.name] = additions.table(added, header)
    numbered = {name: _with_ids(table, (ids or {}).get(name, {})) for name, table in tables.items()}
    return Schema(numbered, header, _hash(numbered), extension.text)


def _with_ids(table: Table, kept: Mapping[str, int]) -> Table:
    """Return the table with an id for each field; a field without one gets the next id of the range of extensions."""
    if table is TABLES.get(table.name) and not kept:
        return table
    documented = {line.path for line in registry() if line.table == table.name}
    ids = dict(kept)
    following = max((*kept.values(), FIRST_EXTENSION_ID - 1)) + 1
    for path in field_paths(table):
        if path not in documented and path not in ids:
            ids[path] = following
            following += 1
    return replace(table, ids=ids)


def _hash(tables: Mapping[str, Table]) -> str:
    """Return what identifies all that decides on rows and files: names, types, keys and ids, but not descriptions."""
    values = [
        [name, table.tags, table.payload_names, table.flat is not None, table.ids, list(map(_plain, table.schema))]
        for name, table in tables.items()
        if table is not TABLES.get(name)
    ]
    return hashlib.sha256(json.dumps(values).encode("utf-8")).hexdigest()[:32]


def _plain(of: pa.Field) -> list[Any]:
    notes = annotations_of(of)
    keys = [notes.source_names, notes.struct_names, sorted(notes.values), notes.kind, notes.added]
    children = list(map(_plain, _children(of.type)))
    return [of.name, "" if children else str(of.type), keys, children]


def _children(data_type: pa.DataType) -> Sequence[pa.Field]:
    if isinstance(data_type, pa.StructType):
        return data_type.fields
    return [data_type.value_field] if isinstance(data_type, pa.ListType) else []


# --- A later extension ------------------------------------------------------------------------------------------------


def loss(before: Schema, after: Schema) -> str | None:
    """Return what a schema has that a later one lacks, in words, or None if the later one has all of it."""
    for name, table in before.tables.items():
        if table is DOCUMENTED.tables.get(name):
            continue
        later = after.tables.get(name)
        if later is None:
            return f"the table {name}"
        for lost in _lost_names(name, table, later):
            return lost
        fields = {each.name: each for each in later.schema}
        for each in table.schema:
            for lost in _lost(each, fields.get(each.name), f"{name}.{each.name}"):
                return lost
    return None


def _lost_names(name: str, before: Table, after: Table) -> Iterator[str]:
    for what, one, other in (
        ("the tag", before.tags, after.tags),
        ("the payload name", before.payload_names, after.payload_names),
    ):
        yield from (f"{what} {each} of the table {name}" for each in one if each not in other)
    if (before.flat is None) != (after.flat is None):
        yield f"the kind of the table {name}"


def _lost(before: pa.Field, after: pa.Field | None, path: str) -> Iterator[str]:
    if after is None:
        yield path
        return
    one, other = annotations_of(before), annotations_of(after)
    yield from (f"the key {key} of {path}" for key in one.source_names if key not in other.source_names)
    yield from (f"the value {value} of {path}" for value in one.values if value not in other.values)
    children = {child.name: child for child in _children(after.type)}
    if bool(children) != bool(_children(before.type)) or (not children and before.type != after.type):
        yield f"{path} as {before.type}"
    for child in _children(before.type):
        yield from _lost(child, children.get(child.name), f"{path}.{child.name}")

"""Compiles a policy of masks for the decoders: what happens to columns, to rescued values, and to other text.

A value of a masked field that has no column is in ``rescued``. A decoder looks up its path, such as
``$.navigationData[*].url``, and then its key, and then the keys of everything inside the value. Keys are compared as
decoders compare the keys of a source. A struct or list that contains a masked field is dropped from ``rescued`` as a
whole, because its form is not the documented one, and so the value of the masked field can be anywhere in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple, Self

import pyarrow as pa

from wsparquet.errors import OptionError
from wsparquet.privacy.columns import Column, all_columns
from wsparquet.privacy.keys import KEY_VARIABLE, SecretKey
from wsparquet.privacy.policy import Policy
from wsparquet.schema import HEADER, TABLES
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.keys import last_part, normalise, short_tag
from wsparquet.schema.tables import RECORD_COLUMN, RESCUED_COLUMN

__all__ = ["DROP", "KEEP", "ColumnMask", "Masks"]

KEEP: Final = "keep"
DROP: Final = "drop"

STRICTEST: Final = (DROP, "redact", "ip", "url", "hash", KEEP)
"""The operations from the one that keeps least. If several fields have the same key, the strictest operation counts."""

ROOTS: Final = ("$body", "$body.header")
"""The paths of a body and of a header that are not objects."""


class ColumnMask(NamedTuple):
    """A masked column, and its operation: ``drop``, ``redact``, ``ip``, ``url`` or ``hash``."""

    column: Column
    operation: str


@dataclass(frozen=True)
class Masks:
    """A policy, compiled for the decoders, with the secret key if the policy has hashes."""

    policy: Policy
    key: SecretKey | None

    @classmethod
    def of(cls, policy: Policy | None, key: SecretKey | None) -> Self | None:
        """Return the masks of a policy, or None without a policy. Raises OptionError if the key is missing."""
        if policy is None:
            return None
        if policy.needs_key and key is None:
            raise OptionError(
                "key_file",
                f"expected a secret key, because the policy has hashes, found none; set {KEY_VARIABLE}, or give the "
                "file with `key_file`; `openssl rand -hex 32` makes a new key",
            )
        return cls(policy, key if policy.needs_key else None)

    @cached_property
    def columns(self) -> Mapping[str, tuple[ColumnMask, ...]]:
        """The masked columns of each table."""
        return {table: tuple(self._of_table(table)) for table in TABLES}

    def _of_table(self, table: str) -> Iterator[ColumnMask]:
        masked = self.policy.of_table(table)
        found = {column.path: ColumnMask(column, _operation(column, action)) for column, action in masked}
        if table == "unrecognized" and self.policy.record == "drop":
            found.setdefault(RECORD_COLUMN.name, ColumnMask(all_columns()[f"{table}.{RECORD_COLUMN.name}"], DROP))
        yield from found.values()

    @cached_property
    def paths(self) -> Mapping[str, Mapping[str, str]]:
        """The operation for each path of rescued values, by table: that of its column, or ``drop`` for a parent."""
        return {table: self._paths(table) for table in TABLES}

    def _paths(self, table: str) -> dict[str, str]:
        found = {column.starred: KEEP for column in all_columns().values() if column.table == table}
        for column, operation in self._fields(table):
            found[column.starred] = operation
            found.update(dict.fromkeys(_parents(column.starred), DROP))
            found.update(dict.fromkeys(ROOTS if column.steps[0] in _HEADER else ROOTS[:1], DROP))
        return found

    def _fields(self, table: str) -> Iterator[ColumnMask]:
        """Yield the masks of columns that have a field in the source."""
        own = {RESCUED_COLUMN.name, RECORD_COLUMN.name, "tag"}
        return (mask for mask in self.columns[table] if mask.column.path not in own)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The operation for the normalized key of a value without a column, by key."""
        found: dict[str, str] = {}
        for table in TABLES:
            for mask in self._fields(table):
                for name, operation in _names(mask):
                    found[name] = min(found.get(name, KEEP), operation, key=STRICTEST.index)
        return found

    def named(self, key: str) -> str:
        """Return the operation for the key or the tag of a value without a column."""
        forms = (normalise(key), normalise(last_part(key)), short_tag(key))
        return next((self.names[form] for form in forms if form in self.names), KEEP)

    def for_crate(self) -> str:
        """Return the masks as JSON text for the native decoder, without the key."""
        columns = [
            {"table": table, "steps": mask.column.steps, "action": mask.operation}
            for table, masks in self.columns.items()
            for mask in masks
        ]
        members: dict[str, Any] = {"columns": columns, "paths": self.paths, "names": self.names}
        return json.dumps(members | {"container_values": self.policy.values})


_HEADER: Final = frozenset(field.name for field in HEADER.fields)


def _operation(column: Column, action: str) -> str:
    return column.truncate if action == "truncate" else action


def _parents(starred: str) -> Iterator[str]:
    """Yield the paths of all structs, lists and elements that lead to a path, except ``$``."""
    for end in range(2, len(starred)):
        if starred[end] in ".[":
            yield starred[:end]


def _names(mask: ColumnMask) -> Iterator[tuple[str, str]]:
    """Yield each name by which a source may call a masked field or a parent of it, with the operation."""
    *parents, leaf = _fields_to(mask.column)
    for name in _keys(leaf):
        yield name, mask.operation
    table = TABLES[mask.column.table]
    for name in (*table.payload_names, *table.tags, "body", *(_header_names() if leaf.name in _HEADER else ())):
        yield normalise(name), DROP
    for parent in parents:
        for name in (*_keys(parent), *map(normalise, _struct_names(parent))):
            yield name, DROP


def _keys(field: pa.Field[Any]) -> Iterator[str]:
    notes = annotations_of(field)
    return (normalise(name) for name in (field.name, *notes.aliases))


def _struct_names(field: pa.Field[Any]) -> Iterable[str]:
    inner = field.type.value_field if pa.types.is_list(field.type) else field
    return annotations_of(inner).struct_names


def _header_names() -> tuple[str, ...]:
    return ("header", HEADER.name, *HEADER.aliases)


def _fields_to(column: Column) -> list[pa.Field[Any]]:
    """Return the fields that lead to a column, and the column's own field last."""
    fields: list[pa.Field[Any]] = []
    inside: Any = TABLES[column.table].schema
    for step in column.steps:
        fields.append(inside.field(step))
        kind = fields[-1].type
        inside = kind.value_type if pa.types.is_list(kind) else kind
    return fields

"""Tells which rows and texts belong to people whose ids are known, or whose ids were erased and are known by hash.

pyarrow.compute is imported only in functions: a conversion into a root from which nobody was erased does not need it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa

from wsparquet.privacy.ids import KINDS, Id, Kind, ids_in_text, kind_of
from wsparquet.privacy.keys import SecretKey
from wsparquet.schema.leaves import LeafColumn, leaf_columns

__all__ = ["Digests", "People", "digest", "id_columns", "text_columns"]

Digests = Mapping[Kind, frozenset[str]]
"""Hashes of ids, by kind."""

KNOWN_VALUES = 1 << 16
"""For how many values their hash is remembered: the rows of a visit follow each other."""


def digest(key: SecretKey, kind: Kind, value: str) -> str:
    """Return the hash by which a root remembers an erased id, in 64 hexadecimal digits."""
    return key.digest(f"erased {kind} {value}".encode("utf-8", "surrogatepass"))


@lru_cache
def id_columns(schema: pa.Schema) -> tuple[tuple[Kind, LeafColumn], ...]:
    """Return the columns of a table, or of some of its columns, that have ids, with the kind of id.

    An extension may add columns with such names as numbers, as lists, or with another spelling; ids are found in them
    as in JSON text.
    """
    return tuple((kind, leaf) for leaf in leaf_columns(schema) if (kind := _kind_of_column(leaf)) is not None)


def _kind_of_column(leaf: LeafColumn) -> Kind | None:
    kind = leaf.field.type
    if not (pa.types.is_string(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return None
    return next((found for step in leaf.steps if step and (found := kind_of(step)) is not None), None)


def _forms(value: str | float) -> tuple[str, ...]:
    """Return the texts that an id in a column may have in JSON."""
    if isinstance(value, float) and value.is_integer():
        return repr(value), str(int(value))
    return (str(value),)


def text_columns(schema: pa.Schema) -> tuple[str, ...]:
    """Return the columns of a table with JSON text, in which ids may be."""
    return tuple(name for name in ("rescued", "record") if name in schema.names)


@dataclass(frozen=True)
class People:
    """Recognizes ids. ``has`` says whether an id is one of these people's."""

    has: Callable[[Kind, str], bool]

    @classmethod
    def named(cls, ids: Iterable[Id]) -> People:
        """Return the people with these ids."""
        known = frozenset(ids)
        return cls(lambda kind, value: (kind, value) in known)

    @classmethod
    def erased(cls, key: SecretKey, digests: Digests) -> People:
        """Return the people whose ids have these hashes."""

        @lru_cache(KNOWN_VALUES)
        def has(kind: Kind, value: str) -> bool:
            return digest(key, kind, value) in digests[kind]

        used = frozenset(kind for kind in KINDS if digests.get(kind))
        return cls(lambda kind, value: kind in used and has(kind, value))

    def in_text(self, text: str) -> bool:
        """Return whether JSON text, or damaged text, has an id of these people."""
        return any(self.has(kind, value) for kind, value in ids_in_text(text))

    def rows(self, batch: pa.RecordBatch) -> pa.BooleanArray | None:
        """Return which rows of a batch belong to these people, or None if none does.

        The batch need not have all columns of the table, nor all fields of a struct.
        """
        found = set[int]().union(*self._by_column(batch), *self._by_text(batch))
        if not found:
            return None
        import pyarrow.compute as pc

        every = pa.array(range(batch.num_rows), pa.int64())
        return pc.is_in(every, value_set=pa.array(sorted(found), pa.int64()))

    def others(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows of a batch that do not belong to these people."""
        rows = self.rows(batch)
        if rows is None:
            return batch
        import pyarrow.compute as pc

        return batch.filter(pc.invert(rows))

    def visits_of_customers(self, batch: pa.RecordBatch) -> set[str]:
        """Return the visits of the rows in which one of the customers was recognized, in a column or in JSON text."""
        customers = People(lambda kind, value: kind == "customer" and self.has(kind, value))
        rows = set[int]().union(*customers._by_column(batch), *customers._by_text(batch))
        visits = batch.column("visitId").take(pa.array(sorted(rows), pa.int64())).to_pylist()
        return {visit for visit in visits if visit is not None}

    def _by_column(self, batch: pa.RecordBatch) -> Iterator[set[int]]:
        for kind, leaf in id_columns(batch.schema):
            yield self._in_column(leaf, kind, batch)

    def _in_column(self, leaf: LeafColumn, kind: Kind, batch: pa.RecordBatch) -> set[int]:
        """Return the rows with an id of these people in a leaf column."""
        import pyarrow.compute as pc

        values, rows = values_of(leaf, batch)
        unique = (value for value in values.unique().to_pylist() if value is not None)
        wanted = [value for value in unique if any(self.has(kind, form) for form in _forms(value))]
        if not wanted:
            return set()
        places = pc.indices_nonzero(pc.is_in(values, value_set=pa.array(wanted, values.type)))
        return {*(places if rows is None else rows.take(places)).to_pylist()}

    def _by_text(self, batch: pa.RecordBatch) -> Iterator[set[int]]:
        for name in text_columns(batch.schema):
            if batch.column(name).null_count == batch.num_rows:
                continue
            texts = batch.column(name).to_pylist()
            yield {row for row, text in enumerate(texts) if text is not None and self.in_text(text)}

    def without(self, values: Any) -> tuple[Any, int]:
        """Return values of containers, as in ``Report``, without those that have an id; and the number of these."""
        kept, gone = [], 0
        for each in values:
            left = {
                path: text for path, text in each.get("values", {}).items() if not self.in_text(_member(path, text))
            }
            gone += len(each.get("values", {})) - len(left)
            if left or not each.get("values"):
                kept.append({**each, "values": left})
        return kept, gone


def _member(path: str, text: str) -> str:
    """Return a JSON object of one value, whose JSON text is ``text``."""
    return f"{{{json.dumps(path)}: {text}}}"


def values_of(leaf: LeafColumn, batch: pa.RecordBatch) -> tuple[pa.Array, pa.Array | None]:
    """Return the values of a leaf column in a batch, and their rows; None if each row has one value, in order."""
    import pyarrow.compute as pc

    column: pa.Array = batch.column(leaf.steps[0] or "")
    rows: pa.Array | None = None
    for step in leaf.steps[1:]:
        if step is None:
            parents = pc.list_parent_indices(column)
            rows = parents if rows is None else rows.take(parents)
            column = pc.list_flatten(column)
        else:
            column = pc.struct_field(column, step)
    return column, rows

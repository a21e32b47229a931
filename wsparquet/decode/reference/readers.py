"""Runs the plan in Python: a tree of readers, one for each node, that convert parsed JSON to column values.

A reader takes a value, the value's path, and the record's rescue list. A reader returns the column's value (None, a
scalar, a list, or a dict of the fields that occurred), and appends values with no matching column to the rescue list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from wsparquet.decode.plan import FieldPlan, Leaf, ListOf, Node, StructOf, UnionOf
from wsparquet.decode.reference.rescue import Path, Rescue
from wsparquet.decode.reference.values import CONVERTERS, MISFIT, LoneSurrogates
from wsparquet.schema.keys import AVRO_NAMES, is_tag, last_part, normalise

__all__ = [
    "InlineStructReader",
    "ListReader",
    "Reader",
    "StructReader",
    "UnionReader",
    "reader",
    "struct_reader",
    "unwrap_tag",
]

Object = tuple[tuple[str, Any], ...]
LeafReader = Callable[[Any], Any]
NO_NAMES: frozenset[str] = frozenset()
AS_IT_IS = {"string": str, "boolean": bool}


class Reader(Protocol):
    """The interface of all readers except the readers of leaves."""

    def read(self, value: Any, path: Path, rescue: Rescue) -> Any:
        """Convert ``value`` at ``path``, which may have a tag, to the column's value."""
        ...


def unwrap_tag(value: Any, names: frozenset[str] = NO_NAMES) -> Any:
    """Return the value inside a tag, or the value itself if it has no tag."""
    if type(value) is tuple and len(value) == 1 and is_tag(value[0][0], names):
        return value[0][1]
    return value


def leaf_reader(leaf: Leaf) -> LeafReader:
    """Return a function that converts a value, with or without a tag, to the column's value, None, or ``MISFIT``."""
    convert, names, as_it_is = CONVERTERS[leaf.kind], leaf.names, AS_IT_IS.get(leaf.kind)

    # This function runs for every scalar of a source, so the common cases of `unwrap_tag` and `convert` are inlined.
    def read(value: Any) -> Any:
        if type(value) is tuple and len(value) == 1:
            key, inner = value[0]
            if key in AVRO_NAMES or is_tag(key, names):
                value = inner
        if type(value) is as_it_is or value is None:
            return value
        return convert(value)

    return read


class StructReader:
    """Reads an object. ``stray`` is the root of unknown fields' paths, set only if the struct is not a column."""

    def __init__(self, plan: StructOf, stray: str | None = None) -> None:
        self.names = plan.names
        self.stray = stray
        self.slots: dict[str, tuple[str, LeafReader | None, Reader | None]] = {}
        for field in plan.fields:
            slot = _slot(field)
            self.slots[field.name] = slot  # the documented spelling, which then needs no normalization
            self.slots.update(dict.fromkeys(field.keys, slot))

    def read(self, value: Any, path: Path, rescue: Rescue) -> dict[str, Any] | None:
        """Return the fields that occurred, by column name."""
        inner = unwrap_tag(value, self.names)
        if type(inner) is tuple:
            return self.fields(inner, path, rescue)
        if inner is not None:
            rescue.append((path, value))
        return None

    def knows(self, key: str) -> bool:
        """Whether a key is one of the struct's fields."""
        return key in self.slots or normalise(key) in self.slots

    def fields(self, pairs: Object, path: Path, rescue: Rescue) -> dict[str, Any]:
        """Return the fields that occur in ``pairs``.

        If a name occurs several times, the first value wins, even if it is null.
        """
        row: dict[str, Any] = {}
        slots = self.slots
        for key, value in pairs:
            slot = slots.get(key) or slots.get(normalise(key))
            if slot is None:
                rescue.append(((self.stray or path, key), value))
                continue
            name, leaf, node = slot
            if name in row:
                rescue.append(((path, name), value))
            elif value is None:
                row[name] = None
            elif leaf is not None:
                column = leaf(value)
                if column is MISFIT:
                    column = None
                    rescue.append(((path, name), value))
                row[name] = column
            elif node is not None:
                row[name] = node.read(value, (path, name), rescue)
        return row


class InlineStructReader(StructReader):
    """Reads a struct that may contain the fields of its inline field directly (docs/decoding.md, "Keys")."""

    def __init__(self, plan: StructOf, inline: FieldPlan) -> None:
        super().__init__(plan)
        self.inline = inline
        self.inner = struct_reader(inline.node)

    def fields(self, pairs: Object, path: Path, rescue: Rescue) -> dict[str, Any]:
        """Return the fields, as ``StructReader.fields`` does. If the inline field has no key, use its own fields."""
        if any(normalise(key) in self.inline.keys for key, _ in pairs):
            return super().fields(pairs, path, rescue)
        inlined = [not self.knows(key) and self.inner.knows(key) for key, _ in pairs]
        own = tuple(pair for pair, inside in zip(pairs, inlined, strict=True) if not inside)
        row = super().fields(own, path, rescue)
        if any(inlined):
            inner = tuple(pair for pair, inside in zip(pairs, inlined, strict=True) if inside)
            row[self.inline.name] = self.inner.fields(inner, (path, self.inline.name), rescue)
        return row


class ListReader:
    """Reads an array. If ``or_one`` is true, it also reads a single element without a list around it."""

    def __init__(self, plan: ListOf) -> None:
        self.leaf, self.node = _element(plan.element)
        self.or_one = plan.or_one

    def read(self, value: Any, path: Path, rescue: Rescue) -> list[Any] | None:
        """Return the elements. An element that does not fit is rescued and becomes None."""
        inner = unwrap_tag(value)
        if type(inner) is list:
            return self._items(inner, path, rescue)
        if inner is None:
            return None
        if self.or_one and type(inner) is str:
            return [inner]
        rescue.append((path, value))
        return None

    def _items(self, values: list[Any], path: Path, rescue: Rescue) -> list[Any]:
        if self.node is not None:
            read = self.node.read
            return [read(value, (path, index), rescue) for index, value in enumerate(values)]
        return [self._leaf_item(value, (path, index), rescue) for index, value in enumerate(values)]

    def _leaf_item(self, value: Any, path: Path, rescue: Rescue) -> Any:
        item = self.leaf(value) if self.leaf is not None else MISFIT
        if item is MISFIT:
            rescue.append((path, value))
            return None
        return item


class UnionReader:
    """Reads a union of structs. The tag selects the branch; without a tag, the branch is the only one with all keys."""

    def __init__(self, plan: UnionOf) -> None:
        self.branches: dict[str, tuple[str, StructReader]] = {}
        self.owners: list[tuple[str, StructReader]] = []
        for branch in plan.branches:
            owner = (branch.name, struct_reader(branch.struct))
            self.owners.append(owner)
            self.branches.update(dict.fromkeys(branch.names, owner))

    def read(self, value: Any, path: Path, rescue: Rescue) -> dict[str, Any] | None:
        """Return a dict of ``type``, as in the source, and of the branch's struct under the branch's name."""
        if type(value) is tuple:
            if not value:
                return {}
            if len(value) == 1 and (tagged := self._tagged(value, path, rescue)) is not None:
                return tagged
            if (owner := self._sole_owner(value)) is not None:
                return {owner[0]: owner[1].fields(value, (path, owner[0]), rescue)}
        if value is not None:
            rescue.append((path, value))
        return {"type": _type_name(value[0][0])} if type(value) is tuple and len(value) == 1 else None

    def _tagged(self, value: Object, path: Path, rescue: Rescue) -> dict[str, Any] | None:
        ((key, inner),) = value
        branch = self.branches.get(normalise(last_part(key)))
        if branch is None:
            return None
        name, struct = branch
        fields = struct.fields(inner, (path, name), rescue) if type(inner) is tuple else None
        if fields is None and inner is not None:
            rescue.append(((path, name), inner))
        return {"type": _type_name(key), name: fields}

    def _sole_owner(self, pairs: Object) -> tuple[str, StructReader] | None:
        owners = [owner for owner in self.owners if all(owner[1].knows(key) for key, _ in pairs)]
        return owners[0] if len(owners) == 1 else None


def _type_name(key: str) -> str | None:
    return None if isinstance(key, LoneSurrogates) else last_part(key)


def _slot(field: FieldPlan) -> tuple[str, LeafReader | None, Reader | None]:
    return (field.name, *_element(field.node))


def _element(node: Node) -> tuple[LeafReader | None, Reader | None]:
    if isinstance(node, Leaf):
        return leaf_reader(node), None
    return None, reader(node)


def reader(node: StructOf | ListOf | UnionOf) -> Reader:
    """Return the reader of a node that is not a leaf."""
    match node:
        case StructOf():
            return struct_reader(node)
        case ListOf():
            return ListReader(node)
        case UnionOf():
            return UnionReader(node)


def struct_reader(node: Node, stray: str | None = None) -> StructReader:
    """Return the reader of a struct.

    Raises:
        TypeError: the node is not a struct, which cannot happen with a valid plan.

    """
    if not isinstance(node, StructOf):
        raise TypeError(f"expected a struct, found {node}")
    if node.inline is not None:
        return InlineStructReader(node, node.inline)
    return StructReader(node, stray)

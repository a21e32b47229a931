"""Reads a published schema: its records, fields, and types, at any depth.

The Data Access API returns its schema as JSON in an undocumented format, probably Avro (specification 1.11, "Schema
Declaration"), so this module treats every object of type ``record`` with ``fields`` as a record: at any depth, in
lists, and in strings that contain JSON. The code is not recursive, so it supports any depth.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wsparquet.errors import SchemaError
from wsparquet.schema.keys import last_part

__all__ = ["Field", "Kind", "PublishedSchema", "Record", "Type", "doc_of", "parse_schema"]

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
RECORDS = frozenset({"record", "error"})
NAMED = RECORDS | {"enum", "fixed"}
# The values of these keys are data or prose, even if they look like types.
NO_TYPES = frozenset({"doc", "default", "symbols", "aliases"})
MOST_SHOWN = 3
SHOWN = 100


@dataclass(frozen=True, eq=False)
class Type:
    """A type as written.

    Names in the type are resolved in ``namespace``: first within the outermost schema, whose number is ``scope``, then
    among all schemas.
    """

    written: Any = field(repr=False)
    namespace: str = ""
    scope: int = 0


@dataclass(frozen=True, eq=False)
class Field:
    """A field of a record, with its description."""

    name: str
    type: Type
    doc: str = ""


@dataclass(frozen=True, eq=False)
class Record:
    """A record: its name without and with the namespace, and its fields. Two separate definitions are never equal."""

    name: str
    full_name: str
    fields: tuple[Field, ...] = field(repr=False)
    written: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of value that a type permits: a branch of a union, or the type itself.

    ``name``: the name of an Avro type, or an undefined name. ``inner``: the type of an array's items or a map's values.
    ``symbols``, ``doc``: those of an enum.
    """

    name: str
    record: Record | None = None
    inner: Type | None = None
    symbols: tuple[str, ...] = ()
    doc: str = ""


def parse_schema(text: bytes, *, place: str) -> Any:
    """Parse the JSON text of a saved schema.

    Raises:
        SchemaError: the text is not JSON.

    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SchemaError(
            f"{place}: expected JSON as `wsparquet schema --remote` writes it, found: {error}; save the schema again"
        ) from error


class PublishedSchema:
    """The records of a published schema, in the schema's order.

    Raises:
        SchemaError: the schema contains no records.

    """

    def __init__(self, answer: Any) -> None:
        self._records: dict[int, Record] = {}
        self._named: dict[tuple[int | None, str], Kind] = {}
        self._scopes = 0
        self._read(answer)
        self.records = tuple(self._records.values())
        if not self.records:
            raise SchemaError(
                "expected a schema with Avro records (objects of type record with fields), found none in "
                f"{_shown(answer)}; nothing can be compared, but `wsparquet schema --remote` saves the schema unchanged"
            )

    def kinds(self, of: Type) -> tuple[Kind, ...]:
        """Return the kinds of values that a type permits, except null: one for each branch of a union."""
        found: list[Kind] = []
        waiting = [of.written]
        while waiting:
            written = waiting.pop()
            if isinstance(written, list):
                waiting.extend(reversed(written))
            elif isinstance(written, dict) and isinstance(written.get("type"), dict | list):
                waiting.append(written["type"])
            elif written is not None:
                found.append(self._kind(written, of))
        return tuple(kind for kind in found if kind.name != "null")

    def records_of(self, of: Type) -> tuple[Record, ...]:
        """Return the records that a type permits."""
        return tuple(kind.record for kind in self.kinds(of) if kind.record is not None)

    def text(self, of: Type) -> str:
        """Return a short description of a type, such as ``array of record Navigation`` or ``int or string``."""
        before = ""
        for _ in range(MOST_SHOWN):
            kinds = self.kinds(of)
            if len(kinds) != 1 or kinds[0].inner is None:
                break
            before, of = f"{before}{kinds[0].name} of ", kinds[0].inner
        text = before + (" or ".join(_name(kind) for kind in self.kinds(of)) or "null")
        return text if len(text) <= SHOWN else text[:SHOWN] + "…"

    def within(self, of: Iterable[Type]) -> Iterator[Record]:
        """Return, once each, the records that values of the types may contain at any depth."""
        seen: set[Record] = set()
        waiting = list(of)
        while waiting:
            for kind in self.kinds(waiting.pop()):
                if kind.inner is not None:
                    waiting.append(kind.inner)
                if kind.record is not None and kind.record not in seen:
                    seen.add(kind.record)
                    yield kind.record
                    waiting.extend(each.type for each in kind.record.fields)

    def _kind(self, written: Any, of: Type) -> Kind:
        if isinstance(written, dict):
            if id(written) in self._records:
                return Kind("record", record=self._records[id(written)])
            name = written.get("type")
            if name in {"array", "map"}:
                return Kind(name, inner=Type(written.get("items", written.get("values")), of.namespace, of.scope))
            if name == "enum":
                return Kind(name, symbols=_symbols(written), doc=doc_of(written))
            written = name if isinstance(name, str) else written
        if not isinstance(written, str):
            return Kind(_shown(written))
        return Kind(written) if written in PRIMITIVES else self._find(written, of)

    def _find(self, name: str, of: Type) -> Kind:
        full_name = _full_name(name, of.namespace)
        for key in (full_name, last_part(name)):
            for scope in (of.scope, None):
                if (scope, key) in self._named:
                    return self._named[scope, key]
        return Kind(name)

    # --- Reading ------------------------------------------------------------------------------------------------------

    def _read(self, answer: Any) -> None:
        waiting = [Type(answer)]
        while waiting:
            found = waiting.pop()
            written = found.written
            inside: Iterable[Any] = ()
            if isinstance(written, str):
                inside = _unwrapped(written)
            elif isinstance(written, list):
                inside = written
            elif isinstance(written, dict):
                found = self._define(written, found)
                inside = (value for key, value in written.items() if key not in NO_TYPES)
            waiting.extend(reversed([Type(value, found.namespace, found.scope) for value in inside]))

    def _define(self, written: dict[str, Any], found: Type) -> Type:
        """Store the object if it is a definition. Return the context for resolving the names inside the object."""
        kind, name = written.get("type"), written.get("name")
        if not isinstance(kind, str) or kind not in NAMED:
            return found
        full_name = _full_name(name if isinstance(name, str) else "", written.get("namespace") or found.namespace)
        if not found.scope:
            self._scopes += 1
        inner = Type(None, full_name.rpartition(".")[0], found.scope or self._scopes)
        if kind in RECORDS and isinstance(written.get("fields"), list):
            fields = tuple(_fields(written["fields"], inner))
            record = Record(last_part(full_name), full_name, fields, written)
            self._records[id(written)] = record
            self._name(full_name, inner.scope, Kind("record", record=record))
        elif kind == "enum":
            self._name(full_name, inner.scope, Kind("enum", symbols=_symbols(written), doc=doc_of(written)))
        elif kind == "fixed":
            self._name(full_name, inner.scope, Kind("fixed"))
        return inner

    def _name(self, full_name: str, scope: int, kind: Kind) -> None:
        for key in (full_name, last_part(full_name)):
            for where in (scope, None):
                self._named.setdefault((where, key), kind)


def _fields(written: Iterable[Any], inside: Type) -> Iterator[Field]:
    for each in written:
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            # `{"name": …, "type": "array", "items": …}` is not a valid field in Avro, but people often write it.
            type_ = each if each.get("type") in ("array", "map", *NAMED) else each.get("type")
            yield Field(each["name"], Type(type_, inside.namespace, inside.scope), doc_of(each))


def _unwrapped(text: str) -> tuple[Any, ...]:
    """Parse a text that is the JSON of a schema; return an empty tuple for any other text."""
    if text.lstrip()[:1] not in {"{", "["} or "fields" not in text:
        return ()
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        return ()


def doc_of(written: dict[str, Any]) -> str:
    """Return the description of a type or a field, or an empty text."""
    doc = written.get("doc")
    return doc.strip() if isinstance(doc, str) else ""


def _symbols(written: dict[str, Any]) -> tuple[str, ...]:
    symbols = written.get("symbols")
    return tuple(each for each in symbols if isinstance(each, str)) if isinstance(symbols, list) else ()


def _full_name(name: str, namespace: Any) -> str:
    return name if "." in name or not namespace or not isinstance(namespace, str) else f"{namespace}.{name}"


def _name(kind: Kind) -> str:
    return f"record {kind.record.name}" if kind.record is not None else kind.name


def _shown(value: Any) -> str:
    """Return the beginning of a value's JSON, or a phrase if it is too deeply nested to serialize."""
    try:
        text = json.dumps(value)
    except RecursionError:
        return "deeply nested JSON"
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"

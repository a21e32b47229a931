"""Reads an extension: a TOML file that adds fields, union branches and tables to the documented schema.

An extension only adds. It cannot remove, rename or retype anything, and it cannot add to ``metaData``, because all
containers must stay comparable. docs/how-to/extensions.md describes the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from wsparquet.errors import SchemaError
from wsparquet.options import did_you_mean
from wsparquet.schema.fields import TIMESTAMP
from wsparquet.schema.toml_lines import line_of

__all__ = ["LIST", "MOST_LEVELS", "SCALARS", "AddedBranch", "AddedField", "AddedTable", "Extension", "parse_extension"]

SCALARS: Final[dict[str, pa.DataType]] = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "timestamp": TIMESTAMP,
}
"""The types of scalars, by their names in the file, which are those of Avro where Avro has them."""

LIST: Final = "list of "

MOST_LEVELS: Final = 6
"""How deep structs may be nested in a field that an extension adds. Decoders rely on a small number."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
TABLE_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)

FIELD_KEYS = ("type", "fields", "doc", "aliases", "values", "struct")
BRANCH_KEYS = ("fields", "doc", "tags")
TABLE_KEYS = ("payload", "kind", "fields", "doc", "tags", "aliases")
KINDS = ("list", "object")

Keys = tuple[str, ...]


@dataclass(frozen=True)
class AddedField:
    """What an extension says of a field.

    ``type`` is None if the field exists already, and only gets more ``aliases``, ``values`` or a description.
    ``fields`` are those of a struct or of the structs in a list. ``keys`` is the place in the file.
    """

    name: str
    keys: Keys
    type: str | None = None
    fields: tuple[AddedField, ...] = ()
    doc: str = ""
    aliases: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    struct: str = ""


@dataclass(frozen=True)
class AddedBranch:
    """What an extension says of a branch of a union: a new one, or more tags of a documented one."""

    name: str
    keys: Keys
    fields: tuple[AddedField, ...] | None = None
    doc: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class AddedTable:
    """A new table. If ``flat``, the payload is one object whose fields are columns; otherwise it is a list of structs.

    ``payload`` is the key of the payload in the body, and the column of the list. ``aliases`` are its other keys.
    """

    name: str
    keys: Keys
    payload: str
    flat: bool
    fields: tuple[AddedField, ...]
    doc: str = ""
    tags: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Extension:
    """A parsed extension: fields by struct, branches by union, and tables. ``text`` is the file, for messages."""

    text: str
    place: str
    structs: Mapping[str, tuple[AddedField, ...]]
    unions: Mapping[str, tuple[AddedBranch, ...]]
    tables: tuple[AddedTable, ...]

    def error(self, keys: Keys, message: str) -> SchemaError:
        """Return the error about a place in the file."""
        return _error(self.text, self.place, keys, message)


def parse_extension(text: str, place: str = "the extension") -> Extension:
    """Parse an extension.

    Raises:
        SchemaError: the text is not valid TOML, or has an unknown key or a wrong value. The message names line and key.

    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SchemaError(f"{place}: expected a TOML file, found an error: {error}; correct the file") from error
    return _Parser(text, place).extension(values)


def _error(text: str, place: str, keys: Keys, message: str) -> SchemaError:
    named = ".".join(key if NAME.fullmatch(key) else f'"{key}"' for key in keys)
    return SchemaError(f"{place}, line {line_of(text, keys)}, {named}: {message}")


class _Parser:
    """Reads the values of one file. Each method has the keys that lead to its values."""

    def __init__(self, text: str, place: str) -> None:
        self.text = text
        self.place = place

    def error(self, keys: Keys, message: str) -> SchemaError:
        return _error(self.text, self.place, keys, message)

    def extension(self, values: dict[str, Any]) -> Extension:
        self.known((), values, ("structs", "unions", "tables"))
        structs = {
            name: tuple(self.fields((*keys, "fields"), inner.get("fields", {}), 1))
            for name, keys, inner in self.each(("structs",), values.get("structs", {}), ("fields",))
        }
        unions = {
            name: tuple(self.branches(keys, inner))
            for name, keys, inner in self.each(("unions",), values.get("unions", {}), None)
        }
        tables = tuple(self.table(*found) for found in self.each(("tables",), values.get("tables", {}), TABLE_KEYS))
        return Extension(self.text, self.place, structs, unions, tables)

    def each(self, keys: Keys, values: Any, known: Iterable[str] | None) -> Iterator[tuple[str, Keys, dict[str, Any]]]:
        """Yield the name, the keys and the values of each table in a table."""
        for name, inner in self.table_of_values(keys, values).items():
            found = self.table_of_values((*keys, name), inner)
            if known is not None:
                self.known((*keys, name), found, tuple(known))
            yield name, (*keys, name), found

    def table_of_values(self, keys: Keys, values: Any) -> dict[str, Any]:
        if not isinstance(values, dict):
            raise self.error(keys, f"expected a table of keys, found {_kind(values)}")
        return values

    def known(self, keys: Keys, values: dict[str, Any], known: tuple[str, ...]) -> None:
        for key in values:
            if key not in known:
                raise self.error((*keys, key), f"expected one of {', '.join(known)}{did_you_mean(key, known)}")

    def fields(self, keys: Keys, values: Any, level: int) -> Iterator[AddedField]:
        for name, given in self.table_of_values(keys, values).items():
            yield self.field(name, (*keys, name), given, level)

    def field(self, name: str, keys: Keys, given: Any, level: int) -> AddedField:
        values = {"type": given} if isinstance(given, str) else given
        if not isinstance(values, dict):
            raise self.error(keys, f"expected the name of a type, or a table of keys, found {_kind(given)}")
        self.known(keys, values, FIELD_KEYS)
        self.name(keys, name)
        kind = values.get("type")
        if kind is not None:
            self.type(keys, kind)
        elif level > 1:
            raise self.error(keys, f"expected the key type, one of {_types()}; found none")
        of_structs = kind is not None and kind.removeprefix(LIST) == "struct"
        if of_structs != ("fields" in values):
            found, wanted = (
                ("none", "the key fields with a struct") if of_structs else ("it", "fields only in a struct")
            )
            raise self.error(keys, f"expected {wanted}, found {found}")
        if of_structs and level >= MOST_LEVELS:
            raise self.error(keys, f"expected at most {MOST_LEVELS} structs in one another, found more")
        inner = tuple(self.fields((*keys, "fields"), values["fields"], level + 1)) if of_structs else ()
        if of_structs and not inner:
            raise self.error(keys, "expected a struct with fields, found none; Parquet has no structs without fields")
        if values.get("values") and kind not in {None, "string"}:
            raise self.error((*keys, "values"), f"expected values only of a string, found them with {kind}")
        return AddedField(
            name,
            keys,
            kind,
            inner,
            self.text_of(keys, values, "doc"),
            self.texts(keys, values, "aliases"),
            self.values(keys, values),
            self.text_of(keys, values, "struct"),
        )

    def type(self, keys: Keys, kind: Any) -> None:
        element = kind.removeprefix(LIST) if isinstance(kind, str) else kind
        if not isinstance(element, str) or element not in (*SCALARS, "struct"):
            also = "; put a struct between two lists" if str(element).startswith(LIST) else ""
            raise self.error(keys, f"expected a type, one of {_types()}; found {kind!r}{also}")

    def branches(self, keys: Keys, values: dict[str, Any]) -> Iterator[AddedBranch]:
        for name, inner_keys, inner in self.each(keys, values, BRANCH_KEYS):
            self.name(inner_keys, name)
            given = inner.get("fields")
            fields = None if given is None else tuple(self.fields((*inner_keys, "fields"), given, 2))
            tags = self.texts(inner_keys, inner, "tags")
            yield AddedBranch(name, inner_keys, fields, self.text_of(inner_keys, inner, "doc"), tags)

    def table(self, name: str, keys: Keys, values: dict[str, Any]) -> AddedTable:
        if not TABLE_NAME.fullmatch(name):
            raise self.error(keys, "expected a name of lower-case letters, digits and _, which begins with a letter")
        payload, kind = values.get("payload"), values.get("kind", "list")
        if not isinstance(payload, str):
            raise self.error(keys, f"expected the key payload, the key of the payload in the body; found {payload!r}")
        self.name((*keys, "payload"), payload)
        if kind not in KINDS:
            raise self.error((*keys, "kind"), f"expected one of {', '.join(KINDS)}, found {kind!r}")
        fields = tuple(self.fields((*keys, "fields"), values.get("fields", {}), 2))
        if not fields:
            raise self.error(keys, "expected the key fields with at least one field, found none")
        tags = self.texts(keys, values, "tags")
        if not tags:
            raise self.error(keys, "expected the key tags with the body tags of the table, found none")
        doc, aliases = self.text_of(keys, values, "doc"), self.texts(keys, values, "aliases")
        return AddedTable(name, keys, payload, kind == "object", fields, doc, tags, aliases)

    def name(self, keys: Keys, name: str) -> None:
        if not NAME.fullmatch(name):
            raise self.error(
                keys,
                "expected a name of ASCII letters, digits and _, which does not begin with a digit; for another key "
                'in the source, choose such a name and add the key to aliases, as in aliases = ["page title"]',
            )

    def text_of(self, keys: Keys, values: dict[str, Any], key: str) -> str:
        found = values.get(key, "")
        if not isinstance(found, str):
            raise self.error((*keys, key), f"expected text, found {_kind(found)}")
        return found

    def texts(self, keys: Keys, values: dict[str, Any], key: str) -> tuple[str, ...]:
        found = values.get(key, [])
        if not isinstance(found, list) or not all(isinstance(each, str) and each for each in found):
            raise self.error((*keys, key), f'expected a list of texts, as in ["one", "two"], found {_kind(found)}')
        return tuple(found)

    def values(self, keys: Keys, values: dict[str, Any]) -> dict[str, str]:
        found = values.get("values", {})
        if isinstance(found, list):
            found = dict.fromkeys(self.texts(keys, values, "values"), "")
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            raise self.error((*keys, "values"), "expected a list of texts, or a table that maps texts to meanings")
        return found


def _types() -> str:
    return f"{', '.join((*SCALARS, 'struct'))}, or {LIST}one of them"


def _kind(value: Any) -> str:
    kinds = {dict: "a table", list: "a list", str: "text", bool: "a boolean"}
    return kinds.get(type(value), "a number" if isinstance(value, (int, float)) else "a date or time")

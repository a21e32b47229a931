"""Makes the Arrow fields and the tables that an extension adds, and checks them against those that exist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import pyarrow as pa

from wsparquet.options import did_you_mean
from wsparquet.schema.annotations import Annotations, annotations_of
from wsparquet.schema.extension import LIST, SCALARS, AddedBranch, AddedField, AddedTable, Extension, Keys
from wsparquet.schema.fields import Struct
from wsparquet.schema.flat_views import FLAT_VIEWS
from wsparquet.schema.keys import is_tag, normalise, short_tag
from wsparquet.schema.tables import COMMON_SUFFIX, HEADER, METADATA, PARTITION, TABLES, UNRECOGNIZED, Table

__all__ = ["Additions", "documented_structs", "documented_unions"]

COMMON = (*(field.name for field in COMMON_SUFFIX), PARTITION.name, "record_type")
"""The columns after the payload, and the keys of the folders, which engines make columns of."""

VIEWS = (*FLAT_VIEWS, "visits", "drift")
"""The views that a connection has beside the tables."""


@dataclass(frozen=True)
class _Place:
    """A struct to which fields are added: its names, which look like tags, and the names that are taken beside it."""

    name: str
    names: tuple[str, ...]
    taken: tuple[str, ...] = ()
    body_keys: frozenset[str] = frozenset()
    inline: bool = False


class Additions:
    """The additions of one extension. Each method raises SchemaError, with line and key, if one is not possible."""

    def __init__(self, extension: Extension) -> None:
        self._extension = extension
        known = {normalise(name): name for name in documented_structs()}
        self._structs: dict[str, tuple[AddedField, ...]] = {}
        for name, fields in extension.structs.items():
            if normalise(name) == normalise(METADATA.name):
                raise extension.error(
                    ("structs", name), "expected another struct: metaData must be the same in all containers"
                )
            if (found := known.get(normalise(name))) is None:
                choices = [each for each in known.values() if each != METADATA.name]
                raise extension.error(
                    ("structs", name), f"expected a documented struct, found none{did_you_mean(name, choices)}"
                )
            if found in self._structs:
                raise extension.error(
                    ("structs", name), f"expected each struct once, found {found} under another spelling before"
                )
            self._structs[found] = fields
        self._unions = {name: extension.unions[name] for name in extension.unions}
        unions = documented_unions()
        for name in extension.unions:
            if name not in unions:
                raise extension.error(
                    ("unions", name), f"expected one of {', '.join(unions)}{did_you_mean(name, unions)}"
                )
        self._names = {normalise(name): name for name in documented_structs()}
        self._tags = {tag: table.name for table in TABLES.values() for tag in table.tags}
        self._payloads = {name: table.name for table in TABLES.values() for name in table.payload_names}

    # --- Documented tables --------------------------------------------------------------------------------------------

    def header(self) -> Struct:
        """Return the header with its new fields."""
        if HEADER.name not in self._structs:
            return HEADER
        columns = [field.name for table in TABLES.values() for field in table.payload]
        place = _Place(HEADER.name, (HEADER.name, *HEADER.aliases), (*columns, *COMMON))
        return replace(HEADER, fields=tuple(self._struct_fields(HEADER.fields, place)))

    def documented(self, table: Table, header: Struct) -> Table:
        """Return a documented table with its new fields; the table itself if there are none."""
        if table.flat is not None:
            names = (table.flat.name, *table.flat.aliases)
            taken = (*(field.name for field in header.fields), *COMMON)
            body = frozenset({*table.payload_names, "header"})
            payload = tuple(self._struct_fields(table.payload, _Place(table.flat.name, names, taken, body)))
            flat: Struct | None = replace(table.flat, fields=payload)
        else:
            payload, flat = tuple(map(self._field, table.payload)), None
        changed = header is not HEADER or any(
            not one.equals(other, check_metadata=True) for one, other in zip(payload, table.payload, strict=False)
        )
        if not changed and len(payload) == len(table.payload):
            return table
        return replace(table, payload=payload, flat=flat, header=header)

    def _field(self, field: pa.Field) -> pa.Field:
        """Return a documented field with the additions to all structs and unions in it."""
        data_type = field.type
        if isinstance(data_type, pa.ListType):
            data_type = pa.list_(self._field(data_type.value_field))
        elif isinstance(data_type, pa.StructType):
            notes = annotations_of(field)
            if notes.kind == "union":
                data_type = pa.struct(self._union_fields(field))
            else:
                place = _Place(notes.struct, notes.struct_names, inline=notes.kind == "inline")
                data_type = pa.struct(self._struct_fields(data_type.fields, place))
        return pa.field(field.name, data_type, field.nullable, metadata=field.metadata)

    def _struct_fields(self, fields: Sequence[pa.Field], place: _Place) -> Iterator[pa.Field]:
        added = {each.name: each for each in self._structs.get(place.name, ())}
        self._check_names(fields, added.values(), place)
        for field in fields:
            inner = self._field(field)
            if field.name in added:
                inline = place.inline and pa.types.is_struct(field.type)
                inner = self._amended(inner, added.pop(field.name), inline=inline)
            yield inner
        for new in added.values():
            if new.type is None:
                raise self._error(new.keys, f"expected the key type, because {place.name} has no field of this name")
            yield self._new(new, place.name, added=True)

    def _check_names(self, fields: Sequence[pa.Field], added: Iterable[AddedField], place: _Place) -> None:
        """Check that names and keys differ from all others of the struct."""
        names = {name.casefold(): name for name in (*(field.name for field in fields), *place.taken)}
        keys = {key: field.name for field in fields for key in _keys_of(field)}
        own = {normalise(name) for name in place.names}
        documented = {field.name for field in fields}
        for each in added:
            other = each.name
            if each.name not in documented:
                other = names.setdefault(each.name.casefold(), each.name)
            if other != each.name or (each.name in place.taken and each.name not in documented):
                raise self._error(
                    each.keys, f"expected a new name, found {each.name}; the name {other} exists, and case is ignored"
                )
            for key in (*(() if each.name in documented else (each.name,)), *each.aliases):
                self._check_key(each, key, keys, own | place.body_keys)

    def _check_key(self, each: AddedField, key: str, keys: dict[str, str], reserved: set[str]) -> None:
        plain = normalise(key)
        if (owner := keys.setdefault(plain, each.name)) != each.name:
            raise self._error(each.keys, f"expected a new key, found {key}, which is a key of {owner}")
        if is_tag(key, frozenset()) or plain in reserved:
            raise self._error(each.keys, f"expected a key that cannot be a tag or the payload, found {key}")

    def _amended(self, field: pa.Field, added: AddedField, *, inline: bool) -> pa.Field:
        """Return a documented field with more keys and values."""
        notes = annotations_of(field)
        if added.type is not None:
            new = self._new(replace(added, aliases=()), "", added=False)
            if new.type != field.type:
                raise self._error(
                    added.keys,
                    f"expected the documented type, {field.type}, found {added.type}; omit type, or add "
                    "the field under another name with this key among its aliases",
                )
        if added.values and field.type != pa.string():
            raise self._error(added.keys, f"expected values only of text, found them for {field.type}")
        aliases = tuple(key for key in added.aliases if normalise(key) not in _keys_of(field))
        if aliases and inline:
            raise self._error(added.keys, "expected no aliases of a struct whose fields may stand beside it")
        if aliases and _has_timestamp(field.type):
            raise self._error(
                added.keys,
                "expected no aliases of a documented timestamp, because they would move rows to other days; "
                "add a field of its own for this key",
            )
        changed = replace(
            notes,
            values={**added.values, **notes.values},
            added_names=aliases,
            correction=added.doc or notes.correction,
        )
        return pa.field(field.name, field.type, field.nullable, metadata=changed.to_metadata())

    # --- Unions -------------------------------------------------------------------------------------------------------

    def _union_fields(self, union: pa.Field) -> Iterator[pa.Field]:
        added = {each.name: each for each in self._unions.get(union.name, ())}
        fields = union.type.fields
        names = {name.casefold(): name for name in (field.name for field in fields)}
        tags = {tag: field.name for field in fields if field.name != "type" for tag in _tags_of(field)}
        for each in added.values():
            self._check_branch(each, names, tags)
        for field in fields:
            inner = self._field(field)
            yield self._more_tags(inner, added.pop(field.name)) if field.name in added else inner
        for new in added.values():
            yield self._branch(union.name, new)

    def _check_branch(self, each: AddedBranch, names: dict[str, str], tags: dict[str, str]) -> None:
        other = names.get(each.name.casefold())
        if other is None and each.fields is None:
            raise self._error(
                each.keys, f"expected the key fields of a new branch, found none{self._meant(each, names)}"
            )
        if other is not None and (other != each.name or other == "type"):
            raise self._error(each.keys, f"expected a new name, found one that is taken by {other}")
        if other is not None and each.fields is not None:
            raise self._error(
                each.keys, "expected no fields of a documented branch; add them to its struct, under structs"
            )
        names[each.name.casefold()] = each.name
        for tag in (each.name, *each.tags):
            plain = normalise(tag.rpartition(".")[2])
            if tags.setdefault(plain, each.name) != each.name:
                raise self._error(each.keys, f"expected a new tag, found {tag}, which is a tag of {tags[plain]}")

    def _meant(self, each: AddedBranch, names: dict[str, str]) -> str:
        return did_you_mean(each.name, [name for name in names.values() if name != "type"])

    def _more_tags(self, field: pa.Field, added: AddedBranch) -> pa.Field:
        notes = replace(annotations_of(field), added_names=tuple(tag.rpartition(".")[2] for tag in added.tags))
        return pa.field(field.name, field.type, field.nullable, metadata=notes.to_metadata())

    def _branch(self, union: str, added: AddedBranch) -> pa.Field:
        name = self._struct_name(added.keys, _title(union) + _title(added.name), given=False)
        # A branch is entered by its tag, so its name is no tag within it.
        fields = self._inner(added.fields or (), name, added=True, names=())
        tags = tuple(tag.rpartition(".")[2] for tag in added.tags)
        notes = Annotations(added.doc, struct=name, struct_aliases=tags, added=True)
        return pa.field(added.name, pa.struct(fields), metadata=notes.to_metadata())

    # --- New fields ---------------------------------------------------------------------------------------------------

    def _new(self, new: AddedField, parent: str, *, added: bool) -> pa.Field:
        kind = new.type or ""
        element = kind.removeprefix(LIST)
        name = ""
        if element == "struct":
            given = new.struct or "".join((*map(_title, parent.split()), _title(new.name)))
            name = self._struct_name(new.keys, given, given=bool(new.struct)) if parent or new.struct else given
            data_type: pa.DataType = pa.struct(self._inner(new.fields, name, added=added))
        else:
            data_type = SCALARS[element]
        notes = Annotations(new.doc, values=new.values, aliases=new.aliases, added=added)
        if kind == element:
            return pa.field(new.name, data_type, metadata=replace(notes, struct=name).to_metadata())
        inner = pa.field("element", data_type, metadata=Annotations(added=added, struct=name).to_metadata())
        return pa.field(new.name, pa.list_(inner), metadata=notes.to_metadata())

    def _inner(
        self, fields: Sequence[AddedField], parent: str, *, added: bool, names: tuple[str, ...] | None = None
    ) -> list[pa.Field]:
        """Return the fields of a new struct."""
        self._check_names((), fields, _Place(parent, (parent,) if names is None else names))
        for each in fields:
            if each.type is None:
                raise self._error(each.keys, "expected the key type of a new field, found none")
        return [self._new(each, parent, added=added) for each in fields]

    def _struct_name(self, keys: Keys, name: str, *, given: bool) -> str:
        """Return the name of a new struct, which no other struct may have."""
        other = self._names.setdefault(normalise(name), f"{'.'.join(keys)}")
        if other != ".".join(keys):
            remedy = "choose another one" if given else 'name the struct: struct = "…"'
            raise self._error(keys, f"expected a struct with a new name, found {name}, the name of {other}; {remedy}")
        return name

    # --- New tables ---------------------------------------------------------------------------------------------------

    def table(self, added: AddedTable, header: Struct) -> Table:
        """Return a new table."""
        if added.name in TABLES or added.name in VIEWS:
            kind = "table" if added.name in TABLES else "view"
            raise self._error(added.keys, f"expected a new name, found that of a documented {kind}")
        tags = tuple(dict.fromkeys(short_tag(tag) for tag in (added.name, *added.tags)))
        for tag in tags:
            if not tag or self._tags.setdefault(tag, added.name) != added.name:
                raise self._error(
                    (*added.keys, "tags"), f"expected a new tag, found {tag!r}, a tag of {self._tags[tag]}"
                )
        payloads = tuple(dict.fromkeys(normalise(name) for name in (added.payload, *added.aliases)))
        for name in payloads:
            owner = "header" if name == "header" else self._payloads.setdefault(name, added.name)
            if owner != added.name:
                raise self._error(
                    (*added.keys, "payload"), f"expected a new payload name, found {name}, that of {owner}"
                )
        struct = self._struct_name(added.keys, "".join(map(_title, added.name.split("_"))) + "Record", given=True)
        fields = tuple(self._inner(added.fields, struct, added=False))
        columns = fields if added.flat else (self._payload(added, fields, struct),)
        taken = {name.casefold() for name in (*(field.name for field in header.fields), *COMMON)}
        for column in columns:
            if column.name.casefold() in taken:
                raise self._error(
                    added.keys, f"expected new names of columns, found {column.name}, which each table has"
                )
        flat = Struct(struct, fields) if added.flat else None
        if flat is not None and (both := {key for each in fields for key in _keys_of(each)} & {*payloads, "header"}):
            raise self._error(added.keys, f"expected other keys than the payload's, found {min(both)}")
        return Table(added.name, added.doc, tags, columns, payloads, flat, header, added=True)

    def _payload(self, added: AddedTable, fields: tuple[pa.Field, ...], struct: str) -> pa.Field:
        element = pa.field("element", pa.struct(fields), metadata=Annotations(struct=struct).to_metadata())
        return pa.field(added.payload, pa.list_(element), metadata=Annotations(added.doc).to_metadata() or None)

    def _error(self, keys: Keys, message: str) -> Exception:
        return self._extension.error(keys, message)


def _title(word: str) -> str:
    return word[0].upper() + word[1:]


def _keys_of(field: pa.Field) -> set[str]:
    return {normalise(key) for key in (field.name, *annotations_of(field).source_names)}


def _tags_of(field: pa.Field) -> set[str]:
    return {normalise(tag) for tag in (field.name, *annotations_of(field).struct_names)}


def _has_timestamp(data_type: pa.DataType) -> bool:
    if isinstance(data_type, pa.StructType):
        return any(_has_timestamp(child.type) for child in data_type.fields)
    if isinstance(data_type, pa.ListType):
        return _has_timestamp(data_type.value_type)
    return pa.types.is_timestamp(data_type)


@lru_cache(maxsize=1)
def documented_structs() -> tuple[str, ...]:
    """Return the names of all documented structs, as the page spells them."""
    found = dict.fromkeys((HEADER.name, METADATA.name))
    for table in TABLES.values():
        if table is not UNRECOGNIZED:
            found.update(dict.fromkeys([table.flat.name] if table.flat else []))
            for field in table.payload:
                found.update(dict.fromkeys(_names_in(field)))
    return tuple(found)


def _names_in(field: pa.Field) -> Iterator[str]:
    data_type = field.type
    if isinstance(data_type, pa.ListType):
        yield from _names_in(data_type.value_field)
    elif isinstance(data_type, pa.StructType):
        notes = annotations_of(field)
        if notes.struct:
            yield notes.struct
        for child in data_type.fields:
            yield from _names_in(child)


@lru_cache(maxsize=1)
def documented_unions() -> tuple[str, ...]:
    """Return the names of the columns that are unions."""
    return tuple(dict.fromkeys(name for table in TABLES.values() for field in table.payload for name in _unions(field)))


def _unions(field: pa.Field) -> Iterator[str]:
    if annotations_of(field).kind == "union":
        yield field.name
    data_type = field.type
    children = data_type.fields if isinstance(data_type, pa.StructType) else []
    for child in [data_type.value_field] if isinstance(data_type, pa.ListType) else children:
        yield from _unions(child)

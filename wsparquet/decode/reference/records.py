"""Finds a record's table and reads its row.

Source of the rules: docs/decoding.md, "Which table" and "Rescue".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from wsparquet.decode.plan import PLANS, DecodePlan, TablePlan, compiled
from wsparquet.decode.reference.readers import Object, Reader, reader, struct_reader, unwrap_tag
from wsparquet.decode.reference.rescue import Rescue
from wsparquet.decode.reference.values import LoneSurrogates
from wsparquet.schema import DOCUMENTED, Schema
from wsparquet.schema.keys import normalise, short_tag

__all__ = ["RecordReader", "Row", "Unreadable", "body_of", "record_reader"]

MIN_FIELDS = 2
"""A record that has neither a tag nor a payload name belongs to a table if it has this many of the table's fields."""


class Unreadable(Exception):
    """Raised if a record cannot become a row. The message gives the reason."""


@dataclass(slots=True)
class Row:
    """A row: its table, columns, and rescued values. If ``raw`` is true, the caller must add the record's text.

    ``header_rescue`` has the values of a raw row's header that have no column. They are not in ``rescue``, because the
    record's text has them.
    """

    table: str
    columns: dict[str, Any]
    rescue: Rescue = field(default_factory=list)
    raw: bool = False
    header_rescue: Rescue = field(default_factory=list)


class _TableReader:
    """Finds and reads a table's payload in a body."""

    def __init__(self, plan: TablePlan) -> None:
        self.name = plan.name
        self.tags = plan.tags
        self.payload_names = plan.payload_names
        self.flat = plan.flat
        self.struct = struct_reader(plan.payload, stray="$body")
        self.column = plan.payload.fields[0].name
        self.list: Reader | None = None if plan.flat else reader(plan.payload.fields[0].node)  # type: ignore[arg-type]

    def is_payload(self, value: Any) -> bool:
        """Whether a value has the same JSON type as the payload."""
        return type(unwrap_tag(value, self.struct.names)) is (tuple if self.flat else list)

    def bears_name(self, key: str, value: Any) -> bool:
        """Whether the name of a field in the body identifies the field as this table's payload."""
        # The payload names of flat tables are guesses, because the documentation has none, so the kind must match, too.
        return normalise(key) in self.payload_names and (not self.flat or self.is_payload(value))

    def claims(self, pairs: Object) -> bool:
        """Whether a body has this table's payload, or has one of the table's fields."""
        return any(self.bears_name(*pair) for pair in pairs) or (self.flat and self.count_fields(pairs) > 0)

    def count_fields(self, pairs: Object) -> int:
        """Return how many of the table's fields an object has."""
        return len({normalise(key) for key, _ in pairs if self.struct.knows(key)})

    def read(self, pairs: Object, rescue: Rescue) -> dict[str, Any]:
        """Read the payload from the body's fields, which exclude ``header``, and return its columns."""
        found = self._find(pairs)
        if found is None and self.flat:
            return self.struct.fields(pairs, "$", rescue)
        for index, (key, value) in enumerate(pairs):
            if index != found:
                again = not self.flat and normalise(key) in self.payload_names
                rescue.append((("$", self.column) if again else ("$body", key), value))
        if found is None:
            return {}
        return self._payload(*pairs[found], rescue)

    def _find(self, pairs: Object) -> int | None:
        for index, (key, _) in enumerate(pairs):
            if normalise(key) in self.payload_names:
                return index
        if len(pairs) != 1:
            return None
        ((key, value),) = pairs
        inline = self.flat and self.struct.knows(key)
        return 0 if not inline and self.is_payload(value) else None

    def _payload(self, key: str, value: Any, rescue: Rescue) -> dict[str, Any]:
        if self.list is not None:
            return {self.column: self.list.read(value, ("$", self.column), rescue)}
        inner = unwrap_tag(value, self.struct.names)
        if type(inner) is tuple:
            return self.struct.fields(inner, "$", rescue)
        if value is not None and inner is not None:
            rescue.append((("$body", key), value))
        return {}


@lru_cache(maxsize=PLANS)
def record_reader(schema: Schema = DOCUMENTED) -> RecordReader:
    """Return the reader of a schema. The reader has no state, so all decoders share it."""
    return RecordReader(compiled(schema))


class RecordReader:
    """Reads parsed records into rows. With ``added``, it offers records to the tables of an extension only."""

    def __init__(self, plan: DecodePlan, *, added: bool = False) -> None:
        self.header = struct_reader(plan.header, stray="$header")
        self.tables = [_TableReader(table) for table in plan.tables if table.added == added]
        self.by_tag = {tag: table for table in self.tables for tag in table.tags}

    def read(self, record: Any) -> Row:
        """Return the record's row.

        Raises:
            Unreadable: the record has no body with exactly one key.

        """
        rescue: Rescue = []
        tag, inner = body_of(record, rescue)
        if "." not in tag and self._is_payload_itself(tag, inner):
            table, inner = self._by_payload_name(((tag, inner),)), ((tag, inner),)
        else:
            table = self._table(tag, inner)
        if table is None:
            return self._unrecognized(tag, inner)
        columns: dict[str, Any] = {}
        if type(inner) is tuple:
            header, pairs = self._split_header(inner, rescue)
            columns = {**header, **table.read(pairs, rescue)}
        elif inner is not None:
            rescue.append(("$body", inner))
        return Row(table.name, columns, rescue)

    def _is_payload_itself(self, key: str, value: Any) -> bool:
        return any(not table.flat and table.bears_name(key, value) and table.is_payload(value) for table in self.tables)

    def _table(self, tag: str, inner: Any) -> _TableReader | None:
        named = self.by_tag.get(short_tag(tag))
        if type(inner) is not tuple:
            return named
        pairs = _beside_header(inner)
        if named is not None:
            return named if named.claims(pairs) else self._by_payload_name(pairs) or named
        return self._by_payload_name(pairs) or self._by_fields(pairs)

    def _by_payload_name(self, pairs: Object) -> _TableReader | None:
        bearing = [table for table in self.tables if any(table.bears_name(*pair) for pair in pairs)]
        return bearing[0] if len(bearing) == 1 else None

    def _by_fields(self, pairs: Object) -> _TableReader | None:
        found = self._most_fields(pairs)
        if found is None and len(pairs) == 1 and type(inner := unwrap_tag(pairs[0][1])) is tuple:
            found = self._most_fields(inner)
        return found

    def _most_fields(self, pairs: Object) -> _TableReader | None:
        counts = {table.name: (table, table.count_fields(pairs)) for table in self.tables if table.flat}
        present = [(table, count) for table, count in counts.values() if count]
        if len(present) == 1 and present[0][1] >= MIN_FIELDS:
            return present[0][0]
        return None

    def _split_header(self, pairs: Object, rescue: Rescue) -> tuple[dict[str, Any], Object]:
        """Return the header's columns, and the body's other fields."""
        columns: dict[str, Any] | None = None
        others = []
        for key, value in pairs:
            if normalise(key) != "header":
                others.append((key, value))
            elif columns is None:
                columns = self._header(value, rescue)
            else:
                rescue.append((("$body", "header"), value))
        return columns or {}, tuple(others)

    def _header(self, value: Any, rescue: Rescue) -> dict[str, Any]:
        inner = unwrap_tag(value, self.header.names)
        if type(inner) is tuple:
            return self.header.fields(inner, "$", rescue)
        if inner is not None:
            rescue.append((("$body", "header"), value))
        return {}

    def _unrecognized(self, tag: str, inner: Any) -> Row:
        rescue: Rescue = []
        columns = self._split_header(inner, rescue)[0] if type(inner) is tuple else {}
        columns["tag"] = None if isinstance(tag, LoneSurrogates) else tag
        return Row("unrecognized", columns, raw=True, header_rescue=rescue)


def body_of(record: Any, rescue: Rescue) -> tuple[str, Any]:
    """Return the only key of the record's body, and the key's value. Rescue the record's other fields.

    Raises:
        Unreadable: the record has no body with exactly one key.

    """
    record = unwrap_tag(record)
    if type(record) is not tuple:
        raise Unreadable(f"a record must be an object, found {_kind(record)}")
    found = [index for index, (key, _) in enumerate(record) if normalise(key) == "body"]
    if not found:
        raise Unreadable("the record has no body")
    body = record[found[0]][1]
    if type(body) is not tuple or len(body) != 1:
        raise Unreadable(f"body must be an object with one key, the tag of its type; found {_kind(body)}")
    rescue.extend((("$record", key), value) for index, (key, value) in enumerate(record) if index != found[0])
    ((tag, inner),) = body
    return tag, inner


def _kind(value: Any) -> str:
    if type(value) is tuple:
        return f"an object with {len(value)} keys"
    return {list: "a list", bool: "a boolean", type(None): "null"}.get(type(value), "a scalar")


def _beside_header(pairs: Object) -> Object:
    return tuple(pair for pair in pairs if normalise(pair[0]) != "header")

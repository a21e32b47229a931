"""Finds the records of a published schema that correspond to tables, and the fields that are their payloads.

The decoder determines the table (docs/decoding.md, "Which table"). This module passes the decoder a body that has the
fields of the published record, with empty values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from wsparquet.decode.plan import TablePlan
from wsparquet.decode.reference.records import record_reader
from wsparquet.remote_schema.published import Field, PublishedSchema, Record, Type
from wsparquet.schema.keys import normalise

__all__ = ["find_bodies", "find_payload", "find_tables"]


def find_tables(published: PublishedSchema) -> dict[str, list[Record]]:
    """Return the records of each table, keyed by the table's name.

    If the schema has a field ``body``, only the records that this field permits are considered. Without a field
    ``body``, a record belongs to a table only if the record is not inside another record, and has a header or fields of
    the table.
    """
    bodies = find_bodies(published)
    found: dict[str, list[Record]] = {}
    for record in dict.fromkeys(bodies or published.records):
        name = _table(published, record, is_body=bool(bodies))
        if name is not None:
            found.setdefault(name, []).append(record)
    if bodies:
        return found
    return {name: _outermost(published, records) for name, records in found.items()}


def find_bodies(published: PublishedSchema) -> list[Record]:
    """Return the records that the fields named ``body`` permit, once each."""
    bodies = (
        body
        for record in published.records
        for field in record.fields
        if normalise(field.name) == "body"
        for body in published.records_of(field.type)
    )
    return list(dict.fromkeys(bodies))


def find_payload(published: PublishedSchema, fields: Sequence[Field], table: TablePlan) -> Field | None:
    """Return the field that is a table's payload; None if the record contains the fields of the payload inline."""
    for field in fields:
        if normalise(field.name) in table.payload_names:
            return field
    if len(fields) != 1:
        return None
    own = {key for plan in table.payload.fields for key in plan.keys}
    inline = table.flat and normalise(fields[0].name) in own
    expected = "record" if table.flat else "array"
    return None if inline or expected not in _kinds(published, fields[0].type) else fields[0]


def _table(published: PublishedSchema, record: Record, *, is_body: bool) -> str | None:
    pairs = tuple((field.name, _value(published, field.type)) for field in record.fields)
    name = record_reader().read((("body", ((record.name, pairs),)),)).table
    for table in record_reader().tables:
        if table.name == name:
            beside = tuple(pair for pair in pairs if normalise(pair[0]) != "header")
            return name if is_body or len(beside) < len(pairs) or table.claims(beside) else None
    return None


def _value(published: PublishedSchema, of: Type) -> Any:
    """Return an empty value of the type, in the decoder's form of parsed JSON.

    Only the kind of the value affects the decoder's choice of a table.
    """
    records = published.records_of(of)
    if records:
        return tuple((field.name, None) for record in records for field in record.fields)
    return [] if "array" in _kinds(published, of) else None


def _kinds(published: PublishedSchema, of: Type) -> set[str]:
    return {kind.name for kind in published.kinds(of)}


def _outermost(published: PublishedSchema, records: Iterable[Record]) -> list[Record]:
    all_of_them = list(records)
    inner = set(published.within(field.type for record in all_of_them for field in record.fields))
    # Records that contain each other have no outermost record.
    return [record for record in all_of_them if record not in inner] or all_of_them

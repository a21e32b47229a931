"""Proposes an extension from what the Data Access API's schema has, and the documented schema lacks."""

from __future__ import annotations

from collections import Counter
from typing import Any

from wsparquet.extensions import Proposal
from wsparquet.extensions.propose import Body, Found
from wsparquet.extensions.seen import TAGS, Seen
from wsparquet.remote_schema.comparison import Comparer
from wsparquet.remote_schema.published import Field, PublishedSchema, Type, doc_of
from wsparquet.schema import UNRECOGNIZED
from wsparquet.schema.extension import MOST_LEVELS
from wsparquet.schema.keys import normalise, short_tag

__all__ = ["propose_additions"]


def propose_additions(answer: Any) -> Proposal:
    """Propose an extension from a published schema, given as JSON values: new fields, branches, tables and values.

    Types are exact. What contradicts a documented type is not proposed: ``compare_schema`` lists it.

    Raises:
        SchemaError: the schema contains no Avro record.

    """
    published = PublishedSchema(answer)
    comparer = Comparer(published)
    comparer.run()
    found = Found()
    for table, path, field in comparer.strays:
        found.add_seen(table, path, _field(published, field))
    for table, path, name, fields in comparer.branches:
        found.add_branch(table, path, name, _struct(published, fields))
    for table, path, symbols in comparer.symbols:
        found.add_symbols(table, path, symbols)
    for record in comparer.bodies:
        body = Body(record.name, Seen(doc=doc_of(record.written)))
        for field in record.fields:
            if normalise(field.name) == "header":
                _add_header(found, comparer, field)
            else:
                body.keys[normalise(field.name)] = (field.name, _field(published, field))
        found.bodies[short_tag(record.name)] = body
    return found.proposal()


def _add_header(found: Found, comparer: Comparer, header: Field) -> None:
    """Add the unknown fields in the header of a body that belongs to no table."""
    own = {key for field in comparer.plan.header.fields for key in field.keys}
    for record in comparer.published.records_of(header.type):
        for field in record.fields:
            if normalise(field.name) not in own:
                found.add_seen(UNRECOGNIZED.name, ("$header", field.name), _field(comparer.published, field))


def _field(published: PublishedSchema, field: Field, level: int = 0) -> Seen:
    """Return a published field as if values of it had been seen. Its own description is more exact than its type's."""
    seen = _seen(published, field.type, level)
    seen.doc = field.doc or seen.doc
    return seen


def _seen(published: PublishedSchema, of: Type, level: int = 0) -> Seen:
    """Return a published type as if values of it had been seen. Recursive types end at the deepest level of structs."""
    kinds = published.kinds(of)
    seen = Seen(times=False, enum=all(kind.name == "enum" for kind in kinds))
    for kind in kinds:
        if kind.record is not None and level > MOST_LEVELS:
            seen.kinds["record that contains itself"] = 0
        elif kind.record is not None:
            seen.kinds["struct"] = 0
            for field in kind.record.fields:
                seen.keys.setdefault(normalise(field.name), (field.name, _field(published, field, level + 1)))
            seen.doc = doc_of(kind.record.written)
        elif kind.name == "array" and kind.inner is not None:
            seen.kinds["list"] = 0
            seen.element = _seen(published, kind.inner, level)
        else:
            seen.kinds[{"enum": "string", "fixed": "string", **TAGS}.get(kind.name, kind.name)] = 0
            seen.symbols += kind.symbols
            seen.doc = seen.doc or kind.doc
    return seen


def _struct(published: PublishedSchema, fields: tuple[Field, ...]) -> Seen:
    seen = Seen(times=False, kinds=Counter({"struct": 0}))
    for field in fields:
        seen.keys[normalise(field.name)] = (field.name, _field(published, field, 1))
    return seen

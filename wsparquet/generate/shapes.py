"""Builds records: compiles the Arrow schema once into functions that return values in Avro's JSON encoding.

A field that is added to the schema is generated automatically; its name or type determines its values.

The encoding follows the example in the API's documentation: a non-null value of a nullable field is an object with one
key, the name of the type (Avro specification, "JSON Encoding"), list elements are untagged, and a union of structs is
tagged with its branch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pyarrow as pa

from wsparquet.generate.draw import Draw
from wsparquet.generate.offers import Fixed
from wsparquet.generate.slots import in_scope
from wsparquet.generate.values import list_size, null_rate, value_maker
from wsparquet.schema import HEADER, TABLES, UNRECOGNIZED, Table
from wsparquet.schema.annotations import annotations_of
from wsparquet.schema.fields import Struct

__all__ = ["NAMESPACE", "RECORD_TABLES", "body_tag", "payload_key", "record_maker"]

NAMESPACE = "com.liveperson.dataaccess."
RECORD_TABLES = tuple(name for name in TABLES if name != UNRECOGNIZED.name)
"""The tables that have a documented record type, in the order of the documentation."""

Maker = Callable[[Draw], Any]

_OTHER_NAME_RATE = 0.1
_EMPTY_RATE = 0.01
_NO_ELEMENTS_RATE = 0.03

# Structs that never are empty, because an empty one would hide the order of events, such as which page led to the next
# page.
_NEVER_EMPTY = {"Navigation", "Impression", "EligibilityData", "GoalAchieved", "Engagement Attributes"}

# Fields that are in the tables of the API's documentation but not in its example. The structs of a visit either all
# have these fields, or all lack them.
_LATER_FIELDS = {
    "Engagement": ("id",),
    "Impression": ("timestamp",),
    "Customer Info": ("isAuthenticated", "authenticatedConversationId"),
    "Personal Info": ("isAuthenticated", "authenticatedConversationId"),
    "Campaign": (
        "channel",
        "type",
        "visitorBehaviors",
        "skillId",
        "skillName",
        "surveySkills",
        "isOffsiteEngagement",
        "availabilityPolicy",
        "interactionType",
        "renderingType",
    ),
}
_OF_PERSONS = {"GEO", "Customer Info", "Personal Info"}
_BODY_TAGS = {"engagement_attributes": "WebSessionEngAttrsData"}
_PRIMITIVES = {"string": "string", "int32": "int", "int64": "long", "double": "double", "bool": "boolean"}


# --- Names ------------------------------------------------------------------------------------------------------------


def body_tag(table: str) -> str:
    """Return the tag of a table's records, without its namespace: ``WebSessionNavigationData``."""
    return _BODY_TAGS.get(table) or f"WebSession{table.title().replace('_', '')}Data"


def payload_key(table: Table) -> str:
    """Return the key of a table's payload in the body: ``navigationData``, ``sessionInfo``."""
    if table.flat is None:
        return table.payload[0].name
    name = table.flat.name
    return name.lower() if name.isupper() else name[0].lower() + name[1:].replace(" ", "")


def _keys(field: pa.Field) -> tuple[str, ...]:
    """Return the names that a field has in files, starting with the column's name."""
    return (field.name, *annotations_of(field).source_names)


def _tags(field: pa.Field) -> tuple[str, ...]:
    """Return the tags that a struct or an enum has in files, starting with its own name."""
    return tuple(NAMESPACE + name.replace(" ", "") for name in annotations_of(field).struct_names)


def _usually_first(draw: Draw, names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 or not draw.chance(_OTHER_NAME_RATE) else draw.pick(names)


# --- Makers -----------------------------------------------------------------------------------------------------------


def _tagged(bare: Maker, tags: tuple[str, ...]) -> Maker:
    def make(draw: Draw) -> dict[str, Any] | None:
        value = bare(draw)
        return None if value is None else {_usually_first(draw, tags): value}

    return make


def _nullable(make: Maker, rate: float) -> Maker:
    return lambda draw: None if draw.chance(rate) else make(draw)


def _struct(owner: str, fields: list[pa.Field]) -> Maker:
    members = [(_keys(field), _member(owner, field), field.name) for field in fields]
    later = frozenset(key for keys, _, name in members if name in _LATER_FIELDS.get(owner, ()) for key in keys)
    empties = owner not in _NEVER_EMPTY

    def make(draw: Draw) -> dict[str, Any]:
        return {_usually_first(draw, keys): member(draw) for keys, member, _ in members}

    def make_or_recall(draw: Draw) -> dict[str, Any]:
        if empties and draw.scene.shown is None and draw.chance(_EMPTY_RATE):
            return {}
        holder = draw.scene.holder(owner)
        made = make(draw) if holder is None else _recalled(holder, owner, make, draw)
        return {key: value for key, value in made.items() if key not in later} if later and draw.older else made

    return make_or_recall


def _recalled(holder: Fixed, owner: str, make: Maker, draw: Draw) -> Any:
    """Return the facts of a holder. The facts depend only on the holder's seed, so all visits have the same facts."""
    key = (owner, draw.distinct, draw.full)
    if key not in holder.facts:
        scope = "~" if owner in _OF_PERSONS else "@"
        facts = make(draw.aside(holder.seed * 32 + len(owner)))
        holder.facts[key] = in_scope(facts, scope, f"{holder.name}{owner[0]}")
    return holder.facts[key]


def _fields(data_type: pa.DataType) -> list[pa.Field]:
    return [data_type.field(index) for index in range(data_type.num_fields)]


def _list(name: str, element: pa.Field) -> Maker:
    make_element = _bare(name, element.with_name(name))
    least, most = list_size(name)
    whole = _branches(element)

    def make(draw: Draw) -> list[Any]:
        planned = draw.scene.planned.get(name)
        if planned is not None:
            return [_changed(draw, changes, make_element) for changes in planned]
        count = 0 if draw.chance(_NO_ELEMENTS_RATE) else least + draw.below(most - least + 1)
        return [make_element(draw) for _ in range(whole if draw.full else count)]

    return make


def _changed(draw: Draw, changes: dict[str, Any], make: Maker) -> Any:
    """Return the value that a maker makes with some changes of the scene."""
    scene = draw.scene
    before = {name: getattr(scene, name) for name in changes}
    for name, value in changes.items():
        setattr(scene, name, value)
    made = make(draw)
    for name, value in before.items():
        setattr(scene, name, value)
    return made


def _branches(element: pa.Field) -> int:
    """Return how many list elements are needed to show each branch of the unions in the element; 1 without a union."""
    if not pa.types.is_struct(element.type):
        return 1
    unions = [field for field in _fields(element.type) if annotations_of(field).kind == "union"]
    return max((field.type.num_fields - 1 for field in unions), default=1)


def _union(field: pa.Field) -> Maker:
    branches = {branch.name: _tagged(_bare(field.name, branch), _tags(branch)) for branch in _fields(field.type)[1:]}
    makers = list(branches.values())

    def make(draw: Draw) -> Any:
        planned = draw.scene.branch
        return (branches[planned] if planned in branches else draw.next_branch(makers))(draw)

    return make


def _bare(owner: str, field: pa.Field) -> Maker:
    """Return a function that makes untagged values and never null."""
    if pa.types.is_struct(field.type):
        return _struct(annotations_of(field).struct, _fields(field.type))
    if pa.types.is_list(field.type):
        return _list(field.name, field.type.field(0))
    return value_maker(owner, field)


def _member(owner: str, field: pa.Field) -> Maker:
    """Return a function that makes the value of a struct's field: a tagged value or null."""
    rate = null_rate(owner, field.name)
    if annotations_of(field).kind == "union":
        return _nullable(_union(field), rate)
    if pa.types.is_list(field.type):
        tags: tuple[str, ...] = ("array",)
    elif annotations_of(field).struct:
        tags = _tags(field)
    else:
        tags = (_PRIMITIVES.get(str(field.type), "long"),)
    return _nullable(_tagged(_bare(owner, field), tags), rate)


def _payload(table: Table) -> Maker:
    if table.flat is None:
        field = table.payload[0]
        return _tagged(_bare(table.name, field), ("array",))
    struct: Struct = table.flat
    return _tagged(_struct(struct.name, list(struct.fields)), (NAMESPACE + struct.name.replace(" ", ""),))


@cache
def record_maker(name: str) -> Callable[[Draw, dict[str, Any]], dict[str, Any]]:
    """Return a function that makes records of one table, as values for ``json.dumps`` with slots in strings.

    The function takes the draw, and the elements of the record's lists as changes of the scene.
    """
    table = TABLES[name]
    header = {field.name: _member(HEADER.name, field) for field in HEADER.fields}
    payload = _payload(table)

    def make(draw: Draw, planned: dict[str, Any]) -> dict[str, Any]:
        draw.scene.planned = planned
        body = {
            "header": {NAMESPACE + "VisitorHeader": {key: member(draw) for key, member in header.items()}},
            payload_key(table): payload(draw),
        }
        return {"body": {NAMESPACE + body_tag(name): body}}

    return make

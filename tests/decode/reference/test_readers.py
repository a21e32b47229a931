"""Whether each reader takes what its position allows, and puts all else on the rescue list under the right path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from wsparquet.decode import plan
from wsparquet.decode.model import Limits
from wsparquet.decode.reference.events import Record
from wsparquet.decode.reference.readers import leaf_reader, reader, struct_reader, unwrap_tag
from wsparquet.decode.reference.rescue import Rescue, json_object, rescued_json
from wsparquet.decode.reference.splitter import Splitter
from wsparquet.decode.reference.values import MISFIT
from wsparquet.schema import fields as f
from wsparquet.schema.fields import Struct

POINT = Struct("Point", (f.integer("x", ""), f.integer("y", "")), aliases=("Spot",))
ITEM = Struct("item", (f.text("name", ""), f.double("price", "")))
BOX = Struct("Box", (f.integer("count", ""), f.struct("item", ITEM, "")), kind="inline")
LEAD = Struct("Lead Data", (f.text("topic", ""), f.text("id", "")), aliases=("Hint",))
TRIP = Struct("Trip", (f.text("goal", ""), f.text("id", "")))


def parsed(text: str) -> Any:
    """JSON text as the decoder parses it."""
    splitter = Splitter(Limits())
    events = [*splitter.feed(b'{"recordCollection":[%s]}' % text.encode()), *splitter.finish()]
    (record,) = [event for event in events if isinstance(event, Record)]
    assert record.reason is None
    return record.value


def read(field: Any, text: str) -> tuple[Any, Any]:
    """A column's value for JSON text, and what was rescued by path."""
    rescue: Rescue = []
    node = plan._node(field)
    value = reader(node).read(parsed(text), "$", rescue)  # type: ignore[arg-type]
    return value, json.loads(json_object(rescued_json(rescue)))


# --- Leaves -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a"', "a"),
        ('{"string":"a"}', "a"),
        ('{"long":"a"}', "a"),
        ('{"com.x.Kind":"a"}', "a"),
        ('{"kind_enum":"a"}', "a"),
        ('{"string":null}', None),
        ("null", None),
        ('{"string":{"string":"a"}}', MISFIT),
        ('{"other":"a"}', MISFIT),
        ('{"STRING":"a"}', MISFIT),
        ('{"string":"a","long":1}', MISFIT),
        ("{}", MISFIT),
        ('["a"]', MISFIT),
        ("1", MISFIT),
    ],
)
def test_leaves(text: str, value: Any) -> None:
    """A scalar counts with one tag or none; the tag is Avro's, has a dot, or is the type's own name."""
    leaf = plan.Leaf("string", frozenset({"kindenum"}))
    assert leaf_reader(leaf)(parsed(text)) == value


def test_untag_once() -> None:
    """One tag is taken off, not two; an object of two keys is none."""
    assert unwrap_tag(parsed('{"a.b":{"c.d":1}}')) == parsed('{"c.d":1}')
    assert unwrap_tag(parsed('{"Point":1}'), frozenset({"point"})) == "1"
    for text in ('{"Point":1}', '{"a.b":1,"c.d":2}', "{}", '["a.b"]', "null"):
        assert unwrap_tag(parsed(text)) == parsed(text)


# --- Structs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "rescued"),
    [
        ('{"x":1,"y":2}', {"x": 1, "y": 2}, {}),
        ('{"Point":{"x":1}}', {"x": 1}, {}),
        ('{"SPOT":{"x":1}}', {"x": 1}, {}),
        ('{"a.B":{"x":{"int":1}}}', {"x": 1}, {}),
        ("{}", {}, {}),
        ("null", None, {}),
        ('{"Point":null}', None, {}),
        ('{" X_":1}', {"x": 1}, {}),
        ('{"x":null}', {"x": None}, {}),
        ('{"x":1,"X":2,"_x":null}', {"x": 1}, {"$.x": 2, "$.x#2": None}),
        ('{"x":null,"x":2}', {"x": None}, {"$.x": 2}),
        ('{"x":"1"}', {"x": None}, {"$.x": "1"}),
        ('{"x":{"int":"1"}}', {"x": None}, {"$.x": {"int": "1"}}),
        ('{"z":null,"z z":{"int":1}}', {}, {"$.z": None, "$['z z']": {"int": 1}}),
        ('{"other":{"x":1}}', {}, {"$.other": {"x": 1}}),
        ("5", None, {"$": 5}),
        ('{"Point":5}', None, {"$": {"Point": 5}}),
        ("[]", None, {"$": []}),
        ('{"a.B":{"c.D":{"x":1}}}', {}, {"$['c.D']": {"x": 1}}),
    ],
)
def test_structs(text: str, value: Any, rescued: Any) -> None:
    """Known fields are read, the first of several; all else is rescued as it stood, tags and all."""
    assert read(f.struct("p", POINT, ""), text) == (value, rescued)


def test_stray_fields() -> None:
    """Unknown fields of a struct that is no column go where they are told; known ones keep their column's path."""
    rescue: Rescue = []
    header = struct_reader(plan._node(f.struct("p", POINT, "")), stray="$header")
    assert header.fields(parsed('{"z":1,"x":true}'), "$", rescue) == {"x": None}
    assert rescued_json(rescue) == {"$header.z": "1", "$.x": "true"}


@pytest.mark.parametrize(
    ("text", "value", "rescued"),
    [
        ('{"count":1,"item":{"name":"a"}}', {"count": 1, "item": {"name": "a"}}, {}),
        ('{"count":1,"name":"a","price":2}', {"count": 1, "item": {"name": "a", "price": 2.0}}, {}),
        ('{"Name":null}', {"item": {"name": None}}, {}),
        ('{"item":null,"name":"a"}', {"item": None}, {"$.name": "a"}),
        ('{"ITEM":{"name":"b"},"name":"a"}', {"item": {"name": "b"}}, {"$.name": "a"}),
        ('{"name":"a","name":"b","new":1}', {"item": {"name": "a"}}, {"$.item.name": "b", "$.new": 1}),
        ('{"price":"a"}', {"item": {"price": None}}, {"$.item.price": "a"}),
        ('{"count":1}', {"count": 1}, {}),
        ("{}", {}, {}),
        ('{"x.Box":{"name":"a"}}', {"item": {"name": "a"}}, {}),
        ('{"x.Item":{"name":"a"}}', {"item": {"name": "a"}}, {}),
    ],
)
def test_inlined_structs(text: str, value: Any, rescued: Any) -> None:
    """A struct's fields may stand in its place, but only where its own key is absent."""
    assert read(f.struct("b", BOX, ""), text) == (value, rescued)


# --- Lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "rescued"),
    [
        ('["a","b"]', ["a", "b"], {}),
        ('{"array":["a",null,{"string":"b"}]}', ["a", None, "b"], {}),
        ("[]", [], {}),
        ("null", None, {}),
        ('{"array":null}', None, {}),
        ('"a"', ["a"], {}),
        ('{"string":"a"}', ["a"], {}),
        ('["a",1,["b"],{"k":1}]', ["a", None, None, None], {"$[1]": 1, "$[2]": ["b"], "$[3]": {"k": 1}}),
        ('["a","\\ud800"]', ["a", None], {"$[1]": "\ufdd0d800"}),
        ('"\\ud800"', None, {"$": "\ufdd0d800"}),
        ("1", None, {"$": 1}),
        ("true", None, {"$": True}),
        ("{}", None, {"$": {}}),
        ('{"array":{"array":[]}}', None, {"$": {"array": {"array": []}}}),
    ],
)
def test_lists_of_strings(text: str, value: Any, rescued: Any) -> None:
    """An array, tagged or not, or one string; an element that does not fit leaves null in its place."""
    assert read(f.texts("s", "", ""), text) == (value, rescued)


@pytest.mark.parametrize(
    ("text", "value", "rescued"),
    [
        ('[{"x":1},{"a.Point":{"x":2}},null]', [{"x": 1}, {"x": 2}, None], {}),
        ('[{"x":1},7,{"x":[]}]', [{"x": 1}, None, {"x": None}], {"$[1]": 7, "$[2].x": []}),
        ('{"x":1}', None, {"$": {"x": 1}}),
        ('"a"', None, {"$": "a"}),
    ],
)
def test_lists_of_structs(text: str, value: Any, rescued: Any) -> None:
    """Elements are read at their index; a struct alone is no list."""
    assert read(f.list_of("p", POINT, ""), text) == (value, rescued)


# --- Unions -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value", "rescued"),
    [
        ('{"a.LeadData":{"topic":"t"}}', {"type": "LeadData", "lead": {"topic": "t"}}, {}),
        ('{"lead":{"topic":"t"}}', {"type": "lead", "lead": {"topic": "t"}}, {}),
        ('{"x.HINT":{}}', {"type": "HINT", "lead": {}}, {}),
        ('{"Trip":null}', {"type": "Trip", "trip": None}, {}),
        ('{"Trip":5}', {"type": "Trip", "trip": None}, {"$.trip": 5}),
        ('{"Trip":{"goal":1,"new":2}}', {"type": "Trip", "trip": {"goal": None}}, {"$.trip.goal": 1, "$.trip.new": 2}),
        ('{"topic":"t","id":"i"}', {"lead": {"topic": "t", "id": "i"}}, {}),
        ('{"goal":"g"}', {"trip": {"goal": "g"}}, {}),
        ('{"id":"i"}', {"type": "id"}, {"$": {"id": "i"}}),
        ('{"topic":"t","goal":"g"}', None, {"$": {"topic": "t", "goal": "g"}}),
        ('{"topic":"t","new":1}', None, {"$": {"topic": "t", "new": 1}}),
        ('{"a.Unheard":{"k":1}}', {"type": "Unheard"}, {"$": {"a.Unheard": {"k": 1}}}),
        ('{"Lead":{"Lead":{"topic":"t"}}}', {"type": "Lead", "lead": {}}, {"$.lead.Lead": {"topic": "t"}}),
        ("{}", {}, {}),
        ("null", None, {}),
        ('"lead"', None, {"$": "lead"}),
        ("[]", None, {"$": []}),
    ],
)
def test_unions(text: str, value: Any, rescued: Any) -> None:
    """A branch is known by its tag's last part, or by keys that are its own alone; an unknown one is rescued whole."""
    union = f.union("data", [("lead", LEAD), ("trip", TRIP)], "", None)
    assert read(union, text) == (value, rescued)


def test_a_branch_with_a_lone_surrogate_in_its_tag() -> None:
    """A tag that no string column can hold leaves no type, and is rescued."""
    union = f.union("data", [("lead", LEAD), ("trip", TRIP)], "", None)
    assert read(union, '{"\\ud800":1}') == ({"type": None}, {"$": {"\ufdd0d800": 1}})


def test_only_structs_have_struct_readers() -> None:
    """A plan that is no struct is refused."""
    with pytest.raises(TypeError, match="expected a struct"):
        struct_reader(plan.Leaf("string"))

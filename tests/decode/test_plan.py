"""Whether the schema compiles into the tree that it describes, and whether its mistakes fail before any row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from wsparquet.decode import plan
from wsparquet.decode.plan import Branch, FieldPlan, Leaf, ListOf, Node, StructOf, TablePlan, UnionOf, compiled
from wsparquet.errors import SchemaError
from wsparquet.schema import TABLES, Table
from wsparquet.schema import fields as f
from wsparquet.schema.fields import Struct


def field(name: str, node: Any, *other_keys: str) -> FieldPlan:
    """A field's plan, under its name in lower case and other keys."""
    return FieldPlan(name, frozenset({name.lower(), *other_keys}), node)


STRING, INT, LONG, DOUBLE = Leaf("string"), Leaf("int32"), Leaf("int64"), Leaf("float64")
TIMESTAMP = Leaf("timestamp")

PRODUCT = StructOf(
    (field("name", STRING), field("category", STRING), field("sku", STRING), field("price", DOUBLE)),
    frozenset({"product"}),
)
CONTAINED = field("product", PRODUCT)
CART_FIELDS = (
    field("total", DOUBLE),
    field("numItems", INT),
    field(
        "products",
        ListOf(StructOf((field("quantity", INT), CONTAINED), frozenset({"productcontainer"}), inline=CONTAINED)),
    ),
)
CART = StructOf(CART_FIELDS, frozenset({"cart", "cartstatus"}))


def table(name: str) -> TablePlan:
    """The compiled plan of a table."""
    return {one.name: one for one in compiled().tables}[name]


# --- Trees ------------------------------------------------------------------------------------------------------------


def test_navigation() -> None:
    """A table whose payload is a list of structs."""
    page = StructOf(
        (
            field("timestamp", TIMESTAMP),
            field("url", STRING),
            field("referrerUrl", STRING),
            field("sections", ListOf(STRING, or_one=True)),
        ),
        frozenset({"navigation"}),
    )
    assert table("navigation") == TablePlan(
        name="navigation",
        tags=frozenset({"navigation", "navigations", "visitornavigation"}),
        payload_names=frozenset({"navigationdata"}),
        payload=StructOf((field("navigationData", ListOf(page)),)),
        flat=False,
    )


def bare(node: Node) -> Leaf:
    """A leaf without its documented values."""
    assert isinstance(node, Leaf)
    return replace(node, values=frozenset())


def test_session_info() -> None:
    """A table whose payload's fields are its own columns; the page's odd spellings are the same keys."""
    found = table("session_info")
    names = ("userAgent", "deviceOS", "deviceFamily", "siteControlGroup", "searchEngine", "searchEngineKey")
    assert found.flat
    assert found.payload.names == {"sessioninfo"}
    assert found.payload.fields[0] == field("sessionStartTime", TIMESTAMP)
    without_values = [(one.name, one.keys, Leaf("string")) for one in map(field, names, [STRING] * len(names))]
    assert [(one.name, one.keys, bare(one.node)) for one in found.payload.fields[1:]] == without_values


def test_enums_have_their_documented_values() -> None:
    """A leaf knows the values that the documentation lists for it, and most list none."""
    nodes = {one.name: one.node for one in table("session_info").payload.fields}
    values = {name: node.values for name, node in nodes.items() if isinstance(node, Leaf) and node.values}
    assert sorted(values) == ["deviceFamily", "deviceOS", "siteControlGroup"]
    assert values["deviceFamily"] == {"NA", "DESKTOP", "TABLET", "MOBILE"}


def test_unions() -> None:
    """A union has its branches, known by column and struct name, and no field ``type``."""
    ((goals,),) = [table("goal_achieved").payload.fields]
    assert isinstance(goals.node, ListOf)
    assert isinstance(goals.node.element, StructOf)
    union = goals.node.element.fields[-1].node
    assert isinstance(union, UnionOf)
    assert [branch.name for branch in union.branches] == [
        "urlGoalMetadata",
        "purchaseMetadata",
        "reduceAbandonmentGoalMetadata",
        "increaseInteractionGoalMetadata",
        "leadMetadata",
        "serviceActivityMetadata",
    ]
    purchase = (field("total", DOUBLE), field("orderId", STRING), field("cartStatus", CART))
    assert union.branches[0] == Branch(
        "urlGoalMetadata", frozenset({"urlgoalmetadata"}), StructOf((field("url", STRING),))
    )
    assert union.branches[1].struct == StructOf(purchase)


def test_branches_with_other_names() -> None:
    """A branch goes by its struct's other names too, and is no tag of its own: that is the union's business."""
    ((attributes,),) = [table("engagement_attributes").payload.fields]
    assert isinstance(attributes.node, ListOf)
    assert isinstance(attributes.node.element, StructOf)
    union = attributes.node.element.fields[-1].node
    assert isinstance(union, UnionOf)
    cart = next(branch for branch in union.branches if branch.name == "cart")
    assert cart == Branch("cart", frozenset({"cart", "cartstatus"}), StructOf(CART_FIELDS))


def test_header_and_metadata() -> None:
    """What all records and containers have in common."""
    assert compiled().header == StructOf(
        (field("visitId", STRING), field("visitorId", STRING), field("contextId", STRING)),
        frozenset({"header", "visitorheader"}),
    )
    assert compiled().metadata == StructOf(
        (
            field("accountId", STRING),
            field("schemaVersion", STRING),
            field("startTime", TIMESTAMP),
            field("endTime", TIMESTAMP),
        ),
        frozenset({"metadata"}),
    )


def test_enums_may_be_tagged_by_name() -> None:
    """A leaf with a type of its own can be told from its tag."""
    ((eligibility,),) = [table("eligibility").payload.fields]
    assert isinstance(eligibility.node, ListOf)
    assert isinstance(eligibility.node.element, StructOf)
    campaigns = eligibility.node.element.fields[0].node
    assert isinstance(campaigns, ListOf)
    assert isinstance(campaigns.element, StructOf)
    control_group = campaigns.element.fields[-1]
    assert control_group.name == "controlGroupType"
    assert bare(control_group.node) == Leaf("string", frozenset({"controlgroupenum"}))


def test_every_table_but_unrecognized_has_a_plan() -> None:
    """The plan has the schema's tables in the schema's order, and compiles once."""
    assert [one.name for one in compiled().tables] == [name for name in TABLES if name != "unrecognized"]
    assert compiled() is compiled()


# --- Mistakes ---------------------------------------------------------------------------------------------------------

WRONG_FIELDS = {
    "one name twice, but for case": ([f.text("userId", ""), f.text("userid", "")], "'userId' and 'userid'"),
    "one name twice, but for underscores": ([f.text("user_id", ""), f.text("userId", "")], "both known as 'userid'"),
    "an alias that is another's name": ([f.text("a", "", aliases=("B",)), f.text("b", "")], "both known as 'b'"),
    "two with one alias": ([f.text("a", "", aliases=("x",)), f.text("b", "", aliases=("X",))], "'a' and 'b'"),
    "the struct's own name": ([f.text("my_thing", "")], "name of its own struct"),
    "an Avro type's name": ([f.text("array", "")], "Avro"),
    "an Avro type's name as an alias": ([f.text("kind", "", aliases=("String",))], "Avro"),
    "a type that no reader has": ([f.field("a", pa.int8(), "", None)], "no reader for type int8 of field 'a'"),
    "such a type in a list": ([f.field("a", pa.list_(pa.float32()), "", None)], "float"),
    "a map": ([f.field("a", pa.map_(pa.string(), pa.string()), "", None)], "no reader for type map"),
    "seconds": ([f.field("a", pa.timestamp("s", tz="UTC"), "", None)], "timestamp"),
    "no time zone": ([f.field("a", pa.timestamp("ms"), "", None)], "timestamp"),
}


DEPTHS = ("table", "struct", "list", "branch")
# A union takes the tags of its branches off itself, so there the struct's own name is a name like any other.
WRONG_AT = [
    (mistake, depth)
    for mistake in WRONG_FIELDS
    for depth in DEPTHS
    if (mistake[:10], depth) != ("the struct", "branch")
]


@pytest.mark.parametrize(("mistake", "depth"), WRONG_AT)
def test_wrong_fields(mistake: str, depth: str) -> None:
    """Fields that cannot be told apart, or not be read, fail wherever they stand, and the message names them."""
    some, message = WRONG_FIELDS[mistake]
    thing = Struct("MyThing", tuple(some))
    columns = {
        "table": thing.fields,
        "struct": (f.struct("column", thing, ""),),
        "list": (f.list_of("column", thing, ""),),
        "branch": (f.union("column", [("one", thing)], "", None),),
    }
    wrong = Table("mine", "", ("mine",), columns[depth], ("mine",), flat=thing if depth == "table" else None)
    with pytest.raises(SchemaError, match=message):
        plan._table(wrong)


def test_branches_that_cannot_be_told_apart() -> None:
    """Two branches that one tag could mean fail."""
    one, other = Struct("One", (), aliases=("Same",)), Struct("Other", (), aliases=("SAME",))
    union = f.union("data", [("one", one), ("other", other)], "", None)
    with pytest.raises(SchemaError, match="branches 'one' and 'other' are both known as 'same'"):
        plan._node(union)


@pytest.mark.parametrize("structs", [0, 2])
def test_inline_needs_one_struct(structs: int) -> None:
    """Where fields may be inlined, it must be clear into which struct."""
    inner = Struct("Inner", (f.text("x", ""),))
    outer = Struct("Outer", tuple(f.struct(f"s{index}", inner, "") for index in range(structs)), kind="inline")
    with pytest.raises(SchemaError, match=f"exactly one struct field, found {structs}"):
        plan._node(f.struct("outer", outer, ""))


def test_tables_that_cannot_be_told_apart() -> None:
    """Two tables that one tag or payload name could mean fail, and the message names both."""
    named = [(name, frozenset({*TABLES[name].tags, "same"})) for name in ("geo", "session_info")]
    with pytest.raises(SchemaError, match="tables 'geo' and 'session_info' are both known as 'same'"):
        plan._distinct("tables", named)

"""Which leaf columns a schema has, and their values in a batch."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from tests.dataset.helpers import make_rows
from wsparquet.schema import TABLES
from wsparquet.schema.leaves import leaf_columns

DEEP = pa.schema(
    [
        ("a", pa.int64()),
        ("b", pa.list_(pa.struct([("c", pa.string()), ("d", pa.list_(pa.struct([("e", pa.float64())])))]))),
        ("f", pa.struct([("g", pa.struct([("h", pa.bool_())])), ("i", pa.list_(pa.list_(pa.int32())))])),
    ]
)
ROWS: list[Any] = [
    {"a": 1, "b": [{"c": "x", "d": [{"e": 1.5}, None]}, None], "f": {"g": {"h": True}, "i": [[1, 2], None, []]}},
    {"a": None, "b": None, "f": None},
    {"a": 3, "b": [], "f": {"g": None, "i": [[3]]}},
    {"a": 4, "b": [{"c": None, "d": None}], "f": {"g": {"h": None}, "i": None}},
]


def test_paths_steps_and_fields_are_in_the_order_of_the_schema() -> None:
    """Every leaf is there once with `[*]` for indices, None among its steps for elements, and its own field."""
    found = list(leaf_columns(DEEP))
    assert [(leaf.path, leaf.steps, leaf.field.type) for leaf in found] == [
        ("$.a", ("a",), pa.int64()),
        ("$.b[*].c", ("b", None, "c"), pa.string()),
        ("$.b[*].d[*].e", ("b", None, "d", None, "e"), pa.float64()),
        ("$.f.g.h", ("f", "g", "h"), pa.bool_()),
        ("$.f.i[*][*]", ("f", "i", None, None), pa.int32()),
    ]


def test_values_are_flattened_and_none_is_lost() -> None:
    """All values come in order of rows; a null struct gives a null, a null or empty list gives nothing."""
    batch = pa.RecordBatch.from_pylist(ROWS, schema=DEEP)
    assert {leaf.path: leaf.values(batch).to_pylist() for leaf in leaf_columns(DEEP)} == {
        "$.a": [1, None, 3, 4],
        "$.b[*].c": ["x", None, None],
        "$.b[*].d[*].e": [1.5, None],
        "$.f.g.h": [True, None, None, None],
        "$.f.i[*][*]": [1, 2, 3],
    }


def test_values_of_a_slice_are_those_of_its_rows() -> None:
    """A slice in the middle of a batch has its own rows' values and no others."""
    batch = pa.RecordBatch.from_pylist(ROWS, schema=DEEP).slice(2, 2)
    values = {leaf.path: leaf.values(batch).to_pylist() for leaf in leaf_columns(DEEP)}
    assert values["$.a"] == [3, 4]
    assert values["$.b[*].c"] == [None]
    assert values["$.f.g.h"] == [None, None]
    assert values["$.f.i[*][*]"] == [3]


def test_values_below_a_null_struct_are_null() -> None:
    """What lies in memory below a null struct does not come back as a value."""
    hidden = pa.StructArray.from_arrays([pa.array([1, 2])], names=["x"], mask=pa.array([True, False]))
    batch = pa.RecordBatch.from_arrays([hidden], names=["s"])
    (leaf,) = leaf_columns(batch.schema)
    assert leaf.values(batch).to_pylist() == [None, 2]


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_a_table_has_as_many_leaves_as_a_walk_over_its_rows_finds(table: object) -> None:
    """Over rows of every table, each leaf's values that are not null are those of a plain walk over the rows."""
    batch = make_rows(table.name, 30)  # type: ignore[attr-defined]
    walked: dict[str, list[object]] = {}

    def walk(value: object, path: str) -> None:
        if isinstance(value, dict):
            for key, child in value.items():
                walk(child, f"{path}.{key}")
        elif isinstance(value, list):
            for child in value:
                walk(child, f"{path}[*]")
        elif value is not None:
            walked.setdefault(path, []).append(value)

    for row in batch.to_pylist():
        walk(row, "$")
    found = {leaf.path: leaf.values(batch).drop_null().to_pylist() for leaf in leaf_columns(batch.schema)}
    assert {path: len(values) for path, values in found.items() if values} == {
        path: len(values) for path, values in walked.items()
    }
    assert {path: values for path, values in found.items() if values} == walked

"""Whether each field of each table has one id for ever."""

from __future__ import annotations

import hashlib
from collections import Counter
from importlib import resources

import pyarrow as pa
import pytest

from tools.field_ids import missing
from wsparquet.errors import SchemaError
from wsparquet.schema import SCHEMA_VERSION, TABLES
from wsparquet.schema.field_ids import (
    FIELD_ID,
    FIRST_EXTENSION_ID,
    REGISTRY_FILE,
    FieldId,
    field_ids,
    field_paths,
    registry,
    with_field_ids,
    with_id,
)

FROZEN = {
    2: "0dbde10c3d2471bb409170e0ec27f562a04256145d683f07418e6975e45646e0",
}
"""The digest of the registry's lines up to each schema version.

Roots, and tables of Iceberg, hold these ids. If a digest differs, a line was changed or removed: restore the line, and
append a new one. A new schema version gets a new entry here; the earlier entries stay as they are.
"""


def digest(version: int) -> str:
    """The hash of all lines of the registry up to a schema version, as they stand in the file."""
    text = resources.files("wsparquet.schema").joinpath(REGISTRY_FILE).read_text()
    lines = [line for line in text.splitlines()[1:] if int(line.rpartition(",")[2]) <= version]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_no_id_was_ever_changed_or_used_again() -> None:
    """The lines of each schema version are those that its digest was taken of."""
    assert {version: digest(version) for version in FROZEN} == FROZEN
    assert max(FROZEN) == SCHEMA_VERSION


def test_lines_are_only_appended() -> None:
    """Later schema versions follow earlier ones, and an id follows all lower ids of its table."""
    assert [line.since for line in registry()] == sorted(line.since for line in registry())
    for table in TABLES:
        numbers = [line.id for line in registry() if line.table == table]
        assert numbers == list(range(1, len(numbers) + 1))


def test_ids_are_unique_and_documented_ones() -> None:
    """No table uses an id or a path twice, and no id is one of an extension."""
    for key in (lambda line: (line.table, line.id), lambda line: (line.table, line.path)):
        assert [found for found, count in Counter(map(key, registry())).items() if count > 1] == []
    assert all(0 < line.id < FIRST_EXTENSION_ID for line in registry())
    assert {line.table for line in registry()} == set(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_every_field_has_an_id(table: str) -> None:
    """Structs, lists, their elements, leaves and the partition column have one, and the schema carries it."""
    paths = list(field_paths(table))
    assert [path for path in paths if path not in field_ids(table)] == []
    assert paths[-1] == "date"
    assert "engagementAttributes.element.data.cart.products.element.product.price" in field_ids("engagement_attributes")
    schema = with_field_ids(table)
    assert schema.equals(TABLES[table].schema)
    found = {field.name: int(field.metadata[FIELD_ID.encode()]) for field in schema}
    assert found == {name: field_ids(table)[name] for name in schema.names}


def test_a_field_without_an_id_is_an_error_with_a_remedy() -> None:
    """No file is written without the id of a field, however deep the field is."""
    field = pa.field("navigationData", pa.list_(pa.field("element", pa.struct([("title", pa.string())]))))
    with pytest.raises(SchemaError, match=r"for navigationData.element.title in .* run `python -m tools.field_ids`"):
        with_id("navigation", field, field.name)


def test_the_tool_appends_only_what_is_missing() -> None:
    """A new field gets the id after the greatest of its table, even if the field with that id is gone."""
    known = tuple(line for line in registry() if (line.table, line.path) != ("geo", "city"))
    gone = FieldId("geo", 99, "continent", 1)
    assert missing(registry()) == []
    assert missing((*known, gone)) == [FieldId("geo", 100, "city", SCHEMA_VERSION)]

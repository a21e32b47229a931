"""Whether each leaf column is classified by what it says about a person."""

from __future__ import annotations

from collections import Counter
from importlib import resources

import pyarrow as pa

import wsparquet
from wsparquet.schema import TABLES
from wsparquet.schema.leaves import leaf_columns
from wsparquet.schema.personal import CLASSES, PERSONAL, PERSONAL_FILE, personal_data
from wsparquet.schema.tables import PARTITION


def _paths(table: str) -> list[str]:
    leaves = [leaf.steps for leaf in leaf_columns(TABLES[table].schema)]
    return [".".join(step for step in steps if step is not None) for steps in leaves] + [PARTITION.name]


def test_each_leaf_column_of_each_table_has_one_line() -> None:
    """A new column fails here until it is classified, and a line of no column or of a column twice fails, too."""
    text = resources.files("wsparquet.schema").joinpath(PERSONAL_FILE).read_text()
    lines = Counter(tuple(line.split(",")[:2]) for line in text.splitlines()[1:])
    assert lines == Counter((table, path) for table in TABLES for path in _paths(table))


def test_lines_have_known_classes_and_only_text_is_truncated() -> None:
    """The kinds of values that can be truncated are kinds of text, and personal."""
    assert {line.personal for line in personal_data().values()} == set(CLASSES)
    for line in personal_data().values():
        if line.truncate:
            assert (line.truncate, line.personal) in {("ip", "network"), ("url", "network")}


def test_columns_of_the_same_name_have_the_same_class_unless_they_are_ids_or_names() -> None:
    """A struct that several tables share is classified alike everywhere: only `id`, `name` and the like differ."""
    found: dict[tuple[str, ...], set[str]] = {}
    for line in personal_data().values():
        found.setdefault(tuple(line.path.split(".")[-2:]), set()).add(line.personal)
    assert {path for path, classes in found.items() if len(classes) > 1} == set()


def test_the_metadata_of_a_schema_has_the_class_of_each_leaf() -> None:
    """`arrow_schema` says what is personal, at any depth, beside the documentation."""
    for table in TABLES:
        schema = wsparquet.arrow_schema(table)
        assert schema.equals(TABLES[table].schema)
        leaves = list(leaf_columns(schema))
        assert all((leaf.field.metadata or {}).get(PERSONAL.encode()) for leaf in leaves)
    contacts = {leaf.path: leaf.field for leaf in leaf_columns(wsparquet.arrow_schema("engagement_attributes"))}
    email = contacts["$.engagementAttributes[*].data.personalInfo.contacts[*].email"]
    assert email.metadata[PERSONAL.encode()] == b"direct"
    assert email.metadata[b"doc"] == b"Contact email."
    assert pa.types.is_string(email.type)

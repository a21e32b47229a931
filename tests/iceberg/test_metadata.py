"""wsparquet/iceberg/metadata.py and snapshots.py: ids, documentation, partitions and bounds of the tables."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table.update import update_table_metadata

from tests.iceberg.helpers import OTHER, TABLE_NAMES, assert_published, files_of, published, put
from wsparquet import publish
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError
from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.in_root import TablesInRoot
from wsparquet.iceberg.metadata import ROOT_ID, evolve, initial_metadata, schema
from wsparquet.iceberg.parts import parts_by_location
from wsparquet.iceberg.snapshots import Difference, next_snapshot, read_current, unchanged
from wsparquet.iceberg.tables import Change
from wsparquet.layout import HIVE_NULL
from wsparquet.schema import TABLES
from wsparquet.schema.field_ids import FIELD_ID, field_ids


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """A published root with rows in every table."""
    made = Root.open(tmp_path_factory.mktemp("metadata") / "lake")
    put(made, seed=1, tables=TABLE_NAMES, count=12)
    put(made, OTHER, seed=2)
    publish(made.place)
    return made


def ids_in(fields: list[pa.Field[Any]], path: str = "") -> dict[str, int]:
    """The field ids in the metadata of Arrow fields, by path."""
    found: dict[str, int] = {}
    for field in fields:
        found[f"{path}{field.name}"] = int((field.metadata or {})[FIELD_ID.encode()])
        children = field.type
        if pa.types.is_list(children) or pa.types.is_large_list(children):
            found |= ids_in([children.value_field.with_name("element")], f"{path}{field.name}.")
        elif pa.types.is_struct(children):
            found |= ids_in([children.field(index) for index in range(children.num_fields)], f"{path}{field.name}.")
    return found


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_the_ids_of_a_table_are_those_in_its_files(root: Root, name: str) -> None:
    """Every field of every file has the table's id, which is the registry's; ``date`` is only in the table."""
    table = published(root.place, name)
    in_table = ids_in(list(schema_to_pyarrow(table.schema())))
    assert in_table == {path: number for path, number in field_ids(name).items() if path in in_table}
    files = files_of(table)
    assert files
    for file in files:
        assert ids_in(list(pq.read_schema(file))) | {"date": in_table["date"]} == in_table
    assert table.metadata.last_column_id >= max(in_table.values())


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_columns_have_their_documentation_and_tables_a_name_mapping(root: Root, name: str) -> None:
    """Engines show what a column means; readers without field ids find columns by name."""
    table = published(root.place, name)
    for column in TABLES[name].schema:
        assert column.metadata[b"doc"].decode() in (table.schema().find_field(column.name).doc or ""), column.name
    assert table.properties["comment"] == TABLES[name].doc
    mapping = json.loads(table.properties["schema.name-mapping.default"])
    assert {each["names"][0]: each["field-id"] for each in mapping} == {
        field.name: field.field_id for field in table.schema().fields
    }
    assert table.properties["commit.retry.num-retries"] == "0"


def test_the_partition_is_the_day_of_the_folder(root: Root) -> None:
    """Each file's partition is its day, null for rows without one, and a filter by date opens only the day's files."""
    table = published(root.place, "geo")
    days = {task.file.file_path: task.file.partition[0] for task in table.scan().plan_files()}
    for file, days_since_1970 in days.items():
        name = Path(file).parent.name.removeprefix("date=")
        expected = None if name == HIVE_NULL else (date.fromisoformat(name) - date(1970, 1, 1)).days
        assert days_since_1970 == expected
    assert None in days.values()
    day = "2016-06-30"
    found = [task.file.file_path for task in table.scan(row_filter=f"date = '{day}'").plan_files()]
    assert sorted(found) == [file for file in files_of(table) if f"date={day}" in file]
    rows = table.scan(row_filter="date IS NULL").to_arrow()
    assert rows.num_rows > 0
    assert rows["date"].null_count == rows.num_rows


def test_bounds_are_of_the_source_alone(root: Root) -> None:
    """A filter by source opens only its files; no manifest has a value of another column, such as a visitor's id."""
    table = published(root.place, "geo")
    name = f"{OTHER.name}.gz"
    tasks = list(table.scan(row_filter=f"source_file = '{name}'").plan_files())
    assert tasks
    assert all(task.file.file_path.rpartition("/")[2].startswith("7.") for task in tasks)
    assert table.scan(row_filter=f"source_file = '{name}'").to_arrow().num_rows == 6
    column = table.schema().find_field("source_file").field_id
    for task in table.scan().plan_files():
        assert set(task.file.lower_bounds) == set(task.file.upper_bounds) == {column}
    visitor = table.scan().to_arrow()["visitorId"].drop_null()[0].as_py() or "?"
    manifests = (Path(root.place) / "_wsparquet/iceberg/geo/metadata").glob("*.avro")
    assert all(visitor.encode() not in path.read_bytes() for path in manifests)


def test_an_older_table_gets_the_new_columns_with_their_ids(root: Root) -> None:
    """A schema of an earlier version is replaced under a new number, and no id changes."""
    base = initial_metadata("geo", "/lake", "root")
    fields = [field for field in schema("geo").fields if field.name not in {"isp", "countryCode"}]
    old = base.model_copy(update={"schemas": [schema("geo").model_copy(update={"fields": tuple(fields)})]})
    updates = evolve(old, "geo", "another root")
    new = update_table_metadata(old, updates)
    assert (new.current_schema_id, len(new.schemas)) == (1, 2)
    assert new.schema().as_struct() == schema("geo").as_struct()
    assert new.properties[ROOT_ID] == "another root"
    assert evolve(new, "geo", "another root") == ()


@pytest.mark.parametrize("damage", ["twice", "missing", "foreign", "rows"])
def test_what_another_tool_has_done_to_a_table_is_undone(tmp_path: Path, damage: str) -> None:
    """Files twice, missing, foreign, or with other counts: the next publication makes the table right again."""
    root = Root.open(tmp_path / "lake")
    put(root, seed=1)
    publish(root.place)
    tables, files = TablesInRoot(root), StoreFiles(root)
    state = tables.load("geo")
    current = read_current(state.metadata, files)
    parts = parts_by_location(root, files.base)["geo"]
    first = min(parts)
    part = parts[first]
    match damage:
        case "twice":
            difference = Difference({first: part}, ())
        case "missing":
            difference = Difference({}, {first})
        case "foreign":
            difference = Difference({f"{files.base}/elsewhere.parquet": part}, ())
        case _:
            difference = Difference({first: part._replace(part=part.part._replace(rows=1000))}, {first})
    updates = next_snapshot(state.metadata, current, difference, files)
    tables.settle(tables.commit(state, Change(updates, unchanged(state.metadata))))
    assert files_of(published(root.place, "geo")) != sorted(parts) or damage == "rows"
    publish(root.place)
    assert_published(root)
    assert published(root.place, "geo").scan().count() == 6


def test_a_file_outside_the_root_is_refused(root: Root) -> None:
    """The files of a table are read only below the root, whatever its metadata names."""
    files = StoreFiles(root)
    for location in ("/etc/passwd", f"{root.location}/../x", f"{root.location}x/y", "s3://other/x"):
        with pytest.raises(DatasetError, match="expected an Iceberg table whose files are in this root"):
            files.read(location)
    with pytest.raises(NotImplementedError):
        files.delete(f"{root.location}/_wsparquet/root.json")

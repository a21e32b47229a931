"""wsparquet/parquet/lookup.py: row groups that cannot have a value are left out, and no others."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.dataset.helpers import make_rows
from wsparquet.parquet.file import NativePart, PyarrowPart, WriterKind
from wsparquet.parquet.lookup import row_groups_with
from wsparquet.parquet.settings import file_schema
from wsparquet.privacy.people import id_columns
from wsparquet.schema import TABLES

COLUMNS = {leaf.field.name: leaf for _, leaf in id_columns(TABLES["geo"].schema)}


def with_ids(name: str, values: list[str]) -> pa.RecordBatch:
    """Rows with these values in a column."""
    rows = make_rows("geo", len(values))
    return rows.set_column(rows.schema.get_field_index(name), rows.schema.field(name), pa.array(values))


@pytest.mark.parametrize("writer", [NativePart, PyarrowPart])
@pytest.mark.parametrize("lookups", [False, True])
@pytest.mark.parametrize("name", ["visitId", "visitorId"])
def test_only_row_groups_that_may_have_a_value(tmp_path: Path, writer: WriterKind, lookups: bool, name: str) -> None:
    """By statistics in each file, and by Bloom filters where a file has them; a value that is there is always found."""
    path = tmp_path / "part"
    part = writer(path, TABLES["geo"], row_group_rows=1000, lookups=lookups)
    groups = [[f"id {group} {number * 2:04}" for number in range(200)] for group in range(3)]
    for values in groups:
        batch = with_ids(name, values)
        part.write(pa.RecordBatch.from_arrays(batch.columns, schema=file_schema(TABLES["geo"])))
        part.end_row_group()
    part.close()
    with pq.ParquetFile(path) as file:
        for group, values in enumerate(groups):
            for value in values:
                assert group in row_groups_with(file, path, COLUMNS[name], ["nowhere", value])
                assert row_groups_with(file, None, COLUMNS[name], [value]) == {group}
        assert row_groups_with(file, path, COLUMNS[name], ["z"]) == set()
        between = [f"id 1 {number * 2 + 1:04}" for number in range(199)]
        found = sum(1 in row_groups_with(file, path, COLUMNS[name], [value]) for value in between)
        # A Bloom filter of this size is wrong for about one value in a hundred.
        assert found <= 20 if lookups else found == 199

"""The metadata of a root's Iceberg tables: schemas with the registry's field ids, partitions, and properties.

pyiceberg assigns new field ids to every schema that it creates a table with, and Parquet files would then have other
ids than the table. This module therefore makes the first metadata, and adds later schemas with their ids.
"""

from __future__ import annotations

import uuid
from functools import cache
from typing import Any

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.metadata import TableMetadata, TableMetadataV2
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.table.update import AddSchemaUpdate, SetCurrentSchemaUpdate, SetPropertiesUpdate, TableUpdate
from pyiceberg.transforms import IdentityTransform

from wsparquet.errors import DatasetError
from wsparquet.layout import ICEBERG
from wsparquet.render.iceberg import schema as schema_values
from wsparquet.schema import AnyTable, table_of
from wsparquet.schema.field_ids import registry
from wsparquet.schema.tables import PARTITION

__all__ = ["ROOT_ID", "evolve", "field_id", "initial_metadata", "is_own", "partition_spec_id", "schema", "table_path"]

ROOT_ID = "wsparquet.root-id"
"""The table property with the id of the root, which a copy of the root keeps."""

PARTITION_FIELD_ID = 1000
"""The first id of partition fields (Iceberg specification, "Partition field IDs")."""

PROPERTIES = {
    # A retry of pyiceberg would add the same files again. The difference must be computed again instead.
    "commit.retry.num-retries": "0",
    # If manifests had the bounds of all columns, they would contain ids of visitors.
    "write.metadata.metrics.default": "none",
    "write.metadata.metrics.column.source_file": "full",
    "write.metadata.metrics.column.record_number": "full",
    "write.metadata.previous-versions-max": "20",
    "write.parquet.compression-codec": "zstd",
    # Other tools must not delete the files of a root.
    "gc.enabled": "false",
}


def table_path(name: str) -> str:
    """Return the path of a table's folder, relative to the root."""
    return f"{ICEBERG}/{name}"


@cache
def schema(table: AnyTable) -> Schema:
    """Return the schema of a table, with the ids of its fields and the documentation of each column."""
    return Schema.model_validate(schema_values(table_of(table)))


def field_id(metadata: TableMetadata, column: str) -> int:
    """Return the id of a top-level column."""
    return metadata.schema().find_field(column).field_id


def properties(table: AnyTable, root_id: str) -> dict[str, str]:
    """Return the properties of a table.

    The name mapping is for files and readers without field ids.
    """
    mapping = schema(table).name_mapping.model_dump_json()
    return {**PROPERTIES, "schema.name-mapping.default": mapping, "comment": table_of(table).doc, ROOT_ID: root_id}


def initial_metadata(table: AnyTable, location: str, root_id: str) -> TableMetadata:
    """Return the first metadata of a table at ``location``, without a snapshot."""
    spec = PartitionSpec(
        PartitionField(
            source_id=schema(table).find_field(PARTITION.name).field_id,
            field_id=PARTITION_FIELD_ID,
            transform=IdentityTransform(),
            name=PARTITION.name,
        )
    )
    return TableMetadataV2(
        location=location,
        table_uuid=uuid.uuid4(),
        schemas=[schema(table)],
        current_schema_id=0,
        last_column_id=_highest_id(table),
        partition_specs=[spec],
        default_spec_id=spec.spec_id,
        last_partition_id=PARTITION_FIELD_ID,
        sort_orders=[UNSORTED_SORT_ORDER],
        default_sort_order_id=UNSORTED_SORT_ORDER.order_id,
        properties=properties(table, root_id),
    )


def _highest_id(table: AnyTable) -> int:
    """Return the highest id that any schema version has used, so that another tool does not assign it again."""
    known = table_of(table)
    return max(*(line.id for line in registry() if line.table == known.name), *known.ids.values(), 0)


def is_own(metadata: TableMetadata, location: str, root_id: str) -> bool:
    """Return whether a table belongs to this root at this place, and not to the original of a copied root."""
    return metadata.location == location and metadata.properties.get(ROOT_ID) == root_id


def evolve(metadata: TableMetadata, table: AnyTable, root_id: str) -> tuple[TableUpdate, ...]:
    """Return the updates that give a table its schema and the properties of this version of wsparquet."""
    updates: list[TableUpdate] = []
    wanted = schema(table)
    if metadata.schema().as_struct() != wanted.as_struct():
        number = max(each.schema_id for each in metadata.schemas) + 1
        added = wanted.model_copy(update={"schema_id": number})
        updates += [AddSchemaUpdate(schema=added), SetCurrentSchemaUpdate(schema_id=-1)]
    changed = {key: value for key, value in properties(table, root_id).items() if metadata.properties.get(key) != value}
    if changed:
        updates.append(SetPropertiesUpdate(updates=changed))
    return tuple(updates)


def partition_spec_id(metadata: TableMetadata) -> int:
    """Return the id of the table's partition by ``date``. Raises DatasetError if another tool has removed it."""
    wanted: list[Any] = [(field_id(metadata, PARTITION.name), IdentityTransform())]
    for spec in metadata.partition_specs:
        if [(field.source_id, field.transform) for field in spec.fields] == wanted:
            return spec.spec_id
    raise DatasetError(
        f"{metadata.location}: expected an Iceberg table with a partition by date, found other partitions; another "
        "tool has changed the table: drop it from its catalog, and run `wsparquet publish` again"
    )

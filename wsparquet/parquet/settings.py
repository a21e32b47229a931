"""How a Parquet file is written: one schema for all files of a table, and the writer's options."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from wsparquet.schema import COMMON_SUFFIX, HEADER, TABLES
from wsparquet.schema.leaves import LeafColumn, leaf_columns

__all__ = [
    "COMPRESSION_LEVEL",
    "NOT_OWN",
    "WriterLimits",
    "dictionary_columns",
    "file_schema",
    "leaves",
    "own_timestamps",
    "statistics_columns",
    "writer_options",
]

# The container's own times say when it was cut, not when the record happened.
NOT_OWN = frozenset(field.name for field in COMMON_SUFFIX)

# Keys and texts that are nearly all different: a dictionary would be written beside the values that did not fit it.
UNREPEATED = frozenset(
    {"visitId", "visitorId", "record_number", "rescued", "record", "url", "referrerUrl", "iPV4", "iPV6"}
    | {"engagementInstanceId"}
)

# By what rows are looked up; unsorted names and texts would only make footers larger.
PRUNING = frozenset(field.name for field in HEADER.fields) | {"source_file", "record_number"}


COMPRESSION_LEVEL = 1
"""Of zstd."""


@dataclass(frozen=True)
class WriterLimits:
    """How much all writers of the process hold together.

    ``buffered`` bytes of Arrow data wait at most before the largest buffer is written; at most ``open_files`` Parquet
    files are open, the least recently used one is closed for the next. A row group has ``row_group_rows`` at most. A
    file is closed after ``file_writes`` writes, since what its footer will say of each row group waits in memory.

    Measured with one job, peak of a 1 GB file against that of a 100 MB one: 96 MiB in buffers 330 against 209 MiB (the
    smaller file never fills them), 8 MiB with 8 writes 146 against 132, with 4 writes 132 against 124. Larger
    buffers have little to save: 8 files of 50 MB are 72 writes for 56 files as it is.
    """

    buffered: int = 8 << 20
    open_files: int = 64
    row_group_rows: int = 1 << 20
    file_writes: int = 4


class Leaf(NamedTuple):
    """One Parquet column: its path in the file, its Arrow type, and the table's column that it is part of."""

    path: str
    type: pa.DataType
    column: str


@functools.cache
def leaves(table: str) -> tuple[Leaf, ...]:
    """The Parquet columns of a table's files, in their order."""
    return tuple(_leaf(found) for found in leaf_columns(TABLES[table].schema))


def _leaf(found: LeafColumn) -> Leaf:
    steps = ["list.element" if step is None else step for step in found.steps]
    return Leaf(".".join(steps), found.field.type, steps[0])


@functools.cache
def own_timestamps(table: str) -> tuple[int, ...]:
    """The indices, among a file's Parquet columns, of the table's own timestamps."""
    return tuple(
        index
        for index, leaf in enumerate(leaves(table))
        if pa.types.is_timestamp(leaf.type) and leaf.column not in NOT_OWN
    )


@functools.cache
def file_schema(table: str) -> pa.Schema:
    """The table's schema without metadata: doc texts would be repeated in every footer."""
    return pa.schema([_bare(field) for field in TABLES[table].schema])


def _bare(field: pa.Field) -> pa.Field:
    return pa.field(field.name, _bare_type(field.type), nullable=True)


def _bare_type(data_type: pa.DataType) -> pa.DataType:
    if isinstance(data_type, pa.StructType):
        return pa.struct([_bare(data_type.field(index)) for index in range(data_type.num_fields)])
    if isinstance(data_type, pa.ListType):
        return pa.list_(pa.field("element", _bare_type(data_type.value_type), nullable=True))
    return data_type


@functools.cache
def writer_options(table: str) -> dict[str, Any]:
    """The options of ``pyarrow.parquet.ParquetWriter`` for a table's files.

    Measured with 3,000 generated records of each table, against pyarrow's defaults with zstd level 1: files 11 %
    smaller, footers 50 KB instead of 143 KB (86 KB of that are the doc texts and the Arrow schema), 8 % less CPU time.
    A dictionary made the columns left out of it 7 % (URLs) to 135 % (record_number) larger and slower to write;
    elsewhere it halves them (names, user agents) or changes little.

    Measured again with one file of 50 MB, seven runs, against these options: CPU time and bytes without compression
    0.83 and 4.20, LZ4 0.90 and 1.61, zstd level -1 0.97 and 1.35, level 3 1.08 and 1.04; no dictionary 1.00 and 1.16,
    one everywhere 1.06 and 1.13; no statistics nor page index 0.98 and 0.99, statistics everywhere 1.05 and 1.01; data
    pages of version 2 0.99 and 1.36, of 128 KiB 1.03 and 1.08, of 8 MiB 1.01 and 0.99; a dictionary of up to 4 MiB
    1.02 and 1.00. So the defaults stand where none is named. Half of the time goes into definition and repetition
    levels, which no option changes.

    The native writer takes the same options. Measured as above, against these, nine runs: CPU time and bytes with level
    2 1.05 and 1.01, level 3 1.15 and 1.04; no dictionary 1.05 and 1.16, one everywhere 1.15 and 1.13; no statistics
    0.99 and 1.00, statistics everywhere 1.11 and 1.01; pyarrow's writer 1.49 and 1.00.
    """
    return {
        "compression": "zstd",
        "compression_level": COMPRESSION_LEVEL,
        "store_schema": False,
        "write_page_index": True,
        "use_dictionary": dictionary_columns(table),
        "write_statistics": statistics_columns(table),
    }


@functools.cache
def dictionary_columns(table: str) -> list[str]:
    """The paths of the Parquet columns that have a dictionary."""
    return [leaf.path for leaf in leaves(table) if _repeats(leaf)]


@functools.cache
def statistics_columns(table: str) -> list[str]:
    """The paths of the Parquet columns that have statistics, by row group and by page."""
    return [leaf.path for leaf in leaves(table) if _prunes(leaf)]


def _repeats(leaf: Leaf) -> bool:
    if pa.types.is_timestamp(leaf.type):
        return leaf.column in NOT_OWN
    name = leaf.path.rpartition(".")[2]
    return name not in UNREPEATED and not (name == "id" and pa.types.is_string(leaf.type))


def _prunes(leaf: Leaf) -> bool:
    # No engine prunes by what is inside lists, but a part's time range is read from the timestamps there.
    return leaf.column in PRUNING or leaf.path.startswith("metaData.") or pa.types.is_timestamp(leaf.type)

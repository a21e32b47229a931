"""The settings of Parquet files: the schema and the options, which are the same for all files of a table."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from wsparquet.private.pyarrow import writes_bloom_filters
from wsparquet.schema import HEADER, AnyTable, table_of
from wsparquet.schema.field_ids import with_field_ids
from wsparquet.schema.leaves import LeafColumn, leaf_columns
from wsparquet.schema.own_timestamps import NOT_OWN, is_own_timestamp

__all__ = [
    "FileSettings",
    "WriterLimits",
    "dictionary_columns",
    "file_schema",
    "file_settings",
    "leaves",
    "native_options",
    "own_timestamps",
    "statistics_columns",
    "writer_options",
]

# Columns whose values are nearly all different. A dictionary would only make files larger.
UNREPEATED = frozenset(
    {"visitId", "visitorId", "record_number", "rescued", "record", "url", "referrerUrl", "iPV4", "iPV6"}
    | {"engagementInstanceId"}
)

# Columns by which queries look up rows. Statistics of other columns with unsorted texts would only enlarge footers.
PRUNING = frozenset(field.name for field in HEADER.fields) | {"source_file", "record_number"}


LOOKED_UP = ("visitId", "visitorId")
"""The columns with Bloom filters in sorted files: queries look up one visit, or all visits of one visitor."""


@dataclass(frozen=True)
class WriterLimits:
    """The limits of writers. ``memory`` applies to all writers of the process together.

    ``memory``: the memory in bytes that unfinished files take. If the unfinished files take more, the largest row group
    ends. The row groups of a run that needs more memory are therefore about equally large. ``partitions``: the number
    of tables and days for which one source has an unfinished file; beyond that, the least recently used file is closed,
    and a later row of its table and day begins another file. ``row_group_rows``: the maximum number of rows of a row
    group; engines work best with 100,000 or more, and read several row groups at the same time. ``file_bytes``: a file
    that reaches this size is closed.
    """

    memory: int = 64 << 20
    partitions: int = 64
    row_group_rows: int = 1 << 17
    file_bytes: int = 512 << 20


class Leaf(NamedTuple):
    """A Parquet column: its path in the file, its Arrow type, and the column of the table that contains it.

    ``own`` says whether it has timestamps of the table's own events.
    """

    path: str
    type: pa.DataType
    column: str
    own: bool


@functools.cache
def leaves(table: AnyTable) -> tuple[Leaf, ...]:
    """Return the Parquet columns of a table's files, in order."""
    return tuple(_leaf(found) for found in leaf_columns(table_of(table).schema))


def _leaf(found: LeafColumn) -> Leaf:
    steps = ["list.element" if step is None else step for step in found.steps]
    return Leaf(".".join(steps), found.field.type, steps[0], is_own_timestamp(found))


@functools.cache
def own_timestamps(table: AnyTable) -> tuple[int, ...]:
    """Return which Parquet columns of a file, counted from 0, are the timestamps that belong to the table itself."""
    return tuple(index for index, leaf in enumerate(leaves(table)) if leaf.own)


@functools.cache
def file_schema(table: AnyTable) -> pa.Schema:
    """Return the table's schema with the ids of its fields, and without other metadata.

    Other metadata, such as the descriptions, would be repeated in every footer. Without ids, engines that are based on
    iceberg-rust read nested lists as null.
    """
    return with_field_ids(table)


@dataclass(frozen=True)
class FileSettings:
    """The settings of a table's files, for both writers. Other options, such as page sizes, keep the writer's defaults.

    ``dictionary``, ``statistics`` and ``bloom`` have the Parquet paths of the columns that have a dictionary,
    statistics, and a Bloom filter in each row group. The bounds in statistics are never truncated. There are statistics
    for each row group and, with ``page_index``, for each page. ``timestamps`` has the paths of the table's own
    timestamps, whose range the writer returns. With ``arrow_schema``, the footer also contains the Arrow schema.
    ``root`` is the name of the Parquet schema's root.

    In a file of one row group, the native writer neither compresses a column nor gives it a dictionary if all values
    together take fewer than ``plain_bytes`` bytes in memory. pyarrow's writer has no such limit.

    Measured with 3,000 generated records of each table, compared to pyarrow's defaults with zstd level 1: files are 11
    % smaller, footers take 50 KB instead of 143 KB (of which 86 KB are the descriptions and the Arrow schema), and
    writing takes 8 % less CPU time. A dictionary for the columns that have none here made files 7 % (URLs) to 135 %
    (record_number) larger, and writing slower. For other columns, a dictionary halves the size (names, user agents) or
    makes little difference.

    Measured again with one file of 50 MB and seven runs. Each pair is the CPU time and the size, relative to these
    settings:

    - without compression 0.83 and 4.20, LZ4 0.90 and 1.61, zstd level -1 0.97 and 1.35, level 3 1.08 and 1.04
    - no dictionary 1.00 and 1.16, a dictionary everywhere 1.06 and 1.13, dictionaries of up to 4 MiB 1.02 and 1.00
    - neither statistics nor page index 0.98 and 0.99, statistics everywhere 1.05 and 1.01
    - data pages of version 2 0.99 and 1.36, of 128 KiB 1.03 and 1.08, of 8 MiB 1.01 and 0.99

    Definition and repetition levels take half of the time. No setting changes this.

    The native writer was measured in the same way with nine runs, relative to its own results with these settings: zstd
    level 2 takes 1.05 and 1.01, level 3 1.15 and 1.04; no dictionary 1.05 and 1.16, a dictionary everywhere 1.15 and
    1.13; no statistics 0.99 and 1.00, statistics everywhere 1.11 and 1.01; pyarrow's writer 1.49 and 1.00.
    """

    dictionary: tuple[str, ...]
    statistics: tuple[str, ...]
    timestamps: tuple[str, ...]
    row_group_rows: int
    bloom: tuple[str, ...] = ()
    compression: str = "zstd"
    compression_level: int = 1
    plain_bytes: int = 256
    page_index: bool = True
    arrow_schema: bool = False
    root: str = "schema"


@functools.cache
def file_settings(
    table: AnyTable, *, row_group_rows: int = WriterLimits.row_group_rows, lookups: bool = False
) -> FileSettings:
    """Return the settings of a table's files. With ``lookups``, the files have Bloom filters."""
    timestamps = tuple(leaves(table)[index].path for index in own_timestamps(table))
    bloom = LOOKED_UP if lookups else ()
    return FileSettings(dictionary_columns(table), statistics_columns(table), timestamps, row_group_rows, bloom)


@functools.cache
def native_options(settings: FileSettings) -> str:
    """Return the settings as JSON text for the native writer: an object with the members of the data class."""
    return json.dumps(asdict(settings))


BLOOM_VALUES = 1 << 14
"""The number of different values for which pyarrow sizes its Bloom filters. The native writer makes filters as large as
needed."""
BLOOM_FALSE = 0.01
"""The share of absent values that a Bloom filter does not exclude."""


def writer_options(settings: FileSettings) -> dict[str, Any]:
    """Return the options of ``pyarrow.parquet.ParquetWriter`` for a file with these settings."""
    bloom = {path: {"ndv": BLOOM_VALUES, "fpp": BLOOM_FALSE} for path in settings.bloom}
    return {
        "compression": settings.compression,
        "compression_level": settings.compression_level,
        "store_schema": settings.arrow_schema,
        "write_page_index": settings.page_index,
        "use_dictionary": list(settings.dictionary),
        "write_statistics": list(settings.statistics),
        **({"bloom_filter_options": bloom} if bloom and writes_bloom_filters() else {}),
    }


@functools.cache
def dictionary_columns(table: AnyTable) -> tuple[str, ...]:
    """Return the paths of the Parquet columns with a dictionary."""
    return tuple(leaf.path for leaf in leaves(table) if _repeats(leaf))


@functools.cache
def statistics_columns(table: AnyTable) -> tuple[str, ...]:
    """Return the paths of the Parquet columns with statistics."""
    return tuple(leaf.path for leaf in leaves(table) if _prunes(leaf))


def _repeats(leaf: Leaf) -> bool:
    if pa.types.is_timestamp(leaf.type):
        return leaf.column in NOT_OWN
    name = leaf.path.rpartition(".")[2]
    return name not in UNREPEATED and not (name == "id" and pa.types.is_string(leaf.type))


def _prunes(leaf: Leaf) -> bool:
    # Query engines do not prune by values in lists. Timestamps in lists have statistics nevertheless, because the time
    # range of a part is computed from them.
    return leaf.column in PRUNING or leaf.path.startswith("metaData.") or pa.types.is_timestamp(leaf.type)

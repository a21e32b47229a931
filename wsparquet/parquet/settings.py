"""The settings of Parquet files: the schema and the options that all files of a table share."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from wsparquet.schema import COMMON_SUFFIX, HEADER, TABLES
from wsparquet.schema.leaves import LeafColumn, leaf_columns

__all__ = [
    "NOT_OWN",
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

# Times of the container say which period it covers, not when the record's events happened.
NOT_OWN = frozenset(field.name for field in COMMON_SUFFIX)

# Columns whose values are nearly all different. A dictionary only adds to the size of their files.
UNREPEATED = frozenset(
    {"visitId", "visitorId", "record_number", "rescued", "record", "url", "referrerUrl", "iPV4", "iPV6"}
    | {"engagementInstanceId"}
)

# Columns by which queries look up rows. Statistics of unsorted texts would only enlarge footers.
PRUNING = frozenset(field.name for field in HEADER.fields) | {"source_file", "record_number"}


@dataclass(frozen=True)
class WriterLimits:
    """The limits of all writers of the process together.

    If buffers hold more than ``buffered`` bytes of Arrow data, the largest buffer is written. At most ``open_files``
    Parquet files are open; the least recently used file is closed before another one is opened. A row group has at most
    ``row_group_rows`` rows. A file is closed after ``file_writes`` writes, since its footer grows in memory with each.

    Peak memory with one job, for a 1 GB file and a 100 MB file: 330 and 209 MiB with 96 MiB of buffers, which the
    smaller file never fills; 146 and 132 MiB with 8 MiB and 8 writes; 132 and 124 MiB with 8 MiB and 4 writes. Larger
    buffers would save little: 8 sources of 50 MB take 72 writes for 56 files already.
    """

    buffered: int = 8 << 20
    open_files: int = 64
    row_group_rows: int = 1 << 20
    file_writes: int = 4


class Leaf(NamedTuple):
    """A Parquet column: its path in the file, its Arrow type, and the table's column that contains it."""

    path: str
    type: pa.DataType
    column: str


@functools.cache
def leaves(table: str) -> tuple[Leaf, ...]:
    """Return the Parquet columns of a table's files, in order."""
    return tuple(_leaf(found) for found in leaf_columns(TABLES[table].schema))


def _leaf(found: LeafColumn) -> Leaf:
    steps = ["list.element" if step is None else step for step in found.steps]
    return Leaf(".".join(steps), found.field.type, steps[0])


@functools.cache
def own_timestamps(table: str) -> tuple[int, ...]:
    """Return the indices of the table's own timestamps among the Parquet columns of a file."""
    return tuple(
        index
        for index, leaf in enumerate(leaves(table))
        if pa.types.is_timestamp(leaf.type) and leaf.column not in NOT_OWN
    )


@functools.cache
def file_schema(table: str) -> pa.Schema:
    """Return the table's schema without metadata, since every footer would repeat the descriptions."""
    return pa.schema([_bare(field) for field in TABLES[table].schema])


def _bare(field: pa.Field) -> pa.Field:
    return pa.field(field.name, _bare_type(field.type), nullable=True)


def _bare_type(data_type: pa.DataType) -> pa.DataType:
    if isinstance(data_type, pa.StructType):
        return pa.struct([_bare(data_type.field(index)) for index in range(data_type.num_fields)])
    if isinstance(data_type, pa.ListType):
        return pa.list_(pa.field("element", _bare_type(data_type.value_type), nullable=True))
    return data_type


@dataclass(frozen=True)
class FileSettings:
    """The settings of a table's files, for every writer. Other options, such as page sizes, keep the writer's default.

    ``dictionary`` and ``statistics`` list the columns that have them, by their Parquet paths. Statistics have complete
    bounds, for each row group and, with ``page_index``, for each page. ``arrow_schema`` says whether the footer also
    contains the Arrow schema. ``root`` is the name of the Parquet schema's root.

    Measured with 3,000 generated records of each table, against pyarrow's defaults with zstd level 1: files are 11 %
    smaller, footers have 50 KB instead of 143 KB (86 KB of that are the doc texts and the Arrow schema), and writing
    takes 8 % less CPU time. For the columns without a dictionary, a dictionary made files 7 % (URLs) to 135 %
    (record_number) larger and slower to write. For other columns it halves the size (names, user agents) or changes
    little.

    Measured again with one file of 50 MB, seven runs, relative to these settings (CPU time, bytes):

    - without compression 0.83 and 4.20, LZ4 0.90 and 1.61, zstd level -1 0.97 and 1.35, level 3 1.08 and 1.04
    - no dictionary 1.00 and 1.16, a dictionary everywhere 1.06 and 1.13, dictionaries of up to 4 MiB 1.02 and 1.00
    - neither statistics nor page index 0.98 and 0.99, statistics everywhere 1.05 and 1.01
    - data pages of version 2 0.99 and 1.36, of 128 KiB 1.03 and 1.08, of 8 MiB 1.01 and 0.99

    Half of the time goes into definition and repetition levels, which no setting changes.

    The native writer, measured in the same way with nine runs, relative to itself with these settings: level 2 takes
    1.05 and 1.01, level 3 1.15 and 1.04; no dictionary 1.05 and 1.16, a dictionary everywhere 1.15 and 1.13; no
    statistics 0.99 and 1.00, statistics everywhere 1.11 and 1.01; pyarrow's writer 1.49 and 1.00.
    """

    dictionary: tuple[str, ...]
    statistics: tuple[str, ...]
    row_group_rows: int
    compression: str = "zstd"
    compression_level: int = 1
    page_index: bool = True
    arrow_schema: bool = False
    root: str = "schema"


@functools.cache
def file_settings(table: str, *, row_group_rows: int = WriterLimits.row_group_rows) -> FileSettings:
    """Return the settings of a table's files."""
    return FileSettings(dictionary_columns(table), statistics_columns(table), row_group_rows)


@functools.cache
def native_options(settings: FileSettings) -> str:
    """Return the settings as JSON text for the native writer, with the members of the data class."""
    return json.dumps(asdict(settings))


def writer_options(table: str) -> dict[str, Any]:
    """Return the options of ``pyarrow.parquet.ParquetWriter`` for a table's files."""
    settings = file_settings(table)
    return {
        "compression": settings.compression,
        "compression_level": settings.compression_level,
        "store_schema": settings.arrow_schema,
        "write_page_index": settings.page_index,
        "use_dictionary": list(settings.dictionary),
        "write_statistics": list(settings.statistics),
    }


@functools.cache
def dictionary_columns(table: str) -> tuple[str, ...]:
    """Return the paths of the Parquet columns with a dictionary."""
    return tuple(leaf.path for leaf in leaves(table) if _repeats(leaf))


@functools.cache
def statistics_columns(table: str) -> tuple[str, ...]:
    """Return the paths of the Parquet columns with statistics."""
    return tuple(leaf.path for leaf in leaves(table) if _prunes(leaf))


def _repeats(leaf: Leaf) -> bool:
    if pa.types.is_timestamp(leaf.type):
        return leaf.column in NOT_OWN
    name = leaf.path.rpartition(".")[2]
    return name not in UNREPEATED and not (name == "id" and pa.types.is_string(leaf.type))


def _prunes(leaf: Leaf) -> bool:
    # Engines do not prune by values in lists, but a part's time range comes from the statistics of its timestamps.
    return leaf.column in PRUNING or leaf.path.startswith("metaData.") or pa.types.is_timestamp(leaf.type)

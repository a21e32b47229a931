"""`pyarrow.json` and `pyarrow.compute`: typed batches of containers, flattened and rebuilt column by column.

Otherwise: the tagged types are given, so another tag is lost silently; one source's tables are in memory at a time; no
`record_number`, no `rescued`, no quarantine, no commit.
"""

# ruff: noqa: D102 - the methods are described in benchmarks.tagged.Dialect

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from benchmarks.tagged import CONTAINER, RecordType, instant_of, record_types, unwrapped_columns

PACKAGES = ("pyarrow",)
_BLOCK = 16 << 20
_MILLISECOND, _INSTANT = pa.timestamp("ms", "UTC"), pa.timestamp("us", "UTC")


class Columns:
    """Arrow arrays, one value a row."""

    def get(self, struct: pa.Array, key: str) -> pa.Array:
        return pc.struct_field(struct, key)

    def first(self, options: Sequence[pa.Array]) -> pa.Array:
        return options[0] if len(options) == 1 else pc.coalesce(*options)

    def struct(self, members: dict[str, pa.Array], *, present: pa.Array) -> pa.Array:
        return pa.StructArray.from_arrays(list(members.values()), list(members), mask=present.is_null())

    def mapped(self, items: pa.Array, each: Callable[[pa.Array], pa.Array]) -> pa.Array:
        lengths = pc.fill_null(pc.list_value_length(items), 0)
        ends = pc.cumulative_sum(lengths)
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends.cast(pa.int32())])
        return pa.ListArray.from_arrays(offsets, each(pc.list_flatten(items)), mask=items.is_null())

    def instant(self, milliseconds: pa.Array) -> pa.Array:
        return milliseconds.cast(_MILLISECOND).cast(_INSTANT)

    def branch(self, options: Sequence[tuple[str, pa.Array]]) -> pa.Array:
        conditions = pa.StructArray.from_arrays(
            [value.is_valid() for _, value in options], [name for name, _ in options]
        )
        return pc.case_when(conditions, *(pa.scalar(name) for name, _ in options))

    def earliest(self, items: pa.Array, field: str) -> pa.Array:
        values = pc.struct_field(pc.list_flatten(items), field).cast(pa.int64())
        pairs = pa.table({"row": pc.list_parent_indices(items), "value": values})
        least = pairs.group_by("row").aggregate([("value", "min")])
        at = pc.index_in(pa.array(range(len(items)), pa.int64()), least["row"].combine_chunks())
        return least["value_min"].combine_chunks().take(at).cast(_INSTANT)


def _tables(batch: pa.RecordBatch, name: str) -> Iterator[tuple[RecordType, pa.Table]]:
    """The rows of a batch of containers, table by table, with their ``date``."""
    records = pc.struct_field(batch.column("recordCollection"), "array")
    bodies = pc.struct_field(pc.list_flatten(records), "body")
    metadata = batch.column("metaData").take(pc.list_parent_indices(records))
    for record in record_types():
        body = pc.struct_field(bodies, record.tag)
        mine = body.is_valid()
        columns = unwrapped_columns(record, body.filter(mine), metadata.filter(mine), Columns())
        instant = instant_of(record, columns.__getitem__, Columns())
        names = pa.repeat(name, len(instant))
        yield record, pa.table({**columns, "source_file": names, "date": instant.cast(pa.date32())})


def _convert(source: Path, output: Path) -> None:
    options = pj.ParseOptions(explicit_schema=CONTAINER, unexpected_field_behavior="ignore")
    tables: dict[str, list[pa.Table]] = defaultdict(list)
    with pa.input_stream(source, compression="gzip") as text:
        for batch in pj.open_json(text, pj.ReadOptions(block_size=_BLOCK), options):
            for record, rows in _tables(batch, source.name):
                tables[record.table].append(rows)
    for table, parts in tables.items():
        _write(pa.concat_tables(parts), output / f"record_type={table}", source.stem)


def _write(rows: pa.Table, folder: Path, name: str) -> None:
    for day in pc.unique(rows["date"]):
        target = folder / f"date={day}"
        target.mkdir(parents=True, exist_ok=True)
        mine = rows.filter(pc.equal(rows["date"], day)).drop_columns("date")
        pq.write_table(mine, target / f"{name}.parquet", compression="zstd", compression_level=1)


def convert(sources: Sequence[Path], output: Path) -> None:
    """Write the tables of all sources, one after the other."""
    for source in sources:
        _convert(source, output)

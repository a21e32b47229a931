"""Plain Python: `json`, a recursive unwrapping of tags, `pyarrow.Table.from_pylist` and `pyarrow.parquet`.

Otherwise: whatever does not fit fails all; unknown keys are dropped silently; one source's rows are in memory at once;
one core; no `record_number`, no `rescued`, no quarantine, no commit; the schema is wsparquet's.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.tagged import RecordType, record_types
from wsparquet.parquet.settings import file_schema

PACKAGES = ("pyarrow",)
_PRIMITIVES = {"string", "int", "long", "float", "double", "boolean", "array", "map"}
_UNIONS = {"data": "data", "goalMetaData": "goalMetaData"}
_SPELLINGS = {
    "search Engine": "searchEngine",
    "search EngineKey": "searchEngineKey",
    "CustomerDateOfBirth": "customerDateOfBirth",
    "OriginatingChannel": "originatingChannel",
}
_BRANCHES = {"cartStatus": "cart", "leadMetaData": "leadMetadata", "serviceActivityMetaData": "serviceActivityMetadata"}
_TIMES = {"timestamp", "sessionStartTime", "startTime", "endTime"}
_US = 1_000_000
Row = dict[str, Any]


def unwrapped(value: Any) -> Any:
    """The value without the tags in it."""
    if isinstance(value, list):
        return [unwrapped(item) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        key, inner = next(iter(value.items()))
        if key in _PRIMITIVES or "." in key:
            return unwrapped(inner)
    return {_SPELLINGS.get(key, key): _member(key, child) for key, child in value.items()}


def _member(key: str, value: Any) -> Any:
    if key not in _UNIONS or value is None:
        plain = unwrapped(value)
        return plain * 1000 if key in _TIMES and plain is not None else plain  # milliseconds to microseconds
    ((tag, inner),) = value.items()
    branch = tag.rpartition(".")[2]
    child = branch[0].lower() + branch[1:]
    return {"type": branch, _BRANCHES.get(child, child): unwrapped(inner)}


def _day(row: Row, record: RecordType) -> str:
    time, start = record.time or "", row["metaData"]["startTime"]
    holders = [row] if record.flat else row[record.payload.name]
    instant = min((held[time] for held in holders or () if held.get(time)), default=start)
    return datetime.fromtimestamp(instant / _US, UTC).strftime("%Y-%m-%d")


def _rows(source: Path) -> dict[tuple[str, str], list[Row]]:
    types = {record.tag: record for record in record_types()}
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    with gzip.open(source, "rb") as lines:
        for line in lines:
            container = json.loads(line)
            metadata = unwrapped(container["metaData"])
            for item in container["recordCollection"]["array"]:
                ((tag, body),) = item["body"].items()
                record, body = types[tag], unwrapped(body)
                row = body.pop("header") | (body[record.payload.keys[0]] if record.flat else body)
                row |= {"metaData": metadata, "source_file": source.name}
                rows[record.table, _day(row, record)].append(row)
    return rows


def convert(sources: Sequence[Path], output: Path) -> None:
    """Write the tables of all sources, one after the other."""
    for source in sources:
        for (table, day), rows in _rows(source).items():
            folder = output / f"record_type={table}" / f"date={day}"
            folder.mkdir(parents=True, exist_ok=True)
            columns = pa.Table.from_pylist(rows, schema=file_schema(table))
            pq.write_table(columns, folder / f"{source.stem}.parquet", compression="zstd", compression_level=1)

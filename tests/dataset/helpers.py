"""Rows made by hand from the schema, commits made from them, and roots looked at as a stranger would."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.at_rest import files_below
from wsparquet.commit import Commit, CommitFacts, Text
from wsparquet.dataset import Root
from wsparquet.layout import Identity
from wsparquet.schema import TABLES

START = 1467291600000
DAY = 86_400_000
API_NAME = "WebSession.1467291600000.1467295200000.part-00000-0"
IDENTITY = Identity("75555851", API_NAME)


def make_value(data_type: pa.DataType, chance: random.Random, *, start: int = START, span: int = 3 * DAY) -> Any:
    """A value of the type: sometimes null, an empty list, a struct of nulls, or an extreme."""
    if chance.random() < 0.25:
        return None
    if isinstance(data_type, pa.StructType):
        fields = [data_type.field(index) for index in range(data_type.num_fields)]
        empty = chance.random() < 0.15
        return {
            field.name: None if empty else make_value(field.type, chance, start=start, span=span) for field in fields
        }
    if isinstance(data_type, pa.ListType):
        return [make_value(data_type.value_type, chance, start=start, span=span) for _ in range(chance.randrange(4))]
    if pa.types.is_timestamp(data_type):
        return start * 1000 + chance.randrange(span * 1000)  # in microseconds
    if pa.types.is_boolean(data_type):
        return chance.random() < 0.5
    if pa.types.is_floating(data_type):
        return chance.choice([-1.0, 0.1, 1e300, chance.random()])
    if pa.types.is_integer(data_type):
        bound = 2 ** (data_type.bit_width - 1)
        return chance.choice([-bound, bound - 1, chance.randrange(1000)])
    return chance.choice(["", "a", "\u2028", "naïve 🎈", f"{chance.randrange(1 << 40):x}"])


def make_rows(table: str, count: int, *, seed: int = 0, start: int = START, span: int = 3 * DAY) -> pa.RecordBatch:
    """Rows of a table, each with its number; some with no timestamp at all."""
    chance = random.Random(f"{table} {seed}")
    schema = TABLES[table].schema
    rows = []
    for number in range(count):
        row = {field.name: make_value(field.type, chance, start=start, span=span) for field in schema}
        rows.append(row | {"record_number": number, "source_file": f"file {seed}"})
    return pa.RecordBatch.from_pylist(rows, schema=schema)


texts = (Text(f"{number:064x}", number) for number in itertools.count())
"""Texts that differ from each other, so that commits are twins only if a test wants them to be."""


def facts(checksum: str = "ab" * 32, **changes: Any) -> CommitFacts:
    """What is known of a source; its text is a new one unless it is given."""
    changes.setdefault("text", next(texts))
    known = {"size": 10, "url": "file:///x.gz", "etag": None, "mtime": "1", "source_name": f"{API_NAME}.gz"}
    return CommitFacts(**{"checksum": checksum, "report": {"records": 1}, **known, **changes})


def put(
    root: Root, identity: Identity = IDENTITY, *, seed: int = 0, count: int = 20, tables: tuple[str, ...] = ("geo",)
) -> Commit:
    """Commit rows of some tables under an identity, whatever is there now."""
    with root.begin(fallback_day_ms=None) as attempt:
        for table in tables:
            attempt.write(table, make_rows(table, count, seed=seed))
        before = root.commits().get(identity)
        return attempt.commit(identity, facts(f"{seed:064x}"), expected=before)


def data_files(root: Path) -> list[str]:
    """Whatever file lies in the tables' folders."""
    return [path for path in files_below(root) if path.startswith("record_type=")]


def leftovers(root: Path) -> list[str]:
    """Whatever file a root at rest should not hold, beside data and records."""
    return [
        path
        for path in files_below(root)
        if path.startswith(("_wsparquet/tmp/", "_wsparquet/intents/", "_wsparquet/day_intents/"))
    ]


def rows_on_disk(root: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row that lies in a table's folder, by table, sorted; read file by file, the records not asked."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for path in data_files(root):
        table = path.split("/")[0].removeprefix("record_type=")
        rows.setdefault(table, []).extend(pq.ParquetFile(root / path).read().to_pylist())
    return {table: sorted(found, key=repr) for table, found in rows.items()}

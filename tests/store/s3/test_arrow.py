"""wsparquet/store/s3/arrow.py: what Arrow reads from a bucket, request by request and byte by byte."""

from __future__ import annotations

import io
import random

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.dataset.helpers import put
from tests.store.s3.lake import Lake
from tools.s3.proxy import Answer, Proxy
from wsparquet import open_dataset
from wsparquet.store.s3.arrow import SMALL_BYTES

COLUMNS = [f"column {number}" for number in range(8)]


class Read:
    """The requests for objects, and the bytes of their answers, from now on."""

    def __init__(self, proxy: Proxy) -> None:
        self.methods: list[str] = []
        self.bytes = 0
        proxy.settings.rewrite = self._note

    def _note(self, method: str, path: str, answer: Answer) -> Answer:
        if ".parquet" in path:
            self.methods.append(method)
            self.bytes += len(answer.body)
        return answer


def written(bucket: Lake, rows: int) -> int:
    """Put a file with random numbers, which take 8 bytes each, and return its size."""
    chance = random.Random(1)
    columns = {name: pa.array([chance.getrandbits(62) for _ in range(rows)]) for name in COLUMNS}
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, use_dictionary=False)
    bucket.bucket.put("lake/x.parquet", file.getvalue())
    return len(file.getvalue())


def dataset(bucket: Lake, size: int) -> ds.Dataset:
    """The file as a dataset, as those of tables are made."""
    filesystem, base = bucket.open().store.arrow({"x.parquet": size})
    schema = pa.schema([(name, pa.int64()) for name in COLUMNS])
    return ds.FileSystemDataset.from_paths(
        [f"{base}/x.parquet"], schema=schema, format=ds.ParquetFileFormat(), filesystem=filesystem
    )


def test_one_column_of_a_large_part_costs_no_other_bytes(bucket: Lake, proxy: Proxy) -> None:
    """The footer and the column are read, and nothing asks for the size."""
    size = written(bucket, 50_000)
    assert size > 3 * SMALL_BYTES
    read = Read(proxy)
    found = dataset(bucket, size).to_table(columns=[COLUMNS[2]])
    assert found.num_rows == 50_000
    assert {*read.methods} == {"GET"}
    assert (len(read.methods) <= 5, read.bytes < size / 4) == (True, True)


def test_a_small_part_is_read_at_once(bucket: Lake, proxy: Proxy) -> None:
    """Its footer and all of its columns."""
    size = written(bucket, 500)
    read = Read(proxy)
    assert dataset(bucket, size).to_table().num_rows == 500
    assert read.methods == ["GET"]


def test_nothing_asks_for_the_sizes_of_parts(bucket: Lake, proxy: Proxy) -> None:
    """They are in the commit records."""
    put(bucket.open(), seed=1, count=50, tables=("geo",))
    read = Read(proxy)
    assert open_dataset(bucket.url, storage_options=bucket.options).table("geo").to_table().num_rows == 50
    assert {*read.methods} == {"GET"}


def test_a_part_that_is_gone_is_missed(bucket: Lake) -> None:
    """By whoever reads it: a later commit may have replaced it since the dataset was opened."""
    size = written(bucket, 500)
    rows = dataset(bucket, size)
    bucket.bucket.delete("lake/x.parquet")
    with pytest.raises(FileNotFoundError, match=r"so open the dataset again: 's3://.*x\.parquet'"):
        rows.to_table()

"""wsparquet/store/s3/store.py: many objects at once, and how long a bucket for raw files may fail to answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.s3.lake import Lake
from tools.s3.proxy import Proxy
from wsparquet.errors import DatasetError
from wsparquet.store.s3 import store as store_module
from wsparquet.synchronisation import raw_files
from wsparquet.synchronisation.raw_files import make_shelf


@pytest.mark.parametrize("count", [0, 2, 3, 4, 7])
def test_objects_are_read_in_order_however_many(lake: Lake, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many objects as one round reads, fewer and more: each is there once, and those that are missing are not."""
    monkeypatch.setattr(store_module, "READ_AT_ONCE", 3)
    store = lake.open().store
    paths = [f"x/{number}" for number in range(count)]
    for path in paths:
        lake.bucket.put(f"lake/{path}", path.encode())
    asked = [each for path in paths for each in (path, f"{path}.missing")]
    assert list(store.read_all(asked)) == [(path, path.encode()) for path in paths]
    assert list(store.read_below("x")) == [(path, path.encode()) for path in paths]


def test_a_bucket_for_raw_files_may_fail_for_a_while(
    lake: Lake, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket that answers within the time is used; one that does not is an error before anything is downloaded."""
    assert raw_files.CHECK_SECONDS == 60.0
    proxy.settings.probability, proxy.settings.kinds, proxy.settings.most_in_a_row = 1.0, ("slow-down",), 8
    raw = f"{lake.bucket.url}/raw"
    assert make_shelf(raw, account="1", scratch=tmp_path, storage_options=lake.options).keeps
    assert proxy.faults()["slow-down"] == 8
    monkeypatch.setattr(raw_files, "CHECK_SECONDS", 0.05)
    proxy.settings.most_in_a_row = 1_000_000
    with pytest.raises(DatasetError, match="SlowDown"):
        make_shelf(raw, account="1", scratch=tmp_path, storage_options=lake.options)

"""Erasing people in a bucket: the same rows go as on a disk, and no object has an id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import wsparquet
from tests.erasure.people import CUSTOMER, NUMBER, VISIT, VISITOR, rows, traces, without
from tests.store.s3.lake import Lake
from wsparquet.dataset import Access, Root


def test_an_erasure_in_a_bucket(bucket: Lake, raw: Path, tmp_path: Path) -> None:
    """From own parts and merged ones; converted again, the person stays away."""
    options: dict[str, Any] = {"storage_options": bucket.options}
    wsparquet.convert(raw, to=bucket.url, **options)
    before = rows(bucket.url, **options)
    wsparquet.compact(bucket.url, min_files=2, **options)
    dry = wsparquet.erase(bucket.url, visitors=[VISITOR, NUMBER], customers=CUSTOMER, **options)
    done = wsparquet.erase(bucket.url, visitors=[VISITOR, NUMBER], customers=CUSTOMER, yes=True, **options)
    assert (done.erased, done.rewritten) == (dry.erased, dry.rewritten)
    wsparquet.convert(raw, to=bucket.url, again=True, **options)
    after = rows(bucket.url, **options)
    assert after == without(before, VISITOR, VISIT, CUSTOMER, NUMBER)
    assert len(after) < len(before)
    store = Root.open(bucket.url, create=False, access=Access(bucket.options)).store
    for entry in store.entries(""):
        path = tmp_path / "copy" / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.read(entry.path) or b"")
    assert traces(tmp_path / "copy", VISITOR, CUSTOMER, NUMBER) == set()
    assert wsparquet.verify(bucket.url, against=raw, **options).problems == []

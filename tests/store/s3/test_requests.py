"""How many requests a conversion to a bucket sends: the figures of docs/scaling.md, from which people plan costs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import wsparquet
from tests.store.s3.lake import Lake
from tools.s3.proxy import Proxy
from wsparquet.generate import GenerateOptions, generate

TABLES = 7
PARTS_AND_RECORDS = TABLES + 2
"""The objects of a source: a part for each table, the intent and the commit record."""


@pytest.mark.long
def test_requests_for_each_source_and_each_run(lake: Lake, proxy: Proxy, tmp_path: Path) -> None:
    """A source with rows in all tables writes nine objects and deletes one; what else is asked is few and bounded."""
    generate(tmp_path / "raw", GenerateOptions(files=12, size=40_000))
    sources = sorted((tmp_path / "raw").iterdir())

    def requests(count: int, *, new: int) -> Counter[str]:
        proxy.log.clear()
        done = wsparquet.convert(sources[:count], lake.url, storage_options=lake.options)
        assert (len(done.committed), len(done.rows)) == (new, TABLES if new else 0)
        return Counter(method for method, _, _ in proxy.log)

    first, more, none = requests(4, new=4), requests(12, new=8), requests(12, new=0)
    # The first run writes root.json, too. Four writes and one deletion ask whether the store honours conditions.
    assert first["PUT"] == 4 * PARTS_AND_RECORDS + 4 + 1
    assert more["PUT"] == 8 * PARTS_AND_RECORDS + 4
    assert none["PUT"] == 4
    assert (more["DELETE"], none["DELETE"]) == (8 + 1, 1)
    assert set(more) == {"GET", "PUT", "DELETE"}
    # There is no checkpoint yet, so each run reads all 12 commit records, one GET for each.
    assert none["GET"] <= 20 + 12
    assert more["GET"] - none["GET"] <= 8 * 8

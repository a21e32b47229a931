"""Published roots on S3: as on a disk, and right if answers of the store are lost."""

from __future__ import annotations

from dataclasses import replace

from tests.iceberg.helpers import OTHER, assert_published, properties, published, put
from tests.store.s3.lake import Lake
from tools.s3.proxy import Proxy
from wsparquet import publish
from wsparquet.iceberg.publishing import publish_changes

TABLES = ("geo", "navigation")


def test_a_root_on_s3(bucket: Lake) -> None:
    """Published, changed and published again, ended: as on a disk."""
    root, options = bucket.open(), properties(bucket)
    put(root, seed=1, tables=TABLES)
    publish(bucket.url, storage_options=bucket.options)
    assert_published(root, options, storage=bucket.options, tables=TABLES)
    put(root, seed=2)
    put(root, OTHER, seed=3)
    publish_changes(bucket.open())
    assert_published(root, options, storage=bucket.options, tables=TABLES)
    assert len(published(bucket.url, "geo", options).snapshots()) == 2
    publish(bucket.url, storage_options=bucket.options, stop=True)
    assert bucket.keys("_wsparquet/iceberg") == bucket.keys("_wsparquet/retired") == []


def test_each_fault_once_at_every_request(bucket: Lake, proxy: Proxy) -> None:
    """Each answer is lost once: a version that the publisher has created is its own, and nothing is added twice."""
    root = bucket.open()
    put(root, seed=1)
    proxy.settings = replace(proxy.settings, probability=1.0, kinds=("lost-answer",), most_in_a_row=1)
    publish(bucket.url, storage_options=bucket.options)
    proxy.settings.probability = 0.0
    assert_published(root, properties(bucket), storage=bucket.options, tables=TABLES)
    assert len(published(bucket.url, "geo", properties(bucket)).snapshots()) == 1

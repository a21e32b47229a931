"""Published roots on S3: as on a disk, and right whenever the store goes away or is slow with its answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.iceberg.helpers import OTHER, assert_published, counting_files, files_of, properties, published, put
from tests.scale import scaled
from tests.store.s3.lake import Lake
from tools.s3.proxy import Proxy
from wsparquet import publish
from wsparquet.errors import DatasetError
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


def test_a_store_that_goes_away_at_any_request(bucket: Lake, proxy: Proxy) -> None:
    """From the n-th request on nothing answers: readers see the tables before or after, and the next run ends it."""
    root, options = bucket.open(), properties(bucket)
    put(root, seed=0)
    publish(bucket.url, storage_options=bucket.options)
    step, failed = 1, 0
    while True:
        before = files_of(published(bucket.url, "geo", options))
        put(bucket.open(), seed=step)
        impatient = bucket.open(patience_seconds=0.05)
        proxy.settings.dead_from = len(proxy.log) + step
        try:
            publish_changes(impatient)
        except DatasetError:
            failed += 1
        else:
            break
        finally:
            proxy.settings.dead_from = None
        found = files_of(published(bucket.url, "geo", options))
        assert found in (before, counting_files(root, "geo", bucket.options))
        assert {file.removeprefix(f"{bucket.url}/") for file in found} <= set(bucket.data_files())
        step += scaled(1, 31)
    assert failed >= scaled(40, 2)
    publish_changes(bucket.open())
    assert_published(bucket.open(), options, storage=bucket.options, tables=TABLES)


def test_each_fault_once_at_every_request(bucket: Lake, proxy: Proxy) -> None:
    """Each answer is lost once: a version that the publisher has created is its own, and nothing is added twice."""
    root = bucket.open()
    put(root, seed=1)
    proxy.settings = replace(proxy.settings, probability=1.0, kinds=("lost-answer",), most_in_a_row=1)
    publish(bucket.url, storage_options=bucket.options)
    proxy.settings.probability = 0.0
    assert_published(root, properties(bucket), storage=bucket.options, tables=TABLES)
    assert len(published(bucket.url, "geo", properties(bucket)).snapshots()) == 1


def test_a_store_without_conditional_writes_is_for_one_writer(bucket: Lake, proxy: Proxy) -> None:
    """With that promise, versions and the hint are compared before they are written."""
    root = bucket.open()
    put(root, seed=1)
    proxy.settings.conditions = "refused"
    with pytest.raises(DatasetError, match="single_writer"):
        publish(bucket.url, storage_options=bucket.options)
    publish(bucket.url, storage_options=bucket.options, single_writer=True)
    put(bucket.open(single_writer=True), seed=2)
    publish(bucket.url, storage_options=bucket.options, single_writer=True)
    assert_published(root, properties(bucket), storage=bucket.options, tables=TABLES)

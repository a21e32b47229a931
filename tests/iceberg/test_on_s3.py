"""Published roots on S3: as on a disk, and right if answers of the store are lost."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.iceberg.helpers import OTHER, assert_published, counting_files, files_of, properties, published, put
from tests.scale import FULL, scaled
from tests.store.s3.lake import Lake
from tests.store.s3.waits import shorten
from tests.store.s3.workload import Forks, forking, killing
from tests.support.tables import FEW, few_tables
from tools.s3.proxy import Proxy
from wsparquet import publish
from wsparquet.dataset import Root
from wsparquet.errors import DatasetError
from wsparquet.iceberg.files import StoreFiles
from wsparquet.iceberg.in_root import TablesInRoot
from wsparquet.iceberg.parts import parts_by_location
from wsparquet.iceberg.publishing import publish_changes
from wsparquet.iceberg.snapshots import Current, Difference, next_snapshot


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that fail are tried as often as ever, with shorter waits."""
    shorten(monkeypatch)


def test_a_root_on_s3(bucket: Lake) -> None:
    """Published, changed and published again, ended: as on a disk."""
    root, options = bucket.open(), properties(bucket)
    put(root, seed=1, tables=FEW)
    publish(bucket.url, storage_options=bucket.options)
    assert_published(root, options, storage=bucket.options, tables=FEW)
    put(root, seed=2)
    put(root, OTHER, seed=3)
    publish_changes(bucket.open())
    assert_published(root, options, storage=bucket.options, tables=FEW)
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
    assert_published(root, properties(bucket), storage=bucket.options, tables=FEW)
    assert len(published(bucket.url, "geo", properties(bucket)).snapshots()) == 1


# --- The store goes away, or the publisher is killed ------------------------------------------------------------------


@pytest.fixture
def changed(bucket: Lake, proxy: Proxy) -> Iterator[Changed]:
    """A root of which two tables are published."""
    with few_tables():
        yield Changed(bucket, proxy)


class Changed:
    """A published root with changes that are not published, as often as needed: metadata has absolute paths."""

    def __init__(self, lake: Lake, proxy: Proxy) -> None:
        self.lake = lake
        self._proxy = proxy
        root = lake.open()
        put(root, seed=1, tables=FEW)
        put(root, OTHER, seed=2)
        publish(lake.url, storage_options=lake.options)
        put(root, seed=3, tables=FEW)
        put(root, OTHER, seed=4)
        self.before = self.files()
        self.after = {name: counting_files(root, name, lake.options) for name in FEW}
        self._objects = {key: lake.bucket.get(f"lake/{key}") for key in lake.keys("")}

    def files(self) -> dict[str, list[str]]:
        """The files that a reader of each table finds."""
        return {name: files_of(published(self.lake.url, name, properties(self.lake))) for name in FEW}

    def reset(self) -> None:
        """Restore the bucket."""
        for key in {*self.lake.keys("")} - self._objects.keys():
            self.lake.bucket.delete(f"lake/{key}")
        for key, data in self._objects.items():
            self.lake.bucket.put(f"lake/{key}", data)

    def steps(self) -> Iterator[int]:
        """The numbers of all requests that publishing makes, or some of them, each with the bucket restored."""
        before = len(self._proxy.log)
        publish_changes(self.lake.open())
        count = len(self._proxy.log) - before
        assert count > 20
        for step in range(1, count + 1, scaled(1, count // 3)):
            self.reset()
            yield step

    def check(self) -> None:
        """Assert that each table is whole, old or new, and that the next run publishes the rest."""
        found = self.files()
        assert all(found[name] in (self.before[name], self.after[name]) for name in FEW)
        named = {location.removeprefix(f"{self.lake.url}/") for files in found.values() for location in files}
        assert named <= {*self.lake.keys("")}
        publish_changes(self.lake.open())
        assert_published(self.lake.open(), properties(self.lake), storage=self.lake.options, tables=FEW)


@pytest.mark.skipif(not FULL, reason="small runs kill a publisher instead; part of make test-full")
def test_a_store_that_goes_away_at_any_request(changed: Changed, proxy: Proxy) -> None:
    """From the n-th request on nothing answers: publishing fails, tables stay whole, and a second run ends it."""
    failed = 0
    for step in changed.steps():
        root = changed.lake.open(patience_seconds=0.05)
        proxy.settings.dead_from = len(proxy.log) + step
        failed += not published_without_error(root)
        proxy.settings.dead_from = None
        changed.check()
    assert failed >= 20


def published_without_error(root: Root) -> bool:
    """Publish, and return whether that was possible."""
    try:
        publish_changes(root)
    except DatasetError:
        return False
    return True


def test_a_publisher_that_is_killed_at_any_request(changed: Changed, proxy: Proxy) -> None:
    """Killed just before or after a request was done: readers see whole tables, and a second run ends it."""
    killed = 0
    with forking("tests.support.tables") as forks:
        for number, step in enumerate(changed.steps()):
            killed += killed_at(changed.lake, proxy, forks, step, ("before", "after")[number % 2])
            changed.check()
    assert killed >= scaled(20, 2)


def killed_at(lake: Lake, proxy: Proxy, forks: Forks, step: int, moment: str) -> bool:
    """Publish in a process that is killed at a request, and return whether that happened."""
    with killing(proxy, step, moment) as process:
        process.set_result(forks.start("publish", lake.url, lake.endpoint))
        code = forks.wait()
    assert code in {0, -signal.SIGKILL}
    return code != 0


def test_a_manifest_that_cannot_be_stored_is_not_stored_later(bucket: Lake, proxy: Proxy) -> None:
    """No request is made when Python deletes what pyiceberg has left open: the thread of requests may delete it."""
    put(bucket.open(), seed=1)
    publish(bucket.url, storage_options=bucket.options)
    root = bucket.open(patience_seconds=0.05)
    files, state = StoreFiles(root), TablesInRoot(root).load("geo")
    parts = parts_by_location(root, files.base)["geo"]
    proxy.settings.dead_from = len(proxy.log)
    with pytest.raises(DatasetError, match="cannot write"):
        next_snapshot(state.metadata, Current(), Difference(parts, ()), files)
    seen = len(proxy.log)
    gc.collect()
    assert len(proxy.log) == seen

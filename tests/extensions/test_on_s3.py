"""`extend` on S3: killed at any request and done again, a root has the rows of a conversion with the extension."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import wsparquet
from tests.drift import EXTENSION
from tests.extensions.roots import compacted, drifted_sources, rows
from tests.scale import scaled
from tests.store.s3.lake import Lake
from tests.store.s3.workload import Forks, extend, forking, killing
from tools.s3.proxy import Proxy
from wsparquet import SchemaError


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root without an extension: two sources in day parts, and one with parts of its own."""
    raw = drifted_sources(tmp_path_factory.mktemp("drifted") / "raw", 1, files=3, containers=3)
    root = raw.parent / "plain"
    wsparquet.convert(sorted(raw.iterdir())[:2], to=root).raise_for_failures()
    compacted(root)
    wsparquet.convert(raw, to=root).raise_for_failures()
    return root


@pytest.fixture(scope="module")
def expected(plain: Path) -> dict[str, list[str]]:
    """The rows after an undisturbed run on a disk."""
    root = plain.with_name("extended")
    shutil.copytree(plain, root)
    found = wsparquet.extend(root, EXTENSION)
    assert min(found.sources, found.days, found.values, found.rows) > 0
    return rows(root)


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """A process that forks the processes to kill."""
    with forking("tests.drift") as found:
        yield found


def filled(lake: Lake, plain: Path) -> Lake:
    """A bucket of its own with a copy of the root."""
    new = Lake(lake.bucket.endpoint, lake.endpoint)
    for path in plain.rglob("*"):
        if path.is_file():
            new.bucket.put(f"lake/{path.relative_to(plain).as_posix()}", path.read_bytes())
    return new


def requests(lake: Lake, proxy: Proxy, plain: Path) -> int:
    """How many requests an undisturbed run makes."""
    before = len(proxy.log)
    copy = filled(lake, plain)
    extend(copy.url, copy.endpoint)
    return len(proxy.log) - before


def check(lake: Lake, before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
    """Until it is done again, readers are refused, or find all rows of either schema; then all is extended."""
    with suppress(SchemaError):
        assert rows(lake.url, lake.options) in (before, after)
    extend(lake.url, lake.endpoint)
    assert rows(lake.url, lake.options) == after
    assert wsparquet.verify(lake.url, storage_options=lake.options).problems == []


def test_killed_at_any_request_and_done_again(
    bucket: Lake, proxy: Proxy, forks: Forks, plain: Path, expected: dict[str, list[str]]
) -> None:
    """A process killed just before or after a request was done leaves a root that the next one brings to the end."""
    count, killed, before = requests(bucket, proxy, plain), 0, rows(plain)
    for number, step in enumerate(range(scaled(1, count // 2), count, scaled(7, count))):
        disturbed = filled(bucket, plain)
        with killing(proxy, step, ("before", "after")[number % 2]) as process:
            process.set_result(forks.start("extend", disturbed.url, disturbed.endpoint))
            killed += forks.wait() == -signal.SIGKILL
        check(disturbed, before, expected)
    assert killed >= scaled(20, 1)

"""What all tests share.

Ctrl-C reaches the processes that they start; their files are in memory; an S3 server has a bucket for each test.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.scale import FULL

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 4 << 30

# The fixtures import the server's library, which most tests do not need.
if TYPE_CHECKING:
    from tests.store.s3.lake import Lake
    from tools.s3.proxy import Proxy


def pytest_configure() -> None:
    """Handle SIGINT again if this run was started with SIGINT ignored, as `nohup` and `&` in a script do.

    Processes inherit an ignored signal, and Python then installs no handler: tests of Ctrl-C would wait forever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    use_memory()


# Thousands of tests are collected, and none of them is garbage: the collector would look at all of them many times.
gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage again, but leave the collected tests and the imported modules out of it."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each worker begin with its share of the long tests, so that none of them runs alone at the end.

    xdist gives each worker a part of the tests, one after the other, and moves some from worker to worker at the end.
    """
    workers: int = getattr(config, "workerinput", {}).get("workercount", 1)
    long = [item for item in items if item.get_closest_marker("long")]
    others = [item for item in items if not item.get_closest_marker("long")]
    size = -(-len(items) // workers)
    found: list[pytest.Item] = []
    for worker in range(workers):
        first = long[worker::workers]
        found += first + others[: size - len(first)]
        del others[: size - len(first)]
    items[:] = found


def use_memory() -> None:
    """Let ``tmp_path`` be in memory if there is room and the counts are small.

    A commit syncs some 40 files and folders, and each sync waits for the disk. Tests with full counts use the disk.
    """
    if not FULL and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The URL of moto's server, which runs as long as this process."""
    from tools.s3.server import s3_server

    with s3_server() as address:
        yield address


@pytest.fixture
def proxy(endpoint: str) -> Iterator[Proxy]:
    """A proxy before the server, which notes each request and makes no faults yet."""
    from s3fs import S3FileSystem  # type: ignore[import-untyped]

    from tools.s3.proxy import proxying

    with proxying(endpoint) as found:
        yield found
    # s3fs keeps all file systems, with 14 MB each, for later ones with the same options. No other test has this proxy.
    S3FileSystem.clear_instance_cache()


@pytest.fixture
def bucket(endpoint: str, proxy: Proxy) -> Lake:
    """A root in a bucket of its own, which is reached through the proxy."""
    from tests.store.s3.lake import Lake

    return Lake(endpoint, proxy.url)

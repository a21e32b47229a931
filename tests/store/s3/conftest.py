"""A bucket for each test, and a proxy before its server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.s3.lake import Lake
from tools.s3.proxy import Proxy, proxying


@pytest.fixture
def proxy(endpoint: str) -> Iterator[Proxy]:
    """A proxy before it, without faults yet."""
    with proxying(endpoint) as found:
        yield found


@pytest.fixture
def lake(endpoint: str, proxy: Proxy) -> Lake:
    """A root in a bucket of its own, reached through the proxy, looked at beside it."""
    return Lake(endpoint, proxy.url)

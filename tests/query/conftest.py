"""An S3 server for the tests of this folder, and a bucket before which a proxy notes each request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.s3.lake import Lake
from tools.s3.proxy import Proxy, proxying
from tools.s3.server import s3_server


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The address of moto's server."""
    with s3_server() as address:
        yield address


@pytest.fixture
def proxy(endpoint: str) -> Iterator[Proxy]:
    """A proxy before it."""
    with proxying(endpoint) as found:
        yield found


@pytest.fixture
def bucket(endpoint: str, proxy: Proxy) -> Lake:
    """A root in a bucket of its own, reached through the proxy."""
    return Lake(endpoint, proxy.url)

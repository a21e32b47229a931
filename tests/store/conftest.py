"""An S3 server for all tests of a process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.s3.server import s3_server


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The address of moto's server."""
    with s3_server() as address:
        yield address

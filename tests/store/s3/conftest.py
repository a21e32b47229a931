"""The bucket of each test, as the tests of the store call it."""

from __future__ import annotations

import pytest

from tests.store.s3.lake import Lake


@pytest.fixture
def lake(bucket: Lake) -> Lake:
    """A root in a bucket of its own, reached through the proxy, looked at beside it."""
    return bucket

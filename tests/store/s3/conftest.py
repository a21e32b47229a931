"""The bucket of each test, as the tests of the store call it, and shorter waits of s3fs."""

from __future__ import annotations

import pytest

from tests.store.s3.lake import Lake
from tests.store.s3.waits import shorten


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is tried as often as ever in this process, with shorter waits: s3fs's 1.9 s take 0.04 s in all."""
    shorten(monkeypatch)


@pytest.fixture
def lake(bucket: Lake) -> Lake:
    """A root in a bucket of its own, reached through the proxy, looked at beside it."""
    return bucket

"""The bucket of each test, as the tests of the store call it, and shorter waits of s3fs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import s3fs.core  # type: ignore[import-untyped]

from tests.store.s3.lake import Lake
from wsparquet.store.s3 import bucket as bucket_module
from wsparquet.store.s3.bucket import WAITS

SHARE = 0.02


class Impatient:
    """The module asyncio, with a ``sleep`` that takes a small share of its seconds."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds: float) -> None:
        """Sleep for a share of the seconds."""
        await asyncio.sleep(seconds * SHARE)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is tried as often as ever in this process, with shorter waits: s3fs's 1.9 s take 0.04 s in all."""
    monkeypatch.setattr(s3fs.core, "asyncio", Impatient())
    monkeypatch.setattr(bucket_module, "WAITS", {**WAITS, "wait_initial": 0.01, "wait_jitter": 0.01})


@pytest.fixture
def lake(bucket: Lake) -> Lake:
    """A root in a bucket of its own, reached through the proxy, looked at beside it."""
    return bucket

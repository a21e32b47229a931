"""Full counts and sizes (`make test-full`) or quick ones (`make test`)."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

FULL = os.environ.get("WSPARQUET_TEST_FULL") == "1"


def scaled(full: T, quick: T) -> T:
    """The count or size to use: ``full`` under `make test-full`, else ``quick``."""
    return full if FULL else quick

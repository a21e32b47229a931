"""wsparquet/cli/terminal.py."""

from __future__ import annotations

import pytest

from wsparquet.cli.terminal import human_bytes


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1024**2, "1.0 MiB"),
        (64 * 1024**3, "64.0 GiB"),
        (1024**4, "1.0 TiB"),
        (5000 * 1024**4, "5000.0 TiB"),
    ],
)
def test_bytes_for_people(count: int, text: str) -> None:
    """Sizes have one decimal in powers of 1024, bytes none, and TiB is the last unit."""
    assert human_bytes(count) == text

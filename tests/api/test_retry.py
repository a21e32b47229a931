"""wsparquet/api/retry.py: how long a client waits between two tries."""

from __future__ import annotations

import pytest

from wsparquet.api import ApiOptions
from wsparquet.api.faults import Transient
from wsparquet.api.retry import JITTER, LONGEST_PAUSE, _Patience
from wsparquet.errors import ApiError


@pytest.mark.parametrize(
    ("pause", "expected"),
    [(5.0, [5, 10, 15, 30, 60, 120, 120]), (39.9, [39.9, 79.8, 119.7, 120, 120]), (121.0, [120, 120])],
)
def test_pauses_grow_up_to_the_longest_one(pause: float, expected: list[float]) -> None:
    """1, 2 and 3 times the first pause, then doubled, and never over two minutes but for the part that is chance."""
    assert LONGEST_PAUSE == 120.0
    patience = _Patience("u", ApiOptions(pause_seconds=pause, tries=99, total_seconds=1e6), None, lambda: True)
    for seconds in expected:
        wait = patience(Transient(ApiError("no answer")))
        assert seconds <= wait <= seconds * (1 + JITTER)


@pytest.mark.parametrize(("asked", "least"), [(119.0, 120.0), (300.0, 300.0)])
def test_a_server_may_ask_for_a_longer_pause(asked: float, least: float) -> None:
    """What the server asks for counts if it is longer, however long the longest pause is."""
    patience = _Patience("u", ApiOptions(pause_seconds=200.0, tries=99, total_seconds=1e6), None, lambda: True)
    assert least <= patience(Transient(ApiError("no answer"), retry_after=asked)) <= max(asked, 120 * (1 + JITTER))

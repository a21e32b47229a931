"""The power fails at any moment: whatever the disk has kept, the next run ends right, and no result is lost."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from tests.scale import FULL, scaled
from tests.system.power.states import State, states
from tests.system.power.trial import Trials, trials
from tests.system.power.workloads import WORKLOADS


@pytest.fixture(scope="module")
def home() -> Iterator[Trials]:
    """A place for the trials of all tests in this file."""
    with trials() as found:
        yield found


DONE_AGAIN = {
    "clean": "a stray file that a killed run had deleted may come back, and a later run deletes it again",
    "note": "a place that a killed run had noted may be forgotten, and a later run notes it again",
    "replay": "the root may be marked as unfinished again, and a later replay has only that to change",
}
"""Workloads whose results after a kill are not promised, because a later run makes them again, and why."""


def some(found: Sequence[State], count: int, seed: int) -> list[State]:
    """Return states of crashes after the end, and of random crashes before it."""
    chance = random.Random(seed)
    ends = [state for state in found if state.done]
    return chance.sample(ends, min(len(ends), count // 3)) + chance.sample(found, min(len(found), count))


@pytest.mark.parametrize("work", WORKLOADS)
def test_whatever_a_crash_leaves_the_next_run_ends_right(home: Trials, work: str) -> None:
    """Readers see old or new rows, the next run gives those of an undisturbed one, and what was done stays done."""
    trial = home.trial(work)
    found = states(trial.trace, at_once=scaled(256, 16))
    assert sum(state.done for state in found) >= 1
    assert len(found) >= 10
    assert trial.first_failure(found if FULL else some(found, 8, seed=1)) is None


@pytest.mark.parametrize("work", WORKLOADS)
def test_a_crash_after_a_kill(home: Trials, work: str) -> None:
    """What a killed run had changed and not yet synced is not taken for durable by the next run."""
    trial = home.trial(work)
    numbers = [event.number for event in trial.trace.syncs()]
    for kill_at in numbers if FULL else random.Random(work).sample(numbers, min(2, len(numbers))):
        found = states(trial.interrupted(kill_at), extremes=True)
        if work in DONE_AGAIN:
            found = [state for state in found if not state.done]
        assert (trial.first_failure(some(found, scaled(5, 2), seed=kill_at)), kill_at) == (None, kill_at)

"""Compaction beside everything else that changes a root, interleaved and killed at every operation of the store."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import count

import pytest

from tests.compaction.schedules import (
    Actor,
    Choice,
    LaterReader,
    check_end,
    compact,
    compact_and_keep,
    copy,
    prepared,
    recover,
    redo,
    remove,
    run_schedule,
    settle,
    try_preemptions,
)
from tests.scale import scaled
from tests.support.memory import MemoryStore

ACTORS: dict[str, Callable[[str], Actor]] = {
    "redo 0": lambda seed: redo(0, f"first redo {seed}"),
    "redo 0 again": lambda seed: redo(0, f"second redo {seed}"),
    "redo 1": lambda seed: redo(1, f"third redo {seed}"),
    "remove 0": lambda _: remove(0),
    "remove 2": lambda _: remove(2),
    "copy 1": lambda _: copy(1),
    "compact": lambda _: compact,
    "compact too": lambda _: compact,
    "compact and keep": lambda _: compact_and_keep,
    "settle": lambda _: settle,
    "recover": lambda _: recover,
}
"""What may happen to a root, by name; the text makes the versions of rows unique."""

PAIRS = [("compact", other) for other in ACTORS if other != "compact"] + [("redo 0", "settle"), ("redo 0", "recover")]


@pytest.fixture(scope="module", params=[False, True], ids=["own parts", "day parts"])
def start(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    """The store from which schedules start."""
    return prepared(tmp_path_factory.mktemp("work"), compacted=request.param)


@pytest.mark.parametrize("pair", PAIRS, ids=" beside ".join)
def test_two_actors_with_at_most_three_preemptions(start: MemoryStore, pair: tuple[str, str]) -> None:
    """In every order that is tried, readers of each instant and readers that read later see each row once.

    In full mode, all schedules with no or one preemption are tried. Those with two or three are a sample over the whole
    length of the pair: of 80 operations, there are 160 thousand. In quick mode, all but the first are a sample.
    """
    numbers = count()

    def run(choose: Choice) -> int:
        store, number = start.copy(), next(numbers)
        operations = run_schedule(store, [ACTORS[name](str(number)) for name in pair], choose)
        time.sleep(0.02 if "compact and keep" in pair else 0)
        check_end(store)
        return operations

    try_preemptions(run, random.Random(" ".join(pair)), singles=scaled(True, False), sampled=scaled(75, 2))


@pytest.mark.parametrize("part", range(scaled(10, 1)))
def test_any_actors_in_any_order_killed_anywhere(start: MemoryStore, part: int) -> None:
    """Up to five actors and a reader, in rounds, with kills: rows stay right, and one later run cleans up."""
    chance = random.Random(20160630 + part)
    operations = 0
    for number in range(scaled(100, 12)):
        store = start.copy()
        for turn in range(chance.randrange(1, 4)):
            names = chance.sample(list(ACTORS), chance.randrange(1, 6))
            actors: list[Actor] = [ACTORS[name](f"{number} {turn}") for name in names]
            actors.append(LaterReader())
            operations += run_schedule(store, actors, lambda running: (chance.choice(running), chance.random() < 0.01))
        time.sleep(0.02)
        check_end(store)
    assert operations > scaled(4_000, 500)

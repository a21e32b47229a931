"""Publishers beside everything else that changes a root, interleaved and killed at every operation of the store."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.compaction.published import (
    SnapshotWatch,
    check_published_end,
    prepared_root,
    publish_again,
    stop,
    then_publish,
)
from tests.compaction.schedules import TABLE, Actor, Choice, recover, run_schedule, try_preemptions
from tests.compaction.test_schedules import ACTORS as CHANGING
from tests.scale import scaled
from tests.support.memory import MemoryStore
from wsparquet.iceberg import publish_changes, publisher

ACTORS: dict[str, Callable[[str], Actor]] = {
    **{name: lambda seed, make=make: then_publish(make(seed)) for name, make in CHANGING.items()},
    "publish": lambda _: publish_changes,
    "publish again": lambda _: publish_again,
    "recover": lambda _: recover,
    "stop": lambda _: stop,
}
"""What may happen to a published root, by name. All runs but the recovery publish at their ends."""

PAIRS = [("publish", other) for other in ACTORS if other != "publish"] + [
    ("compact", "redo 0"),
    ("compact", "publish again"),
    ("redo 0", "copy 1"),
]


@pytest.fixture(autouse=True)
def one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish only the table that has rows, without pauses: schedules are about the order of operations."""
    monkeypatch.setattr(publisher, "table_names", lambda _: (TABLE,))
    monkeypatch.setattr(publisher, "PAUSE_SECONDS", 0.0)


@pytest.fixture(params=[False, True], ids=["own parts", "day parts"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> MemoryStore:
    """The published store from which schedules start."""
    return prepared_root(tmp_path / "work", compacted=request.param)


@pytest.mark.parametrize("pair", PAIRS, ids=" beside ".join)
def test_two_runs_with_at_most_three_preemptions(start: MemoryStore, pair: tuple[str, str]) -> None:
    """A reader of the published table sees, at every instant, each row of one moment once, and never an older one.

    The schedules are a sample over the whole length of the pair, up to 174 operations: all of them would take hours.
    """
    numbers = count()

    def run(choose: Choice) -> int:
        store, number = start.copy(), next(numbers)
        actors = [ACTORS[name](str(number)) for name in pair]
        operations = run_schedule(store, actors, choose, SnapshotWatch(store, ending="stop" in pair))
        time.sleep(0.02 if "compact and keep" in pair else 0)
        check_published_end(store)
        return operations

    try_preemptions(run, random.Random(" ".join(pair)), singles=False, sampled=scaled(60, 1))


@pytest.mark.parametrize("part", range(scaled(10, 1)))
def test_any_runs_in_any_order_killed_anywhere(start: MemoryStore, part: int) -> None:
    """Up to four runs and a reader that reads later, in rounds, with kills: one later run publishes what counts."""
    chance = random.Random(20160701 + part)
    operations = 0
    for number in range(scaled(40, 3)):
        store, ended = start.copy(), False
        for turn in range(chance.randrange(1, 4)):
            names = chance.sample(list(ACTORS), chance.randrange(1, 5))
            # Whoever was killed while a publication ended leaves what the next run clears away.
            ended |= "stop" in names
            watch = SnapshotWatch(store, ending=ended)
            actors: list[Actor] = [ACTORS[name](f"{number} {turn}") for name in names]
            actors.append(watch.reader())
            choose = lambda running: (chance.choice(running), chance.random() < 0.005)  # noqa: E731
            operations += run_schedule(store, actors, choose, watch)
            watch.check_readers()
        time.sleep(0.02)
        check_published_end(store)
    assert operations > scaled(5_000, 300)

"""wsparquet/distributed/batches.py: small sources together, a large one alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wsparquet.distributed.batches import SOURCE_BYTES, make_tasks, weight

MB = 1 << 20


def sizes(found: list[int], *, workers: int = 1, task_bytes: int = 128 * MB) -> list[tuple[int, ...]]:
    """The sizes in each task."""
    tasks = make_tasks(
        list(enumerate(found)),
        key=lambda item: item[0],
        cost=lambda item: weight(item[1]),
        workers=workers,
        task_bytes=task_bytes,
    )
    assert [task.number for task in tasks] == list(range(len(tasks)))
    return [tuple(size for _, size in task.items) for task in tasks]


def test_large_sources_are_alone_and_small_ones_together() -> None:
    """The large ones begin first, so that no worker ends with one; a task is never larger than asked for."""
    found = sizes([MB] * 1000 + [500 * MB, 900 * MB])
    assert found[:2] == [(900 * MB,), (500 * MB,)]
    assert len(found) == 2 + 10
    assert all(sum(map(weight, task)) <= 128 * MB for task in found[2:])


def test_few_sources_are_shared_by_all_workers() -> None:
    """Forty sources that would fit one task are divided for ten workers, a few tasks each."""
    assert len(sizes([MB] * 40, workers=10)) == 40
    assert len(sizes([MB] * 400, workers=10)) == 40


def test_the_cost_of_a_source_counts_for_tiny_ones() -> None:
    """Many empty files become several tasks, because each file costs something."""
    assert len(sizes([0] * 2000)) == 2000 * SOURCE_BYTES // (128 * MB) + 1


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 10 * MB))), st.integers(1, 20), st.integers(1, 20 * MB))
def test_every_item_is_in_one_task_with_those_of_its_key(
    items: list[tuple[int, int]], workers: int, task_bytes: int
) -> None:
    """Nothing is left out or doubled, items keep their order, and a key is never divided."""
    numbered = list(enumerate(items))
    tasks = make_tasks(
        numbered, key=lambda item: item[1][0], cost=lambda item: item[1][1], workers=workers, task_bytes=task_bytes
    )
    assert sorted(item for task in tasks for item in task.items) == numbered
    assert all(list(task.items) == sorted(task.items) for task in tasks)
    keys = [{item[1][0] for item in task.items} for task in tasks]
    assert sum(map(len, keys)) == len({key for key, _ in items})

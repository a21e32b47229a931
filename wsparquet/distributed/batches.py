"""Groups sources into tasks by size: a task has many small sources, or one large source."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from wsparquet.distributed.tasks import Task

__all__ = ["DEFAULT_TASK_BYTES", "make_tasks", "weight"]

Item = TypeVar("Item")

DEFAULT_TASK_BYTES = 128 << 20
"""The size in stored bytes up to which a task takes further sources: about 1.7 GB of JSON, a minute of one core."""

SOURCE_BYTES = 256 << 10
"""The cost of a source's requests and commit, in addition to its size: the stored bytes that take the same time."""

UNKNOWN_BYTES = 16 << 20
"""The size that is assumed for a source of unknown size."""

TASKS_PER_WORKER = 4
"""How many tasks each worker gets if there are enough sources, so that all workers end at about the same time."""


def weight(size: int | None) -> int:
    """Return the cost of a source of this size: the stored bytes that take the same time."""
    return (UNKNOWN_BYTES if size is None else size) + SOURCE_BYTES


def make_tasks(
    items: Sequence[Item],
    *,
    key: Callable[[Item], Hashable],
    cost: Callable[[Item], int],
    workers: int,
    task_bytes: int = DEFAULT_TASK_BYTES,
) -> list[Task]:
    """Group items into tasks, the most expensive tasks first. Items with the same key are in the same task.

    ``cost`` is in stored bytes. A task ends when the next item would make the task larger than ``task_bytes``, or
    larger than the share that gives each of the ``workers`` several tasks. Within a task, the items keep the order of
    ``items``.
    """
    groups: dict[Hashable, list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault(key(item), []).append(index)
    costs = [cost(item) for item in items]
    limit = min(task_bytes, sum(costs) // (max(workers, 1) * TASKS_PER_WORKER))
    ordered = sorted(groups.values(), key=lambda group: -_total(costs, group))
    bins = _filled(ordered, [_total(costs, group) for group in ordered], limit)
    return [Task(number, tuple(items[index] for index in sorted(found))) for number, found in enumerate(bins)]


def _total(costs: Sequence[int], group: Iterable[int]) -> int:
    return sum(costs[index] for index in group)


def _filled(groups: Sequence[list[int]], costs: Sequence[int], limit: int) -> list[list[int]]:
    """Fill one task after the other with the groups."""
    bins: list[list[int]] = []
    room = 0
    for group, cost in zip(groups, costs, strict=True):
        if cost > room or not bins:
            bins.append([])
            room = limit
        bins[-1] += group
        room -= cost
    return bins

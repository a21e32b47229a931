"""Compactions as jobs: tasks merge the small files of days, and each day becomes one commit as in ``compact``.

A task has whole days, not tables of a day, because one day record lists the day parts of all tables. Two tasks with the
same day would overtake each other, and one of them would have merged for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Unpack

from wsparquet.commit.days import DayRecord
from wsparquet.compaction.options import CompactKeywords, CompactOptions
from wsparquet.compaction.outcome import Compaction
from wsparquet.compaction.run import MergeResult, MergeRun, merge_day
from wsparquet.dataset import Root
from wsparquet.dataset.day_parts import DayChange
from wsparquet.distributed.batches import DEFAULT_TASK_BYTES, make_tasks, weight
from wsparquet.distributed.opened import RootWork
from wsparquet.distributed.shared_root import SharedRoot
from wsparquet.distributed.tasks import Job, Task, TaskResult, best_results
from wsparquet.iceberg import publish_changes
from wsparquet.options import make_options
from wsparquet.preflight import check_root
from wsparquet.progress import Listener

__all__ = ["CompactJob", "plan_compact"]

Item = tuple[int, DayChange]
"""The index of a day in the list of all days, and its change."""


@dataclass(frozen=True, kw_only=True)
class CompactWork(RootWork):
    """Merges the days of a task. ``erased`` is as in ``Root.replace_day``."""

    options: CompactOptions
    erased: tuple[int, int]

    def run(self, items: tuple[Item, ...]) -> tuple[tuple[int, MergeResult], ...]:
        """Merge the days one after the other, and return the result of each day by its index."""
        root = self.root.open()
        assert root is not None  # noqa: S101 - the plan has opened the root
        return tuple(
            (index, merge_day(root, change, options=self.options, erased=self.erased)) for index, change in items
        )


def plan_compact(
    root: str | os.PathLike[str],
    *,
    workers: int = 1,
    task_bytes: int = DEFAULT_TASK_BYTES,
    options: CompactOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[CompactKeywords],
) -> CompactJob:
    """Return the tasks that merge the small files of a root; the arguments are those of ``compact``.

    ``workers`` and ``task_bytes`` are as in ``plan_conversion``. A task merges its days one after the other, and has
    the whole memory budget; ``jobs`` has no effect.

    >>> from datetime import timedelta
    >>> from wsparquet.distributed import plan_compact
    >>> job = plan_compact("lake", min_files=2, older_than=timedelta(0))
    >>> job.finish(map(job.work, job.tasks))
    <Compaction root=...lake, days=1, rows=40, files_before=14, files_after=7>

    Raises the errors of ``compact``.
    """
    check_root(root)
    options = replace(make_options(CompactOptions, options, keywords), jobs=1)
    opened = Root.open(root, create=False, access=options.access)
    run = MergeRun(opened, options, on_progress)
    items: list[Item] = list(enumerate(run.changes)) if not options.dry_run else []
    tasks = make_tasks(items, key=lambda item: item[0], cost=_cost, workers=workers, task_bytes=task_bytes)
    shared = SharedRoot.of(opened, root, options.access)
    return CompactJob(CompactWork(root=shared, options=options, erased=run.erased), tasks, opened, run)


def _cost(item: Item) -> int:
    """Return the cost of a day: a part costs a request, in addition to its size."""
    return sum(weight(each.part.bytes) for inputs in item[1].merged.values() for each in inputs)


class CompactJob(Job[Compaction]):
    """The compaction of a root, in tasks."""

    work: CompactWork

    def __init__(self, work: CompactWork, tasks: list[Task], root: Root, run: MergeRun) -> None:
        self.work = work
        self.tasks = tasks
        self._root = root
        self._run = run

    def tell(self, result: TaskResult) -> int | None:
        """Report the result of each day of a task."""
        for index, found in result.value if result.error is None else ():
            self._run.tell(self._run.changes[index], found)
        return None

    def finish(self, results: Iterable[TaskResult]) -> Compaction:
        """Return the result of the compaction, after the recovery from killed tasks, and publish a published root.

        A day whose tasks all failed, or that has no result, is one of the failures.

        Raises DatasetError if the root cannot be read or written, or cannot be published.
        """
        if self.tasks:
            self._root.recover()
        best = best_results(results)
        found: dict[int, MergeResult] = {}
        for task in self.tasks:
            result = best.get(task.number)
            if result is not None and result.error is None:
                for index, merged in result.value:
                    # None: the day had changed. An earlier attempt of this task may be what changed the day.
                    found[index] = self._merged_before(index) if merged is None and result.repeated else merged
            else:
                error = "its task has no result" if result is None else f"its task failed: {result.error}"
                for index, _ in task.items:
                    found.setdefault(index, f"expected a merged day, found that {error}")
        for index, merged in sorted(found.items()):
            self._run.add(self._run.changes[index], merged)
        ended = self._run.end()
        if not self.work.options.dry_run:
            publish_changes(self._root)
        return ended

    def _merged_before(self, index: int) -> MergeResult:
        """Return the new record of a day if an earlier attempt of its task has merged the day, otherwise None.

        The attempt that ended found then that the day had changed.
        """
        change = self._run.changes[index]
        record = self._root.log.day_of(change.day.key)
        return record if record is not None and _has_merged(record, change) else None


def _has_merged(record: DayRecord, change: DayChange) -> bool:
    """Return whether a day record has newer day parts than a change has found, with all rows that it merges."""
    if change.found is not None and record.content_id == change.found.content_id:
        return False
    return all(record.members.get(name) == member for name, member in change.members.items())

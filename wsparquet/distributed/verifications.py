"""Verifications as jobs: tasks check commit records against their files, and compare sources with their commits."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Unpack

from wsparquet.dataset import Root
from wsparquet.distributed.batches import DEFAULT_TASK_BYTES, make_tasks, weight
from wsparquet.distributed.opened import RootWork
from wsparquet.distributed.shared_root import SharedRoot
from wsparquet.distributed.tasks import Job, Task, TaskResult, best_results
from wsparquet.layout import DAYS
from wsparquet.options import make_options
from wsparquet.privacy.options import loaded
from wsparquet.progress import Listener, Progress, ignore, logged
from wsparquet.source import Failed, Source, Sources, as_list, expand
from wsparquet.verification import Problem, Verification
from wsparquet.verification.outcome import Kind
from wsparquet.verification.verify import Checks, VerifyKeywords, VerifyOptions

__all__ = ["VerifyJob", "plan_verify"]

PART_BYTES = 4 << 20
"""The total size that is assumed for the parts of a commit, because only the commit record has their sizes."""

REFERENCE_FACTOR = 20
"""How many times as long as ``convert`` the comparison of a source takes, because the reference decoder decodes it."""


@dataclass(frozen=True)
class _Record:
    """A commit record or a day record."""

    path: str


@dataclass(frozen=True)
class _Compared:
    source: Source | Failed


Item = _Record | _Compared


@dataclass(frozen=True)
class Checked:
    """The value of a task: the result of each check with the name and place to report, and the sketches of parts."""

    results: tuple[tuple[str, str, Verification], ...]
    sketches: Mapping[Any, list[int]]


@dataclass(frozen=True, kw_only=True)
class VerifyWork(RootWork):
    """Checks the commit records and the sources of a task."""

    options: VerifyOptions

    def run(self, items: tuple[Item, ...]) -> Checked:
        """Check commit records and compare sources."""
        root = self.root.open()
        assert root is not None  # noqa: S101 - the plan has opened the root
        checks = Checks(root, self.options, ignore)
        if any(isinstance(item, _Compared) for item in items):
            checks.read_commits()
        found = [(*_named(item), self._check(root, checks, item)) for item in items]
        return Checked(tuple(found), checks.doubles.sketches)

    def _check(self, root: Root, checks: Checks, item: Item) -> Verification:
        if isinstance(item, _Compared):
            return checks.source(item.source)
        data = root.store.read(item.path)
        # If there is no record, a run has removed it since the listing.
        if data is None:
            return Verification(root.place)
        return (checks.day if item.path.startswith(f"{DAYS}/") else checks.record)(item.path, data)


def _named(item: Item) -> tuple[str, str]:
    """Return the name and the place to report."""
    if isinstance(item, _Compared):
        return item.source.name, item.source.url
    return item.path.rpartition("/")[2], item.path


def plan_verify(
    root: str | os.PathLike[str],
    *,
    against: Sources = (),
    workers: int = 1,
    task_bytes: int = DEFAULT_TASK_BYTES,
    options: VerifyOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[VerifyKeywords],
) -> VerifyJob:
    """Return the tasks that check a root; the arguments are those of ``verify``.

    ``workers`` and ``task_bytes`` are as in ``plan_conversion``.

    Raises the errors of ``verify``.
    """
    started = time.monotonic()
    jobs = keywords.pop("jobs", 1)
    options = replace(make_options(VerifyOptions, options, keywords), jobs=jobs)
    options = replace(options, key_file=loaded(options.key_file))
    access = options.access
    opened = Root.open(root, create=False, access=access)
    tell = logged(on_progress, failures_only=True)
    items: list[Item] = [_Record(path) for path in opened.log.record_paths()]
    if given := as_list(against, name="against"):
        opened.check_privacy()
        found = expand(given, exclude=os.fspath(root), storage_options=options.storage_options)
        items += [_Compared(each) for each in found]
    tell(Progress("found", "", files=len(items)))
    tasks = make_tasks(
        list(enumerate(items)), key=lambda pair: pair[0], cost=_cost, workers=workers, task_bytes=task_bytes
    )
    tasks = [replace(task, items=tuple(item for _, item in task.items)) for task in tasks]
    work = VerifyWork(root=SharedRoot.of(opened, root, access), options=options)
    return VerifyJob(work, tasks, opened, tell, started)


def _cost(pair: tuple[int, Item]) -> int:
    item = pair[1]
    if isinstance(item, _Record):
        return weight(PART_BYTES)
    return weight(item.source.size) * REFERENCE_FACTOR if isinstance(item.source, Source) else weight(0)


class VerifyJob(Job[Verification]):
    """The verification of a root, in tasks."""

    def __init__(self, work: VerifyWork, tasks: list[Task], root: Root, tell: Listener, started: float) -> None:
        self.work = work
        self.tasks = tasks
        self._checks = Checks(root, work.options, tell)
        self._started = started

    def tell(self, result: TaskResult) -> int | None:
        """Report the result of each check of a task."""
        for name, place, found in result.value.results if result.error is None else ():
            self._checks.told(found, name, place, found.rows or found.compared_rows)
        return None

    def finish(self, results: Iterable[TaskResult]) -> Verification:
        """Return all problems, including problems that only a look at the whole root shows.

        Raises DatasetError if the root cannot be read.
        """
        checks = self._checks
        best = best_results(results)
        for result in sorted(best.values(), key=lambda each: each.number):
            if result.error is None:
                checks.doubles.add_sketches(result.value.sketches)
                for _, _, found in result.value.results:
                    checks.result.add(found)
        checks.result.problems += self._unchecked(best)
        checks.whole()
        checks.result.seconds = time.monotonic() - self._started
        return checks.result

    def _unchecked(self, best: dict[int, TaskResult]) -> Iterable[Problem]:
        """Yield a problem for each item that no task has checked."""
        done = {
            _named(item)
            for task in self.tasks
            if (result := best.get(task.number)) and result.error is None
            for item in task.items
        }
        for task in self.tasks:
            result = best.get(task.number)
            reason = "no result" if result is None else result.error
            for item in task.items:
                if _named(item) not in done:
                    done.add(_named(item))
                    kind: Kind = "record" if isinstance(item, _Record) else "source"
                    yield Problem(kind, _named(item)[1], "a check of it", f"that its task failed: {reason}")

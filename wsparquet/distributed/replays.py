"""Replays as two jobs: tasks find the raw file of each commit by its checksum, and then tasks convert these files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Unpack

from wsparquet.commit import Commit
from wsparquet.conversion.converter import Converter
from wsparquet.conversion.options import ConvertKeywords, ConvertOptions
from wsparquet.conversion.outcome import Outcome
from wsparquet.conversion.replay import (
    RawFiles,
    Wanted,
    about_raw,
    check_complete,
    end_upgrade,
    is_upgrade,
    is_wanted,
    wanted_of,
)
from wsparquet.conversion.run import outcomes
from wsparquet.conversion.summary import Summary
from wsparquet.dataset import Root
from wsparquet.decode import active_decoder
from wsparquet.distributed.batches import DEFAULT_TASK_BYTES, make_tasks, weight
from wsparquet.distributed.conversions import end_job, without_values
from wsparquet.distributed.opened import RootWork
from wsparquet.distributed.shared_root import SharedRoot
from wsparquet.distributed.tasks import Job, Task, TaskResult, Work, best_results
from wsparquet.errors import SourceError, WsparquetError
from wsparquet.options import make_options
from wsparquet.progress import Listener, Progress, ignore, logged
from wsparquet.source import Failed, Source, Sources

__all__ = ["ReplayJob", "SearchJob", "plan_replay"]


def _without_report(commit: Commit) -> Commit:
    """Return a commit without its large values that no task needs."""
    return replace(commit, parts=(), facts=replace(commit.facts, report={}))


def _never() -> bool:
    return False


@dataclass(frozen=True)
class _Search:
    """A commit to repeat, without its parts, and the files that may be its raw file."""

    index: int
    commit: Commit
    candidates: tuple[Source, ...]


@dataclass(frozen=True)
class _Hit:
    """The raw file of a commit, or the failure; ``errors`` has the errors of files that could not be read."""

    index: int
    source: Source | Failed
    errors: tuple[WsparquetError, ...]


@dataclass(frozen=True, kw_only=True)
class SearchWork(Work):
    """Finds the raw files of commits by their checksums."""

    unreadable: tuple[Failed, ...]

    def run(self, items: tuple[_Search, ...]) -> tuple[_Hit, ...]:
        """Hash candidates, and return the raw file of each commit."""
        return tuple(map(self._hit, items))

    def _hit(self, search: _Search) -> _Hit:
        files = RawFiles([*search.candidates, *self.unreadable])
        source = files.find(search.commit, interrupted=_never)
        return _Hit(search.index, source, tuple(files.errors[len(self.unreadable) :]))


def plan_replay(
    root: str | os.PathLike[str],
    raw: Sources,
    *,
    workers: int = 1,
    task_bytes: int = DEFAULT_TASK_BYTES,
    options: ConvertOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[ConvertKeywords],
) -> SearchJob:
    """Return the tasks that find the raw files of the commits to repeat; the arguments are those of ``replay``.

    The result of that job is a second job, which converts the files. ``workers`` and ``task_bytes`` are as in
    ``plan_conversion``.

    Raises the errors of ``replay``.
    """
    started = time.monotonic()
    jobs = keywords.pop("jobs", 1)
    options = replace(make_options(ConvertOptions, options, keywords), jobs=jobs).with_key()
    options.check_whole()
    opened = Root.open_for_replay(root, access=options.access)
    opened.check_privacy()
    if not options.dry_run:
        opened.recover()
    plan = _Plan(opened, SharedRoot.of(opened, root, options.access, replaying=True), options, logged(on_progress))
    plan.workers, plan.task_bytes, plan.started = workers, task_bytes, started
    plan.files = RawFiles.listed(opened, raw, options, plan.tell)
    plan.commits = [commit for commit in opened.commits() if is_wanted(commit, again=options.again)]
    searches = [
        _Search(index, _without_report(commit), tuple(plan.files.candidates(commit)))
        for index, commit in enumerate(plan.commits)
    ]
    tasks = make_tasks(
        searches,
        key=lambda search: search.index,
        cost=lambda search: weight(search.commit.facts.size),
        workers=workers,
        task_bytes=task_bytes,
    )
    return SearchJob(plan, tasks)


class _Plan:
    """The facts that both jobs of a replay share."""

    files: RawFiles
    commits: list[Commit]
    workers: int
    task_bytes: int
    started: float

    def __init__(self, root: Root, shared: SharedRoot, options: ConvertOptions, tell: Listener) -> None:
        self.root = root
        self.shared = shared
        self.options = options
        self.tell = tell


class SearchJob(Job["ReplayJob"]):
    """The search for the raw files of a replay, in tasks."""

    def __init__(self, plan: _Plan, tasks: list[Task]) -> None:
        self.work = SearchWork(unreadable=tuple(plan.files.unreadable))
        self.tasks = tasks
        self._plan = plan

    def finish(self, results: Iterable[TaskResult]) -> ReplayJob:
        """Return the job that converts the raw files. If the root is upgraded, it is closed to other runs now.

        Raises:
            DatasetError: the root has an older schema version, and lacks some of its raw files; nothing was changed.

        """
        plan = self._plan
        best = best_results(results)
        errors: list[WsparquetError] = list(plan.files.errors)
        found: dict[int, Source | Failed] = {}
        for result in best.values():
            for hit in result.value if result.error is None else ():
                found[hit.index] = hit.source
                errors += hit.errors
        reasons = {
            search.index: best[task.number].error or ""
            for task in self.tasks
            if task.number in best
            for search in task.items
        }
        wanted = [
            wanted_of(commit, found[index] if index in found else _unsearched(commit, reasons.get(index, "not begun")))
            for index, commit in enumerate(plan.commits)
        ]
        upgrade = is_upgrade(plan.root)
        if upgrade:
            check_complete(plan.root, wanted, errors)
        if upgrade and not plan.options.dry_run:
            plan.root.begin_replay()
        return _replay_job(plan, wanted, upgrade=upgrade)


def _unsearched(commit: Commit, reason: str) -> Failed:
    facts = commit.facts
    error = SourceError(f"{facts.source_name}: expected a search for its raw file, found that it failed: {reason}")
    return Failed(facts.source_name, facts.url or facts.source_name, error)


Item = tuple[int, Wanted]


@dataclass(frozen=True, kw_only=True)
class ReplayWork(RootWork):
    """Converts raw files into the commits that they repeat."""

    options: ConvertOptions

    def run(self, items: tuple[Item, ...]) -> tuple[tuple[int, Outcome], ...]:
        """Convert the raw files and return their outcomes."""
        root, commits = self.opened()
        converter = Converter(root, commits, self.options, ignore, expected=len(items))
        wanted = [each for _, each in items]
        found = outcomes(converter, [each.source for each in wanted], [each.commit.identity for each in wanted])
        return tuple(
            (items[index][0], without_values(about_raw(outcome, wanted[index].read))) for index, outcome in found
        )


def _replay_job(plan: _Plan, wanted: list[Wanted], *, upgrade: bool) -> ReplayJob:
    small = [replace(each, commit=_without_report(each.commit)) for each in wanted]
    tasks = make_tasks(
        list(enumerate(small)),
        key=lambda item: item[1].source.url,
        cost=lambda item: weight(item[1].source.size if isinstance(item[1].source, Source) else 0),
        workers=plan.workers,
        task_bytes=plan.task_bytes,
    )
    plan.tell(Progress("found", "", files=len(wanted)))
    return ReplayJob(plan, wanted, tasks, upgrade=upgrade)


class ReplayJob(Job[Summary]):
    """The conversion of raw files into the commits that they repeat, in tasks."""

    def __init__(self, plan: _Plan, wanted: list[Wanted], tasks: list[Task], *, upgrade: bool) -> None:
        self.work = ReplayWork(root=plan.shared, options=replace(plan.options, again=True))
        self.tasks = tasks
        self._plan = plan
        self._wanted = wanted
        self._upgrade = upgrade

    def tell(self, result: TaskResult) -> int | None:
        """Report the outcome of each source of a task."""
        for _, outcome in result.value if result.error is None else ():
            self._plan.tell(outcome.event(outcome.url))
        return None

    def finish(self, results: Iterable[TaskResult]) -> Summary:
        """Return the summary of the replay. If all sources are converted, the upgrade of the root ends here.

        Raises DatasetError if the root cannot be read or written.
        """
        plan = self._plan
        found: dict[int, Outcome] = {}
        best = best_results(results)
        for result in best.values():
            found.update(result.value if result.error is None else ())
        for task in self.tasks:
            failed = best.get(task.number)
            for index, each in task.items if failed is not None and failed.error is not None else ():
                error = f"{each.read}: {failed.error if failed else ''}"
                found.setdefault(index, Outcome(each.source.name, "failed", url=each.read, error=error))
        summary = Summary(root=plan.root.place, sources=len(self._wanted) + len(plan.files.unreadable))
        summary.dry_run, summary.decoder = plan.options.dry_run, active_decoder(plan.options.decoder)
        for _, outcome in sorted(found.items()):
            outcome.add_to(summary)
        summary.not_begun = len(self._wanted) - len(found)
        self._end(summary)
        for each in plan.files.unreadable:
            failure = Outcome(each.name, "failed", url=each.url, error=str(each.error))
            plan.tell(failure.event(each.url))
            failure.add_to(summary)
        if not plan.options.dry_run:
            end_job(plan.root, summary, plan.options)
        summary.seconds = time.monotonic() - plan.started
        return summary

    def _end(self, summary: Summary) -> None:
        root = self._plan.root
        if self._plan.options.dry_run:
            return
        if self._upgrade and not summary.failures and not summary.not_begun:
            end_upgrade(root)
        if summary.committed:
            root.recover()
            root.settle(root.commits())

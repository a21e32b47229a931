"""Synchronizations as jobs: the driver asks the server for its list, and tasks download and convert the files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Unpack

from wsparquet.api import ListedFile
from wsparquet.commit import CommitIndex
from wsparquet.conversion.outcome import Outcome
from wsparquet.conversion.run import opened_to_write
from wsparquet.conversion.summary import Failure, Summary
from wsparquet.decode import active_decoder
from wsparquet.distributed.batches import DEFAULT_TASK_BYTES, make_tasks, weight
from wsparquet.distributed.conversions import corrected, end_job, without_values
from wsparquet.distributed.opened import RootWork
from wsparquet.distributed.shared_root import SharedRoot, check_machine, this_machine
from wsparquet.distributed.tasks import Job, Task, TaskResult, best_results
from wsparquet.names import parse_name
from wsparquet.options import make_options
from wsparquet.preflight import check_raw, check_root
from wsparquet.progress import Listener, Progress, ignore, logged
from wsparquet.synchronisation.loop import run_coroutine
from wsparquet.synchronisation.missing import Ledger
from wsparquet.synchronisation.options import SyncKeywords, SyncOptions
from wsparquet.synchronisation.run import SyncRun
from wsparquet.synchronisation.stop import Stop
from wsparquet.synchronisation.summary import FetchSummary, SyncSummary
from wsparquet.urls import is_url

__all__ = ["SyncJob", "plan_sync"]

Item = tuple[ListedFile, bool]
"""A file to download, and whether it failed in the last run."""


@dataclass(frozen=True)
class Note:
    """A task's note about a file: the error if the file failed, or that the file is committed."""

    name: str
    error: str | None = None
    gone: bool = False


class _Notebook:
    """Collects the notes of a task; the driver enters them into the ledger of the root."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._failed = {file.name for file, failed in items if failed}
        self.notes: list[Note] = []

    def has_failed(self, name: str) -> bool:
        """Return whether the file failed in the last run."""
        return name in self._failed

    def failed(self, name: str, error: str, *, gone: bool) -> None:
        """Note that a file could not be downloaded or converted."""
        self.notes.append(Note(name, error, gone))

    def taken(self, name: str) -> None:
        """Note that a file is committed."""
        self.notes.append(Note(name))


@dataclass(frozen=True)
class Synchronised:
    """The value of a task."""

    fetched: FetchSummary
    outcomes: tuple[Outcome, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class SyncWork(RootWork):
    """Downloads and converts the files of a task.

    ``machine``: the driver's machine, if raw files are kept in a folder.
    """

    options: SyncOptions
    machine: str | None = None

    def run(self, items: tuple[Item, ...]) -> Synchronised:
        """Download and convert files, and return the outcome of each."""
        root, commits = self.opened()
        assert root is not None  # noqa: S101 - the plan always makes the root
        if self.options.raw is not None:
            check_machine(self.options.raw, self.machine, this_machine())
        notebook = _Notebook(items)
        run = SyncRun(root, notebook, self.options, ignore, Stop())
        with root.scratch() as scratch:
            run_coroutine(run.taken([file for file, _ in items], commits, scratch))
        return Synchronised(run.fetched, tuple(map(without_values, run.outcomes)), tuple(notebook.notes))


def plan_sync(
    to: str | os.PathLike[str],
    *,
    workers: int = 1,
    task_bytes: int = DEFAULT_TASK_BYTES,
    options: SyncOptions | None = None,
    on_progress: Listener | None = None,
    jobs: int = 1,
    **keywords: Unpack[SyncKeywords],
) -> SyncJob:
    """Return the tasks that download and convert the files that the server has and the root ``to`` lacks.

    The other arguments are those of ``sync``. This function asks the server for its list. ``downloads`` counts for each
    task, and is 1 by default; ``jobs`` is the number of files that one task converts at once. ``workers`` and
    ``task_bytes`` are as in ``plan_conversion``.

    Raises the errors of ``sync``.
    """
    if options is None:
        keywords = {"downloads": 1, **keywords}
    options = make_options(SyncOptions, options, keywords)
    options = replace(options, convert=replace(options.convert, jobs=jobs).with_key())
    check_root(to)
    if options.raw is not None:
        check_raw(options.raw, to)
    tell = logged(on_progress)
    with opened_to_write(to, options.access) as root:
        ledger = Ledger.open(root, options.account)
        run = SyncRun(root, ledger, options, tell, Stop())
        found = run_coroutine(run.missing())
        ledger.write(root)
    wanted, commits = found or ([], CommitIndex.empty())
    items = [(file, ledger.has_failed(file.name)) for file in wanted]
    tasks = make_tasks(items, key=_key, cost=lambda _: weight(None), workers=workers, task_bytes=task_bytes)
    keeps_here = options.raw is not None and not is_url(options.raw)
    work = SyncWork(
        root=SharedRoot.of(root, to, options.access), options=options, machine=this_machine() if keeps_here else None
    )
    return SyncJob(work, tasks, run, ledger, commits)


def _key(item: Item) -> str:
    name = parse_name(item[0].name)
    return name.api_name or name.stem


class SyncJob(Job[SyncSummary]):
    """The synchronization of a root, in tasks."""

    def __init__(self, work: SyncWork, tasks: list[Task], run: SyncRun, ledger: Ledger, known: CommitIndex) -> None:
        self.work = work
        self.tasks = tasks
        self._run = run
        self._root = run.root
        self._tell = run.tell
        self._ledger = ledger
        self._commits = known
        self._started = time.monotonic()

    def tell(self, result: TaskResult) -> int | None:
        """Report the outcome of each file of a task."""
        if result.error is None:
            failed = {note.name: note.error for note in result.value.notes if note.error is not None}
            told = set()
            for outcome in result.value.outcomes:
                self._tell(outcome.event(outcome.url))
                told.add(outcome.name)
            for name, error in failed.items():
                if name not in told:
                    self._tell(Progress("failed", name, error=error))
        return None

    def finish(self, results: Iterable[TaskResult]) -> SyncSummary:
        """Return the summary of the synchronization, save the state of the account, and settle twins.

        Raises DatasetError if the root cannot be read or written.
        """
        best = best_results(results)
        values = [result for result in best.values() if result.error is None]
        fetched, converted = self._run.fetched, Summary(root=self._root.place, sources=self._run.converted.sources)
        converted.decoder = active_decoder(self._options.convert.decoder)
        for result in values:
            _merge(fetched, result.value.fetched)
            for note in result.value.notes:
                self._note(note)
        self._fail_unrun(best, fetched)
        self._ledger.write(self._root)
        after = self._settled(values)
        for result in values:
            for outcome in result.value.outcomes:
                done = corrected(outcome, self._commits, after, repeated=result.repeated)
                done.add_to(converted)
                if done.kind == "committed" and outcome.kind == "skipped":
                    _add_download(fetched, done, after)
        fetched.not_begun = converted.not_begun = sum(len(task.items) for task in self.tasks if task.number not in best)
        end_job(self._root, converted, self._options.convert)
        converted.seconds = fetched.seconds = time.monotonic() - self._started
        return SyncSummary(fetched, converted)

    @property
    def _options(self) -> SyncOptions:
        return self._run.options

    def _note(self, note: Note) -> None:
        if note.error is None:
            self._ledger.taken(note.name)
        else:
            self._ledger.failed(note.name, note.error, gone=note.gone)

    def _fail_unrun(self, best: dict[int, TaskResult], fetched: FetchSummary) -> None:
        """Enter a failure for each file of tasks whose results all have errors."""
        done = {
            file.name
            for task in self.tasks
            if (result := best.get(task.number)) and result.error is None
            for file, _ in task.items
        }
        for task in self.tasks:
            lost = best.get(task.number)
            for file, _ in task.items if lost is not None and lost.error is not None else ():
                if file.name not in done:
                    done.add(file.name)
                    error = lost.error if lost is not None and lost.error is not None else ""
                    fetched.failures.append(Failure(file.name, file.places[0], error))
                    self._note(Note(file.name, error))
                    self._tell(Progress("failed", file.name, file.places[0], error=error))

    def _settled(self, values: list[TaskResult]) -> CommitIndex:
        if not values:
            return self._commits
        self._root.recover()
        commits = self._root.commits(write_checkpoint=True)
        self._root.settle(commits)
        return commits


def _add_download(fetched: FetchSummary, done: Outcome, commits: CommitIndex) -> None:
    """Add a file that an earlier attempt of a repeated task has committed. With ``raw``, the last one found the file.

    If the file was in the folder before the job began, it counts as downloaded, too: no attempt knows that.
    """
    if done.name not in fetched.downloaded:
        fetched.downloaded.append(done.name)
        fetched.downloaded_bytes += next(head.facts.size or 0 for head in commits.by_source_name(done.name))


def _merge(total: FetchSummary, one: FetchSummary) -> None:
    """Add the downloads of one task."""
    total.downloaded += one.downloaded
    total.downloaded_bytes += one.downloaded_bytes
    total.gone += one.gone
    total.failures += one.failures
    total.retries += one.retries

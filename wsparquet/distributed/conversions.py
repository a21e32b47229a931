"""Conversions as jobs: tasks convert sources into one root, and each source becomes one commit as in ``convert``."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Unpack

from wsparquet.commit import CommitIndex
from wsparquet.conversion.converter import Converter
from wsparquet.conversion.options import ConvertKeywords, ConvertOptions, default_jobs
from wsparquet.conversion.outcome import Outcome
from wsparquet.conversion.run import merge_and_publish, outcomes
from wsparquet.conversion.shard import Shard, name_key
from wsparquet.conversion.summary import Summary
from wsparquet.dataset import Root
from wsparquet.decode import active_decoder
from wsparquet.decode.model import PathCounts, Report
from wsparquet.distributed.batches import DEFAULT_TASK_BYTES, make_tasks, weight
from wsparquet.distributed.opened import RootWork
from wsparquet.distributed.shared_root import SharedRoot
from wsparquet.distributed.tasks import Job, Task, TaskResult, best_results
from wsparquet.errors import OptionError
from wsparquet.options import make_options
from wsparquet.preflight import check_apart, check_root
from wsparquet.progress import Listener, Progress, ignore, logged, telling_ignored
from wsparquet.redaction import without_credentials
from wsparquet.source import Failed, Source, Sources, as_list, expand

__all__ = ["ConversionJob", "corrected", "end_job", "plan_conversion", "without_values"]

Item = tuple[int, Source]
"""The index of a source in the list of all sources, and the source."""


@dataclass(frozen=True)
class Converted:
    """The value of a task: the outcome of each source by its index, and the decoder that was used."""

    outcomes: tuple[tuple[int, Outcome], ...]
    decoder: str


@dataclass(frozen=True, kw_only=True)
class ConversionWork(RootWork):
    """Converts the sources of a task."""

    options: ConvertOptions

    def run(self, items: tuple[Item, ...]) -> Converted:
        """Convert the sources and return their outcomes."""
        root, commits = self.opened()
        converter = Converter(root, commits, self.options, ignore, expected=len(items))
        found = outcomes(converter, [source for _, source in items])
        results = tuple((items[index][0], without_values(outcome)) for index, outcome in found)
        return Converted(results, active_decoder(self.options.decoder))


def without_values(outcome: Outcome) -> Outcome:
    """Return an outcome without the values of containers: they can be large, and the commit record has them."""
    if outcome.report is None or not outcome.report.container_values:
        return outcome
    only_count: list[dict[str, Any]] = [{} for _ in outcome.report.container_values]
    return replace(outcome, report=replace(outcome.report, container_values=only_count))


def plan_conversion(
    sources: Sources,
    to: str | os.PathLike[str],
    *,
    workers: int = 1,
    task_bytes: int = DEFAULT_TASK_BYTES,
    options: ConvertOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[ConvertKeywords],
) -> ConversionJob:
    """Return the tasks that convert sources into the root ``to``; the arguments are those of ``convert``.

    This function lists the sources, so that no task has to. If any source has to be converted, this function also
    creates the root. ``workers``: how many tasks will run at once; ``task_bytes``: the stored bytes up to which a task
    takes further sources. ``jobs`` is the number of sources that one task converts at once, by default 1.

    >>> from wsparquet.distributed import plan_conversion
    >>> job = plan_conversion("downloads/", to="lake", workers=2)
    >>> len(job.tasks)
    2

    Raises:
        OptionError: a keyword argument is unknown or has an invalid value; this error is also a ValueError.
        PlaceError: no root can be at ``to``, or the root would contain a source; this error is also a DatasetError.
        DatasetError: the root cannot be opened or written.
        SchemaError: the root has another schema version.

    """
    started = time.monotonic()
    jobs = keywords.pop("jobs", 1)
    options = replace(make_options(ConvertOptions, options, keywords), jobs=jobs).with_key()
    given = as_list(sources)
    check_root(to)
    check_apart(given, to)
    tell = logged(on_progress)
    found = _listed(given, to, options, tell)
    wanted = any(isinstance(each, Source) for each in found)
    root = _opened(to, options, create=wanted)
    if root is not None:
        root.check_privacy()
    plan = _Plan(found, root, options, tell)
    shared = SharedRoot.of(root, to, options.access)
    tasks = make_tasks(
        plan.waiting, key=_key, cost=lambda item: weight(item[1].size), workers=workers, task_bytes=task_bytes
    )
    work = ConversionWork(root=shared, options=options)
    return ConversionJob(work, tasks, plan, os.fspath(to), started)


def _key(item: Item) -> str:
    return name_key(item[1])


def _listed(
    given: Sequence[str | os.PathLike[str]], to: str | os.PathLike[str], options: ConvertOptions, tell: Listener
) -> list[Source | Failed]:
    if "-" in given:
        raise OptionError("sources", "expected files that every task can open, found standard input; save it to a file")
    found = expand(given, exclude=os.fspath(to), storage_options=options.storage_options, ignored=telling_ignored(tell))
    shard = Shard.parse(options.shard)
    return [each for each in found if shard is None or shard.has(each)]


def _opened(to: str | os.PathLike[str], options: ConvertOptions, *, create: bool) -> Root | None:
    if options.dry_run:
        return Root.open_if_exists(to, access=options.access)
    if not create:
        return Root.open_to_write(to, access=options.access)
    root = Root.open(to, access=options.access)
    root.recover()
    return root


class _Plan:
    """The sources of a job: the sources that tasks convert, and the outcomes of all other sources."""

    def __init__(self, found: Sequence[Source | Failed], root: Root | None, options: ConvertOptions, tell: Listener):
        self.found = found
        self.root = root
        self.options = options
        self.tell = tell
        made = root is not None and root.exists
        self.commits = root.commits(write_checkpoint=not options.dry_run) if root and made else CommitIndex.empty()
        if root is not None and made and not options.dry_run:
            root.settle(self.commits)
        sizes = [each.size or 0 for each in found if isinstance(each, Source)]
        tell(Progress("found", "", size=sum(sizes), files=len(found)))
        self.outcomes: dict[int, Outcome] = {}
        self.waiting = list(self._undecided())

    def _undecided(self) -> Iterator[Item]:
        """Yield the sources to convert. Enter the outcomes of arguments that are not sources, and of unchanged sources.

        Sources that the same run must convert stay together: either all of them are skipped here, or none of them.
        """
        converter = Converter(self.root, self.commits, self.options, self.tell, expected=len(self.found))
        skips = {
            index: skip
            for index, each in enumerate(self.found)
            if isinstance(each, Source) and not self.options.again and (skip := converter.unchanged(each))
        }
        changed = {name_key(each) for index, each in enumerate(self.found) if index not in skips}
        for index, each in enumerate(self.found):
            if isinstance(each, Failed):
                self.outcomes[index] = converter.one(each)
            elif index in skips and name_key(each) not in changed:
                self.outcomes[index] = converter.skipped(each, skips[index])
                self.tell(self.outcomes[index].event(each.url))
            else:
                yield index, each


class ConversionJob(Job[Summary]):
    """The conversion of sources into a root, in tasks."""

    def __init__(self, work: ConversionWork, tasks: list[Task], plan: _Plan, to: str, started: float) -> None:
        self.work = work
        self.tasks = tasks
        self._plan = plan
        self._to = to
        self._started = started

    @property
    def max_failures(self) -> int:
        """As in ``convert``."""
        return self._plan.options.max_failures or 0

    def tell(self, result: TaskResult) -> int | None:
        """Report the outcome of each source of a task."""
        if result.error is not None:
            return 0
        for _, outcome in result.value.outcomes:
            self._plan.tell(outcome.event(outcome.url))
        kinds = [outcome.kind for _, outcome in result.value.outcomes]
        return None if {*kinds} - {"failed"} else len(kinds)

    def finish(self, results: Iterable[TaskResult]) -> Summary:
        """Return the summary of the conversion, and make commits yield that have the same content as another commit.

        Raises DatasetError if the root cannot be read or written.
        """
        plan, options = self._plan, self.work_options
        best = best_results(results)
        found = dict(plan.outcomes)
        decoders = set()
        for result in best.values():
            if result.error is None:
                found.update(result.value.outcomes)
                decoders.add(result.value.decoder)
        self._fail_unrun(best, found)
        commits = self._settled(found)
        repeated = {
            index
            for result in best.values()
            if result.repeated and result.error is None
            for index, _ in result.value.outcomes
        }
        summary = Summary(
            root=without_credentials(self._to),
            sources=len(plan.found),
            dry_run=options.dry_run,
            decoder="reference" if "reference" in decoders else active_decoder(options.decoder),
        )
        for index, outcome in sorted(found.items()):
            corrected(outcome, plan.commits, commits, repeated=index in repeated).add_to(summary)
        summary.not_begun = len(plan.found) - len(found)
        summary.gave_up = summary.not_begun > 0
        if plan.root is not None and not options.dry_run:
            end_job(plan.root, summary, options)
        summary.seconds = time.monotonic() - self._started
        return summary

    @property
    def work_options(self) -> ConvertOptions:
        """The options of all tasks."""
        return self._plan.options

    def _fail_unrun(self, best: dict[int, TaskResult], found: dict[int, Outcome]) -> None:
        """Enter a failure for each source of tasks whose results all have errors."""
        for task in self.tasks:
            result = best.get(task.number)
            if result is not None and result.error is not None:
                for index, source in task.items:
                    if index not in found:
                        error = f"{source.url}: {result.error}"
                        found[index] = Outcome(source.name, "failed", url=source.url, error=error)
                        self._plan.tell(found[index].event(source.url))

    def _settled(self, found: dict[int, Outcome]) -> CommitIndex:
        """Undo or finish what killed tasks left, settle twins, and return the index of the commits as they are now."""
        root, options = self._plan.root, self._plan.options
        if root is None or options.dry_run or not root.exists:
            return self._plan.commits
        if not {outcome.kind for outcome in found.values()} - {"skipped"} and not self.tasks:
            return self._plan.commits
        root.recover()
        commits = root.commits(write_checkpoint=True)
        root.settle(commits)
        return commits


def end_job(root: Root, summary: Summary, options: ConvertOptions) -> None:
    """Do what each run does at its end: merge small files, on all cores of the driver, and publish the changes."""
    if root.exists:
        merge_and_publish(root, summary, replace(options, jobs=default_jobs()))


def corrected(outcome: Outcome, before: CommitIndex, after: CommitIndex, *, repeated: bool) -> Outcome:
    """Return what the job did with a source, which can differ from the outcome of the source's last attempt.

    If a task was repeated, the attempt that ended may have skipped a source that an earlier attempt had committed. If
    two tasks committed the same content at the same time, one of the commits has yielded, so its rows do not count.
    """
    if outcome.kind == "skipped" and repeated and not outcome.reason:
        return _committed_meanwhile(outcome, before, after) or outcome
    if outcome.kind == "committed":
        own = [head for head in after.by_source_name(outcome.name) if head.identity.account == outcome.account]
        if own and all(head.same_as is not None for head in own):
            kept = after.with_rows(own[0])
            reason = f"{kept.facts.source_name if kept else 'another source'} holds the same content"
            return replace(outcome, kind="skipped", report=None, reason=reason, rows_before=None)
    return outcome


def _committed_meanwhile(outcome: Outcome, before: CommitIndex, after: CommitIndex) -> Outcome | None:
    """Return the outcome of a source with a commit that did not exist when the job began, or None."""
    for head in after.by_source_name(outcome.name):
        known = before.get(head.identity)
        if head.facts.url == outcome.url and (known is None or known.content_id != head.content_id):
            commit = after.read(head.identity)
            if commit is not None and commit.same_as is None:
                rows_before = known.row_count if known is not None and known.same_as is None else None
                report = report_of(commit.facts.report)
                return replace(
                    outcome, kind="committed", report=report, account=head.identity.account, rows_before=rows_before
                )
    return None


def report_of(values: Any) -> Report:
    """Return the counts of a report in a commit record; counts that are missing are 0."""

    def counts(name: str) -> dict[str, PathCounts]:
        return {table: PathCounts(paths) for table, paths in values.get(name, {}).items()}

    numbers = {name: values.get(name, 0) for name in ("containers", "records", "quarantined", "items")}
    return Report(
        **numbers,
        rows=dict(values.get("rows", {})),
        rescued=counts("rescued"),
        undocumented=counts("undocumented"),
        container_values=list(values.get("container_values", [])),
    )

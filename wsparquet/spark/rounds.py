"""Runs the tasks of a job as tasks of Spark, in rounds: each round repeats the tasks that failed before.

Spark itself repeats a task whose executor dies, and gives up on all tasks if this happens four times to the same task.
The next round then runs the other tasks, and one task for each item of the task that failed. A task that returns an
error, for example because its executor sees another root, is repeated as long as other tasks succeed.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from wsparquet.distributed import Job, Task, TaskResult, Work
from wsparquet.errors import WsparquetError
from wsparquet.spark.errors import reason_of, text_of, translated

if TYPE_CHECKING:
    from pyspark import Accumulator, SparkContext

__all__ = ["run_job"]

R = TypeVar("R")

MOST_IDLE = 3
"""How many consecutive rounds may end without a result before the remaining tasks fail."""

MOST_ABORTED = 10
"""How many tasks may make Spark give up before the remaining tasks are left to the next call."""

REFUSED_SECONDS = 1.0
"""How long a task with an error waits, so that an executor that cannot work does not take the tasks of all others."""

TASK_FAILED = re.compile(r"Task (\d+) in stage [\d.]+ failed")
"""Spark's message about a task whose executors died. Tasks are numbered by their places in the stage."""

RAISED = re.compile(r"task (\d+) of wsparquet: (.*)")
"""The message of ``_Partition`` about a task that has raised an unexpected error. Tasks have the numbers of the job."""


def run_job(context: SparkContext, job: Job[R], *, title: str) -> R:
    """Run all tasks of a job, and return its result; ``title`` is what Spark's user interface shows.

    Raises:
        WsparquetError: Spark gave up, and not because of a single task.

    """
    rounds = _Rounds(context, job, title)
    rounds.run()
    return job.finish(rounds.results.values())


class _Rounds:
    def __init__(self, context: SparkContext, job: Job[Any], title: str) -> None:
        self.context = context
        self.job = job
        self.title = title
        self.results: dict[int, TaskResult] = {}
        self._failures: int | None = 0
        self._raised: BaseException | None = None
        self._group = f"wsparquet-{secrets.token_hex(8)}"
        self._gave_up = False

    def run(self) -> None:
        """Run rounds until each task has a result, or until the remaining tasks have to be left to the next call."""
        waiting = list(self.job.tasks)
        idle = aborted = 0
        repeated = False
        while waiting and idle < MOST_IDLE and aborted < MOST_ABORTED and not self._gave_up:
            before = self._done()
            guilty = self._round(waiting, repeated=repeated)
            # Spark counts the attempts of each round anew, but a task that was cut off may have committed sources.
            repeated = True
            waiting = [task for task in waiting if not self._is_done(task)]
            if guilty is not None:
                aborted += 1
                waiting = self._isolated(waiting, *guilty)
            else:
                idle = 0 if self._done() > before else idle + 1

    def _done(self) -> int:
        return sum(result.error is None for result in self.results.values())

    def _is_done(self, task: Task) -> bool:
        return task.number in self.results and self.results[task.number].error is None

    def _isolated(self, waiting: list[Task], guilty: Task, reason: str) -> list[Task]:
        """Return the tasks without the task that made Spark give up, and with one new task for each of its items."""
        waiting = [task for task in waiting if task is not guilty]
        if len(guilty.items) == 1:
            self.results[guilty.number] = TaskResult(guilty.number, error=reason)
            return waiting
        alone = guilty.split(first=len(self.job.tasks))
        self.job.tasks += alone
        return [*waiting, *alone]

    # --- One round ----------------------------------------------------------------------------------------------------

    def _round(self, tasks: list[Task], *, repeated: bool) -> tuple[Task, str] | None:
        """Run tasks. If a task made Spark give up, return this task and the reason.

        ``repeated``: an earlier round may have run the tasks, or some of their items, already.
        """
        from wsparquet.spark.results import ResultsParam

        results = self.context.accumulator([], ResultsParam(self._tell))
        speculates = self.context.getConf().get("spark.speculation", "false") == "true"
        run = _Partition(self.job.work, results, repeated=speculates or repeated)
        guilty = None
        try:
            with translated(), self._as_group():
                self.context.parallelize(tasks, len(tasks)).foreachPartition(run)
        except WsparquetError as error:
            guilty = _guilty(tasks, error.__cause__) if isinstance(error.__cause__, Exception) else None
            if guilty is None and not self._gave_up and self._raised is None:
                raise
        if self._raised is not None:
            raise self._raised
        return None if self._gave_up else guilty

    @contextmanager
    def _as_group(self) -> Iterator[None]:
        """Name the Spark job. If this process is interrupted, end the tasks that are running."""
        names = ("spark.jobGroup.id", "spark.job.description", "spark.job.interruptOnCancel")
        before = {name: self.context.getLocalProperty(name) for name in names}
        self.context.setJobGroup(self._group, self.title)
        try:
            yield
        except KeyboardInterrupt:
            self.context.cancelJobGroup(self._group)
            raise
        finally:
            for name, value in before.items():
                self.context.setLocalProperty(name, value)  # type: ignore[arg-type]  # None removes the property

    def _tell(self, result: TaskResult) -> None:
        """Store the result of a task. Spark calls this in a separate thread, which must not end by an exception."""
        self.results[result.number] = result
        try:
            failed = self.job.tell(result)
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._raised = error
            self.context.cancelJobGroup(self._group)
            return
        self._failures = None if failed is None or self._failures is None else self._failures + failed
        if self.job.max_failures and self._failures is not None and self._failures >= self.job.max_failures:
            self._gave_up = True
            self.context.cancelJobGroup(self._group)


class _Partition:
    """The function that an executor runs for the tasks of a partition."""

    def __init__(self, work: Work, results: Accumulator[list[TaskResult]], *, repeated: bool) -> None:
        self._work = work
        self._results = results
        self._repeated = repeated

    def __call__(self, tasks: Iterable[Task]) -> None:
        from dataclasses import replace

        from pyspark import TaskContext

        attempt = TaskContext.get()
        repeated = self._repeated or (attempt is not None and attempt.attemptNumber() > 0)
        for task in tasks:
            try:
                result = self._work(task)
            except Exception as error:
                # Spark does not always name the task of an error, so the error names it.
                raise RuntimeError(f"task {task.number} of wsparquet: {type(error).__name__}: {error}") from error
            if result.error is not None:
                time.sleep(REFUSED_SECONDS)
            self._results.add([replace(result, repeated=repeated)])


def _guilty(tasks: list[Task], error: Exception) -> tuple[Task, str] | None:
    """Return the task that Spark names in its error, and the reason; return None if it names none of these tasks."""
    text = f"{text_of(error)}\n{error}"
    by_number = {task.number: task for task in tasks}
    if (raised := RAISED.search(text)) and int(raised[1]) in by_number:
        return by_number[int(raised[1])], raised[2]
    if (lost := TASK_FAILED.search(text)) and int(lost[1]) < len(tasks):
        return tasks[int(lost[1])], f"Spark gave up on its task: {reason_of(error)}"
    return None

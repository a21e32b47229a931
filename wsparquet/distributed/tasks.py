"""Jobs, their tasks, and the results of tasks; all of them except jobs can be pickled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from wsparquet._version import software_version
from wsparquet.errors import DatasetError, WsparquetError

__all__ = ["Job", "Task", "TaskResult", "Work", "best_results"]

Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True)
class Task:
    """A part of a job, small enough to be repeated; ``items`` are for the job's ``work`` only."""

    number: int
    items: tuple[Any, ...] = field(repr=False)

    def split(self, first: int) -> list[Task]:
        """Return a task for each item, numbered from ``first``, to find the item that makes the task fail."""
        return [Task(first + index, (item,)) for index, item in enumerate(self.items)]


@dataclass(frozen=True)
class TaskResult:
    """The result of one run of a task: its value, or the error if the task could not begin or end.

    If single sources fail, the value has their errors, and ``error`` is None. ``repeated``: whether another attempt of
    the same task may have done some of its work. The engine that runs the tasks sets this flag.
    """

    number: int
    value: Any = field(default=None, repr=False)
    error: str | None = None
    repeated: bool = False


@dataclass(frozen=True, kw_only=True)
class Work(ABC):
    """The function that runs any task of a job. The function can be pickled, and its ``repr`` shows no secret.

    ``software``: the version of wsparquet that planned the job.
    """

    software: str = field(default_factory=software_version)

    def __call__(self, task: Task) -> TaskResult:
        """Run a task. Errors of wsparquet are returned, not raised, so that no engine logs them with a traceback."""
        try:
            self._check_software()
            return TaskResult(task.number, self.run(task.items))
        except WsparquetError as error:
            return TaskResult(task.number, error=str(error))

    def _check_software(self) -> None:
        if software_version() != self.software:
            raise DatasetError(
                f"expected {self.software} in every process, as on the driver, found {software_version()}; install the "
                "same version on all machines"
            )

    @abstractmethod
    def run(self, items: tuple[Any, ...]) -> Any:
        """Return the value of a task with these items. Raises WsparquetError if the task cannot begin or end."""


class Job(ABC, Generic[Result_co]):
    """A job on the driver. ``tasks`` has the largest tasks first; no task depends on another task."""

    work: Work
    tasks: list[Task]

    def tell(self, result: TaskResult) -> int | None:  # noqa: ARG002 - jobs with a listener use the result
        """Report the result of one task as soon as the task ends.

        Return how many of its sources failed, or None if the task shows that not all sources of the job fail.
        """
        return None

    @property
    def max_failures(self) -> int:
        """End the job after this many failures without a success; 0 means no limit."""
        return 0

    @abstractmethod
    def finish(self, results: Iterable[TaskResult]) -> Result_co:
        """Combine the results of the tasks.

        If a task has several results, a result without an error counts. The items of a task whose results all have
        errors failed. The items of a task without a result were not begun.
        """


def best_results(results: Iterable[TaskResult]) -> dict[int, TaskResult]:
    """Return one result of each task by its number, if possible a result without an error."""
    best: dict[int, TaskResult] = {}
    for result in results:
        if result.number not in best or result.error is None:
            best[result.number] = result
    return best

"""Jobs run without any engine: each task, and the work, is pickled on the way, as an engine would do."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any, TypeVar

from wsparquet.distributed import Job, TaskResult

R = TypeVar("R")


def sent(value: Any) -> Any:
    """What another process gets."""
    return pickle.loads(pickle.dumps(value))


def results(job: Job[Any]) -> Iterator[TaskResult]:
    """The results of all tasks, each of which opens the root anew, as in a process of its own."""
    for task in job.tasks:
        yield sent(sent(job.work)(sent(task)))


def run_job(job: Job[R]) -> R:
    """The result of a job. Each result is told when it is there."""
    found = []
    for result in results(job):
        job.tell(result)
        found.append(result)
    return job.finish(found)

"""Sends the result of each task to the driver through an accumulator, as soon as the task ends."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.accumulators import AccumulatorParam

from wsparquet.distributed import TaskResult

__all__ = ["ResultsParam"]


class ResultsParam(AccumulatorParam[list[TaskResult]]):
    """Collects results. On the driver, ``told`` is called with each result; executors get a copy without ``told``.

    Spark adds the values of a task exactly once, when the task has succeeded.
    """

    def __init__(self, told: Callable[[TaskResult], None] | None = None) -> None:
        self._told = told

    def __reduce__(self) -> tuple[type[ResultsParam], tuple[()]]:
        return type(self), ()

    def zero(self, value: list[TaskResult]) -> list[TaskResult]:  # noqa: ARG002 - Spark defines the parameter
        """Return no results."""
        return []

    def addInPlace(self, value1: list[TaskResult], value2: list[TaskResult]) -> list[TaskResult]:  # noqa: N802
        """Add results."""
        if self._told is not None:
            for result in value2:
                self._told(result)
        value1.extend(value2)
        return value1

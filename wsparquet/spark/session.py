"""Checks a Spark session, and looks at its executors."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from wsparquet.distributed.shared_root import SharedRoot, this_machine
from wsparquet.errors import OptionError, WsparquetError
from wsparquet.spark.errors import translated

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

__all__ = ["check_machines", "context_of", "cores_of_task", "imported_pyspark", "workers_of"]

LOOK_SECONDS = 0.2
"""How long each check of an executor takes, so that a single executor does not answer all checks."""


def imported_pyspark() -> Any:
    """Return the module ``pyspark``. Raises WsparquetError if PySpark is not installed."""
    try:
        import pyspark
    except ImportError as error:
        raise WsparquetError(
            "expected PySpark, found none; install it with `pip install 'wsparquet[spark]'`, or use the Python of your "
            "Spark installation"
        ) from error
    return pyspark


def context_of(spark: SparkSession) -> SparkContext:
    """Return the context of a session.

    Raises:
        WsparquetError: PySpark is not installed.
        OptionError: ``spark`` is not a session, or is a session of Spark Connect.

    """
    imported_pyspark()
    from pyspark.sql import SparkSession

    if type(spark).__module__.startswith("pyspark.sql.connect"):
        raise OptionError(
            "spark", "expected a session with a driver in this process, found Spark Connect; use spark-submit"
        )
    if not isinstance(spark, SparkSession):
        raise OptionError("spark", f"expected a SparkSession, found a value of type {type(spark).__name__}")
    return spark.sparkContext


def workers_of(context: SparkContext) -> int:
    """Return how many tasks the cluster runs at once, as far as it is known now."""
    cores: int = context.defaultParallelism
    return max(cores // cores_of_task(context), 1)


def cores_of_task(context: SparkContext) -> int:
    """Return how many cores each task has: ``spark.task.cpus``."""
    return int(context.getConf().get("spark.task.cpus", "1") or 1)


def check_machines(context: SparkContext, root: SharedRoot) -> None:
    """If the root is a folder, check on which machines the executors run.

    Each task checks again, because executors can start later.

    Raises:
        DatasetError: an executor runs on another machine than the driver.

    """
    if root.machine is None:
        return
    looks = 2 * max(context.defaultParallelism, 1)
    with translated():
        found = context.parallelize(range(looks), looks).mapPartitions(_look).collect()
    for machine in sorted({*found}):
        root.check_machine(machine)


def _look(_: Iterable[int]) -> Iterator[str]:
    time.sleep(LOOK_SECONDS)
    yield this_machine()

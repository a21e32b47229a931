"""Translates the errors of Spark into errors of wsparquet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from wsparquet.errors import WsparquetError

__all__ = ["reason_of", "spark_errors", "text_of", "translated"]

NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
MOST_SHOWN = 500


def spark_errors() -> tuple[type[Exception], ...]:
    """Return the classes of errors that PySpark raises if a job fails."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return Py4JError, PySparkException


def text_of(error: Exception) -> str:
    """Return the JVM's message if there is one, otherwise Python's message."""
    java = getattr(error, "java_exception", None)
    return str(java.getMessage() if java is not None else error)


def reason_of(error: Exception) -> str:
    """Return the cause of a failed job in one line, without tracebacks, with a remedy if the cause is well known."""
    text = text_of(error)
    if missing := NO_MODULE.search(str(error)) or NO_MODULE.search(text):
        return (
            f"the Python of the executors has no module {missing[1]}; install wsparquet there, in the version of the "
            "driver, and set PYSPARK_PYTHON or spark.pyspark.python to that Python"
        )
    return " ".join(text.partition("\n")[0].split())[:MOST_SHOWN]


@contextmanager
def translated() -> Iterator[None]:
    """Turn the errors of Spark into WsparquetError."""
    try:
        yield
    except spark_errors() as error:
        raise WsparquetError(
            f"Spark ended the job: {reason_of(error)}; committed sources stay committed, so correct "
            "the cause and run the job again"
        ) from error

"""Divides the memory of a run between its jobs and the writers.

The constants come from measured peaks, see ``benchmarks/README.md``. A test checks that runs stay within their memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from wsparquet.decode.model import BATCH_FACTOR, Limits
from wsparquet.errors import OptionError
from wsparquet.options import check_number

__all__ = ["DEFAULT_MEMORY", "LEAST_MEMORY", "MemoryPlan", "check_memory", "plan_memory"]

MEBIBYTE = 1 << 20

DEFAULT_MEMORY = 384 * MEBIBYTE
"""The memory in bytes that a run may take by default."""

START = 104 * MEBIBYTE
"""The memory in bytes of a process that has not begun to convert: Python, Arrow and this package."""

JOB = {"native": 18 * MEBIBYTE, "reference": 48 * MEBIBYTE}
"""What a job of each decoder takes besides unfinished rows: pieces of the source, buffers, and free memory between
them."""

ROWS_PER_TEXT = 2
"""The memory of a job's unfinished and last finished rows, divided by the size of a batch's source text."""

LEAST_TEXT, MOST_TEXT = 2 * MEBIBYTE, Limits().batch_bytes * BATCH_FACTOR
"""The minimum and the maximum size in bytes of a batch's source text. Smaller batches take more time."""

LEAST_WRITERS = 16 * MEBIBYTE
"""The minimum memory for the unfinished files of a job, in bytes. With less memory, row groups would become very
small."""

LEAST_MEMORY = START + LEAST_WRITERS + JOB["reference"] + ROWS_PER_TEXT * LEAST_TEXT
"""The minimum memory of a run, in bytes: enough for one job with any decoder."""


@dataclass(frozen=True)
class MemoryPlan:
    """How a run uses its memory.

    ``jobs``: how many sources it converts at the same time. ``batch_bytes``: the value of ``Limits.batch_bytes`` for
    the decoders. ``writers``: the memory for unfinished files of all jobs together, in bytes.
    """

    jobs: int
    batch_bytes: int
    writers: int


def check_memory(memory: object) -> None:
    """Refuse memory that is too little for one job. Raises OptionError."""
    check_number("memory", memory, minimum=1)
    if cast("int", memory) < LEAST_MEMORY:
        found = f"{cast('int', memory) / MEBIBYTE:.1f} MiB"
        raise OptionError("memory", f"expected {LEAST_MEMORY // MEBIBYTE} MiB or more, found {found}")


def plan_memory(memory: int, *, jobs: int, decoder: str) -> MemoryPlan:
    """Return how a run with at most ``jobs`` jobs uses ``memory`` bytes.

    The run has fewer jobs if ``jobs`` jobs need more memory.
    """
    free = memory - START
    job = JOB[decoder]
    least = job + LEAST_WRITERS + ROWS_PER_TEXT * LEAST_TEXT
    carried = max(1, min(jobs, free // least))
    # A third of the remaining memory makes batches larger, up to a limit; the rest makes row groups larger.
    text = min(MOST_TEXT, LEAST_TEXT + (free // carried - least) // (3 * ROWS_PER_TEXT))
    return MemoryPlan(carried, text // BATCH_FACTOR, free - carried * (job + ROWS_PER_TEXT * text))

"""Divides a job into tasks that any engine can run in any process on any machine: Spark, Ray, Dask, or a process pool.

A plan function, such as ``plan_conversion``, runs on one machine, the driver. The function opens the root, lists the
sources once, and returns a job. Every task of the job is then passed to the job's ``work``, a picklable function that
knows no engine. ``finish`` turns the results of the tasks into the same result that the command on one machine has:

    >>> from wsparquet.distributed import plan_conversion
    >>> job = plan_conversion("downloads/", to="lake")
    >>> job.finish(map(job.work, job.tasks))
    <Summary root=...lake, sources=2, committed=2, records=40, seconds=...>

A task that runs twice, or twice at once, commits nothing twice: the commits are those of ``convert``. Tasks open the
root by its path and its random id, and never create a root.
"""

from __future__ import annotations

from wsparquet.distributed.compactions import CompactJob, plan_compact
from wsparquet.distributed.conversions import ConversionJob, plan_conversion
from wsparquet.distributed.replays import ReplayJob, SearchJob, plan_replay
from wsparquet.distributed.synchronisations import SyncJob, plan_sync
from wsparquet.distributed.tasks import Job, Task, TaskResult, Work
from wsparquet.distributed.verifications import VerifyJob, plan_verify

__all__ = [
    "CompactJob",
    "ConversionJob",
    "Job",
    "ReplayJob",
    "SearchJob",
    "SyncJob",
    "Task",
    "TaskResult",
    "VerifyJob",
    "Work",
    "plan_compact",
    "plan_conversion",
    "plan_replay",
    "plan_sync",
    "plan_verify",
]

"""The functions of wsparquet that use a Spark cluster instead of the cores of one machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Unpack

from wsparquet.compaction import Compaction, CompactOptions
from wsparquet.compaction.options import CompactKeywords
from wsparquet.conversion.options import ConvertKeywords, ConvertOptions
from wsparquet.conversion.summary import Summary
from wsparquet.dataset import Access
from wsparquet.distributed import plan_compact, plan_conversion, plan_replay, plan_sync, plan_verify
from wsparquet.distributed.batches import DEFAULT_TASK_BYTES
from wsparquet.distributed.shared_root import SharedRoot
from wsparquet.preflight import check_root
from wsparquet.progress import Listener
from wsparquet.source import Sources
from wsparquet.spark.rounds import run_job
from wsparquet.spark.session import check_machines, context_of, cores_of_task, workers_of
from wsparquet.synchronisation import SyncOptions, SyncSummary
from wsparquet.synchronisation.options import SyncKeywords
from wsparquet.verification import Verification, VerifyOptions
from wsparquet.verification.verify import VerifyKeywords

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

__all__ = ["compact", "convert", "replay", "sync", "verify"]


def convert(
    spark: SparkSession,
    sources: Sources,
    to: str | os.PathLike[str],
    *,
    task_bytes: int = DEFAULT_TASK_BYTES,
    options: ConvertOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[ConvertKeywords],
) -> Summary:
    """Convert sources into the datasets below the root ``to`` on the executors, and return the outcome of each source.

    The arguments, the result and the errors are those of ``wsparquet.convert``. The driver lists the sources once and
    creates the root; the executors open the root by its id, and read the sources and commit by themselves. A task takes
    sources until it has ``task_bytes`` stored bytes. ``jobs`` is replaced by ``spark.task.cpus``. ``on_progress`` is
    called on the driver with the outcome of each source when its task ends. ``max_failures`` counts the sources of
    tasks that have ended. With ``compact=True``, the driver merges the small files; for large roots, call ``compact``
    of this module instead.

    Raises:
        DatasetError: also if the root is a folder, and an executor runs on another machine than the driver.
        OptionError: also if ``spark`` is a session of Spark Connect.
        WsparquetError: also if PySpark is not installed, or Spark itself ended the job.

    """
    context = _context_for(spark, to)
    keywords["jobs"] = cores_of_task(context)
    job = plan_conversion(
        sources,
        to,
        workers=workers_of(context),
        task_bytes=task_bytes,
        options=options,
        on_progress=on_progress,
        **keywords,
    )
    return run_job(context, job, title="wsparquet convert")


def sync(
    spark: SparkSession,
    to: str | os.PathLike[str],
    *,
    task_bytes: int = DEFAULT_TASK_BYTES,
    options: SyncOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[SyncKeywords],
) -> SyncSummary:
    """Bring the root ``to`` up to date on the executors: download and convert the files of the server that are missing.

    The arguments, the result and the errors are those of ``wsparquet.sync``, with the differences that ``convert`` of
    this module has. The driver asks the server for its list; the executors download and convert. ``downloads`` counts
    for each task and is 1 by default, so the server receives as many requests at once as there are tasks.
    """
    context = _context_for(spark, to)
    job = plan_sync(
        to,
        workers=workers_of(context),
        task_bytes=task_bytes,
        options=options,
        on_progress=on_progress,
        jobs=cores_of_task(context),
        **keywords,
    )
    return run_job(context, job, title="wsparquet sync")


def replay(
    spark: SparkSession,
    root: str | os.PathLike[str],
    raw: Sources,
    *,
    task_bytes: int = DEFAULT_TASK_BYTES,
    options: ConvertOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[ConvertKeywords],
) -> Summary:
    """Repeat on the executors the conversion of sources that an older version did not fully understand.

    The arguments, the result and the errors are those of ``wsparquet.replay``, with the differences that ``convert`` of
    this module has. A first Spark job finds the raw files by their checksums, and a second Spark job converts them.
    """
    context = _context_for(spark, root)
    keywords["jobs"] = cores_of_task(context)
    search = plan_replay(
        root,
        raw,
        workers=workers_of(context),
        task_bytes=task_bytes,
        options=options,
        on_progress=on_progress,
        **keywords,
    )
    job = run_job(context, search, title="wsparquet replay: find raw files")
    return run_job(context, job, title="wsparquet replay")


def verify(
    spark: SparkSession,
    root: str | os.PathLike[str],
    *,
    against: Sources = (),
    task_bytes: int = DEFAULT_TASK_BYTES,
    options: VerifyOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[VerifyKeywords],
) -> Verification:
    """Check on the executors that a root contains exactly what its commit records say, and return all problems.

    The arguments, the result and the errors are those of ``wsparquet.verify``, with the differences that ``convert`` of
    this module has. The driver looks for problems that only a look at the whole root shows, such as files without a
    record.
    """
    context = _context_for(spark, root)
    keywords["jobs"] = cores_of_task(context)
    job = plan_verify(
        root,
        against=against,
        workers=workers_of(context),
        task_bytes=task_bytes,
        options=options,
        on_progress=on_progress,
        **keywords,
    )
    return run_job(context, job, title="wsparquet verify")


def compact(
    spark: SparkSession,
    root: str | os.PathLike[str],
    *,
    task_bytes: int = DEFAULT_TASK_BYTES,
    options: CompactOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[CompactKeywords],
) -> Compaction:
    """Merge the small files of each table and day into few large ones on the executors.

    The arguments, the result and the errors are those of ``wsparquet.compact``, with the differences that ``convert``
    of this module has. A task merges whole days, one after the other, and has the budget ``memory`` for itself.
    ``jobs`` has no effect.
    """
    context = _context_for(spark, root)
    job = plan_compact(
        root, workers=workers_of(context), task_bytes=task_bytes, options=options, on_progress=on_progress, **keywords
    )
    return run_job(context, job, title="wsparquet compact")


def _context_for(spark: SparkSession, root: str | os.PathLike[str]) -> SparkContext:
    """Return the context of a session, after a check that all executors can use the root."""
    context = context_of(spark)
    check_root(root)
    check_machines(context, SharedRoot.of(None, root, Access()))
    return context

"""The conversion of many sources into the datasets of a root, several at a time.

This module does not write to a terminal: a callback receives events, and the result is a ``Summary``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Unpack

from wsparquet.commit import CommitIndex
from wsparquet.conversion.claims import in_order
from wsparquet.conversion.converter import TRIES, Converter
from wsparquet.conversion.failure_limit import FailureLimit
from wsparquet.conversion.options import ConvertKeywords, ConvertOptions
from wsparquet.conversion.outcome import Outcome
from wsparquet.conversion.shard import Shard
from wsparquet.conversion.summary import Summary
from wsparquet.dataset import Access, Root
from wsparquet.dataset.masking import wanted_masks
from wsparquet.decode import active_decoder
from wsparquet.errors import DatasetError
from wsparquet.iceberg import publish_changes
from wsparquet.layout import Identity
from wsparquet.options import make_options
from wsparquet.preflight import check_apart, check_root
from wsparquet.progress import Listener, Progress, logged, telling_ignored
from wsparquet.redaction import without_credentials
from wsparquet.source import Failed, Source, Sources, as_list, expand

if TYPE_CHECKING:
    from wsparquet.compaction import Compaction

__all__ = ["convert", "end_run", "merge_and_publish", "opened_to_write", "outcomes", "reporting"]

SIGNAL_SECONDS = 0.2
"""The longest time in seconds that a run waits before it handles signals."""


def convert(
    sources: Sources,
    to: str | os.PathLike[str],
    *,
    options: ConvertOptions | None = None,
    on_progress: Listener | None = None,
    **keywords: Unpack[ConvertKeywords],
) -> Summary:
    """Convert sources into the datasets below the root ``to``, and return the outcome of each source.

    ``sources`` is a path, glob, folder or fsspec URL, ``-`` for standard input, or a list of them. Each source becomes
    one commit. If a source fails, the summary has the reason, and the other sources are still converted. A source that
    is committed already is skipped. If the first ``max_failures`` sources all fail, the run begins no further source.
    ``on_progress`` is called from several threads. The keyword arguments are the fields of ``ConvertOptions``, and they
    take precedence over ``options``.

    >>> wsparquet.convert("downloads/", to="lake", jobs=2).raise_for_failures()
    <Summary root=lake, sources=2, committed=2, records=40, seconds=...>
    >>> wsparquet.convert("downloads/", to="lake")
    <Summary root=lake, sources=2, skipped=2, seconds=...>

    Raises:
        OptionError: a keyword argument is unknown or has an invalid value; this error is also a ValueError.
        PlaceError: no root can be at ``to``, or the root would contain a source; this error is also a DatasetError.
        DatasetError: the root cannot be opened or written.
        SchemaError: the root has another schema version.
        KeyboardInterrupt: the run was interrupted. The argument of the error is the ``Summary`` of what it did.

    """
    options = make_options(ConvertOptions, options, keywords)
    given = as_list(sources)
    check_root(to)
    check_apart(given, to)
    decoder = active_decoder(options.decoder)
    started = time.monotonic()
    tell = logged(on_progress)
    found = expand(given, exclude=os.fspath(to), storage_options=options.storage_options, ignored=telling_ignored(tell))
    if shard := Shard.parse(options.shard):
        found = [each for each in found if shard.has(each)]
    summary = Summary(
        root=without_credentials(os.fspath(to)), sources=len(found), dry_run=options.dry_run, decoder=decoder
    )
    with reporting(summary, started), _opened(to, options) as root:
        commits = root.commits(write_checkpoint=not options.dry_run) if root is not None else CommitIndex.empty()
        if root is not None and not options.dry_run:
            root.settle(commits)
        converter = Converter(root, commits, options, tell, expected=len(found))
        limit = FailureLimit(options.max_failures)
        for _, outcome in outcomes(converter, found, limit=limit):
            outcome.add_to(summary)
        summary.not_begun, summary.gave_up = limit.not_begun, limit.not_begun > 0
        if root is not None and not options.dry_run:
            end_run(root, summary, options)
    return summary


@contextmanager
def reporting(summary: Summary, started: float) -> Iterator[None]:
    """Complete the summary of a run that began at ``started``, a time of ``time.monotonic``.

    If the run is interrupted, the summary becomes the argument of the KeyboardInterrupt.
    """
    try:
        yield
    except KeyboardInterrupt as interruption:
        ended = len(summary.committed) + len(summary.skipped) + len(summary.failures)
        summary.not_begun = summary.sources - ended
        interruption.args = (summary,)
        raise
    finally:
        summary.seconds = time.monotonic() - started


def end_run(root: Root, summary: Summary, options: ConvertOptions, *, compact: bool = True) -> None:
    """Do what each run does after its last commit: settle rows, merge small files if the options say so, and publish.

    Without ``compact``, no files are merged, for example because the run was interrupted.
    """
    if not root.exists:
        return
    if summary.committed:
        root.settle(root.commits())
    merge_and_publish(root, summary, options, compact=compact)


def merge_and_publish(root: Root, summary: Summary, options: ConvertOptions, *, compact: bool = True) -> None:
    """Merge small files if the options say so, and publish the changes of a run, as ``end_run`` does."""
    if options.compact and compact:
        summary.compaction = _compacted(root, options)
    try:
        publish_changes(root)
    except DatasetError as error:
        summary.unpublished = str(error)


def _compacted(root: Root, options: ConvertOptions) -> Compaction:
    """Merge the small files of a root's older days."""
    # Imported only here: most conversions do not merge files, and the import takes 40 ms.
    from wsparquet.compaction import CompactOptions, compact_root

    return compact_root(root, CompactOptions(jobs=options.jobs))


@contextmanager
def opened_to_write(to: str | os.PathLike[str], access: Access) -> Iterator[Root]:
    """Open the root for a run that adds commits, and clean up after dead attempts.

    If there was no root and the run creates none, leave nothing.
    """
    root = Root.open_to_write(to, access=access)
    try:
        root.check_privacy()
        root.recover()
        yield root
    finally:
        root.discard_if_unmade()


@contextmanager
def _opened(to: str | os.PathLike[str], options: ConvertOptions) -> Iterator[Root | None]:
    """Open the root for a run. In a dry run nothing is written, and without a root the context provides None."""
    if not options.dry_run:
        with opened_to_write(to, options.access) as root:
            yield root
        return
    # An empty folder is not a root yet, but a conversion would make it a root.
    found = Root.open_if_exists(to, access=options.access)
    if found is None:
        # A policy whose key is missing is an error in a dry run, too.
        wanted_masks(options.access)
    yield found


def outcomes(
    converter: Converter,
    found: Sequence[Source | Failed],
    into: Sequence[Identity] | None = None,
    *,
    limit: FailureLimit | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """Yield the index and the outcome of every source that ``limit`` allows to begin, in the order of the sources.

    ``into``: if the sources repeat commits, the identity of the commit that each source repeats. If the run is
    interrupted, the error follows the outcomes of the sources that have ended; sources in progress have none.
    """
    sizes = [source.size or 0 for source in found if isinstance(source, Source)]
    converter.tell(Progress("found", "", size=sum(sizes), files=len(found)))
    converter.claims.expect(found)

    def one(index: int) -> Outcome | None:
        source = found[index]
        convert_one = partial(converter.one, into=into[index] if into else None)
        with converter.claims.turn_of(source):
            outcome = convert_one(source) if limit is None else limit.applied_to(convert_one)(source)
        interrupted = outcome is not None and outcome.kind == "failed" and converter.stopped
        return None if interrupted else outcome

    with ThreadPoolExecutor(converter.threads, thread_name_prefix="wsparquet") as pool:
        futures = {index: pool.submit(one, index) for index in in_order(found)}
        try:
            _wait_for_all(list(futures.values()))
        except BaseException:
            # After an interruption, each source in progress deletes its own files.
            converter.stop()
            pool.shutdown(cancel_futures=True)
            yield from _ended(futures)
            raise
    results = dict(_ended(futures))
    indices = {id(source): index for index, source in enumerate(found)}
    for _ in range(TRIES):
        for source in converter.take_lost_references():
            results[indices[id(source)]] = converter.one(source)
    yield from results.items()


def _ended(futures: Mapping[int, Future[Outcome | None]]) -> Iterator[tuple[int, Outcome]]:
    """Yield the index and the outcome of each source that has an outcome, in the order of the sources."""
    for index, future in sorted(futures.items()):
        if not future.cancelled() and future.exception() is None and (outcome := future.result()) is not None:
            yield index, outcome


def _wait_for_all(futures: Sequence[Future[Outcome | None]]) -> None:
    """Wait until every source is done. Errors other than the failure of a single source are raised immediately."""
    remaining = iter(range(len(futures) - 1, -1, -1))
    ended = threading.Event()

    def done(future: Future[Outcome | None]) -> None:
        # Advancing an iterator is atomic, and each future calls this function once.
        if next(remaining) == 0 or (not future.cancelled() and future.exception() is not None):
            ended.set()

    for future in futures:
        future.add_done_callback(done)
    # If a wait had no limit, a signal that arrives just before the wait would be handled only after it.
    while futures and not ended.wait(SIGNAL_SECONDS):
        pass
    for future in futures:
        if future.done():
            future.result()

"""Many sources into the datasets of a root, several at a time.

Nothing here knows a terminal: what happens is told to a callback as events, and the outcome is a ``Summary``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from wsparquet.commit import CommitIndex
from wsparquet.conversion.converter import Converter
from wsparquet.conversion.options import ConvertOptions
from wsparquet.conversion.outcome import Outcome
from wsparquet.conversion.summary import Summary
from wsparquet.dataset import Root
from wsparquet.decode import active_decoder
from wsparquet.preflight import check_apart, check_root
from wsparquet.progress import Listener, Progress, ignore
from wsparquet.redaction import without_credentials
from wsparquet.source import Failed, Source, expand

__all__ = ["convert", "outcomes"]


def convert(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    to: str | os.PathLike[str],
    *,
    options: ConvertOptions | None = None,
    on_progress: Listener | None = None,
) -> Summary:
    """Convert sources into the datasets below the root ``to``, each into one commit of its own.

    Sources are paths, globs, directories, ``-`` or fsspec URLs. One that fails is reported in the summary and does not
    stop the others; one that is committed already is skipped. ``on_progress`` is called from several threads.

    Raises:
        PlaceError: there can be no root at ``to``, or it would hold a source; it is a DatasetError.
        DatasetError: the root cannot be opened or written.
        SchemaError: the root has another schema version.

    """
    options = options or ConvertOptions()
    given = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
    check_root(to)
    check_apart(given, to)
    decoder = active_decoder(options.decoder)
    started = time.monotonic()
    found = expand(given, exclude=os.fspath(to), storage_options=options.storage_options)
    root = _open_root(to, options)
    commits = root.commits(write_checkpoint=not options.dry_run) if root is not None else CommitIndex.empty()
    converter = Converter(root, commits, options, on_progress or ignore, expected=len(found))
    summary = Summary(
        root=without_credentials(os.fspath(to)), sources=len(found), dry_run=options.dry_run, decoder=decoder
    )
    for outcome in outcomes(converter, found):
        outcome.add_to(summary)
    summary.seconds = time.monotonic() - started
    return summary


def _open_root(to: str | os.PathLike[str], options: ConvertOptions) -> Root | None:
    """The root, with all that dead attempts left behind cleared; None where a dry run has none to look at."""
    if options.dry_run:
        # An empty folder is no root yet, but a conversion would make it one. Joined as text: it may be a URL.
        return Root.open_if_exists(to, access=options.access)
    root = Root.open(to, access=options.access)
    root.recover()
    return root


def outcomes(converter: Converter, found: Sequence[Source | Failed]) -> Iterator[Outcome]:
    """Every source's outcome, in the order of the sources."""
    sizes = [source.size or 0 for source in found if isinstance(source, Source)]
    converter.tell(Progress("found", "", size=sum(sizes), files=len(found)))
    with ThreadPoolExecutor(converter.threads, thread_name_prefix="wsparquet") as pool:
        futures = [pool.submit(converter.one, source) for source in found]
        try:
            _wait_for_all(futures)
        except BaseException:
            # Interrupted: sources under way take their own files with them.
            converter.stop()
            pool.shutdown(cancel_futures=True)
            raise
        yield from (future.result() for future in futures)


def _wait_for_all(futures: Sequence[Future[Outcome]]) -> None:
    """Wait until every source is done, or one has raised what is no source's failure, which is raised here."""
    done, _ = wait(futures, return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()

"""Downloads files from the server to a folder or URL, without converting them."""

from __future__ import annotations

import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Unpack

from wsparquet.api import Client, FileGone, ListedFile, Retry
from wsparquet.conversion.summary import Failure
from wsparquet.errors import WsparquetError
from wsparquet.options import make_options
from wsparquet.preflight import check_raw
from wsparquet.progress import Listener, Progress, logged
from wsparquet.synchronisation.download import Fetcher
from wsparquet.synchronisation.listed import refused
from wsparquet.synchronisation.loop import run_coroutine
from wsparquet.synchronisation.options import FetchKeywords, FetchOptions
from wsparquet.synchronisation.raw_files import Shelf, make_shelf
from wsparquet.synchronisation.stop import Stop
from wsparquet.synchronisation.summary import FetchSummary

__all__ = ["count_retry", "fetch", "record_failure"]


def record_failure(summary: FetchSummary, file: ListedFile, error: WsparquetError) -> None:
    """Count a file that could not be downloaded."""
    failure = Failure(file.name, file.places[0], str(error))
    (summary.gone if isinstance(error, FileGone) else summary.failures).append(failure)


def count_retry(summary: FetchSummary, tell: Listener, retry: Retry) -> None:
    """Count a retried request, and report the retry."""
    summary.retries += 1
    tell(Progress("retried", retry.url.rpartition("/")[2], retry.url, error=retry.reason))


def fetch(
    into: str,
    *,
    options: FetchOptions | None = None,
    on_progress: Listener | None = None,
    stop: Stop | None = None,
    **keywords: Unpack[FetchKeywords],
) -> FetchSummary:
    """Download the listed files that are not yet in ``into``, a folder or an fsspec URL.

    The files go into ``account/<account>/`` below ``into``, so that a later conversion can read the account from the
    path. If a file fails, the summary contains the reason, and the other files are still downloaded. The keyword
    arguments are the fields of ``FetchOptions`` and override those of ``options``. A run without files leaves no new
    folder. The function also works inside a running event loop, as in Jupyter.

    >>> api = wsparquet.ApiOptions(base_url=server)
    >>> wsparquet.fetch("raw", account="75555851", credentials=credentials, api=api).raise_for_failures()
    <FetchSummary account=75555851, listed=2, downloaded=2, seconds=...>

    Raises:
        OptionError: a keyword argument is unknown or has an invalid value; this error is also a ValueError.
        PlaceError: ``into`` is in a root; this error is also a DatasetError.
        ApiError: the server does not send its list of files.
        DatasetError: ``into`` cannot be created, or its bucket does not exist; wsparquet never creates a bucket.

    """
    options = make_options(FetchOptions, options, keywords)
    check_raw(into)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wsparquet-") as scratch:
        shelf = make_shelf(
            into, account=options.account, scratch=Path(scratch), storage_options=options.storage_options or {}
        )
        run = _Fetch(shelf, options, logged(on_progress), stop or Stop())
        try:
            run_coroutine(run.all())
        finally:
            shelf.discard_if_empty()
    run.summary.seconds = time.monotonic() - started
    return run.summary


class _Fetch:
    """The state of one call of ``fetch``."""

    def __init__(self, shelf: Shelf, options: FetchOptions, tell: Listener, stop: Stop) -> None:
        self.shelf = shelf
        self.options = options
        self.tell = tell
        self.stop = stop
        self.summary = FetchSummary(options.account)
        self.downloading = asyncio.Semaphore(options.downloads)

    async def all(self) -> None:
        """Download all files that are still missing."""
        options, summary = self.options, self.summary
        retried = partial(count_retry, summary, self.tell)
        async with Client(options.account, options.credentials, options=options.api, on_retry=retried) as client:
            listing = await self.stop.unless_asked(client.list_files(*options.span()))
            if listing is None:
                summary.interrupted = True
                return
            summary.listed = len(listing.files)
            summary.refused = refused(listing)
            wanted = [file for file in listing.files if not self.shelf.kept(file.name)]
            summary.present = len(listing.files) - len(wanted)
            self.tell(Progress("found", "", files=len(wanted)))
            fetcher = Fetcher(client, self.shelf, self.tell)
            with self.stop.files_in_progress():
                async with asyncio.TaskGroup() as group:
                    for file in wanted:
                        group.create_task(self.one(fetcher, file))

    async def one(self, fetcher: Fetcher, file: ListedFile) -> None:
        """Download one file, unless a stop was requested."""
        async with self.downloading:
            if self.stop.asked:
                self.summary.interrupted = True
                self.summary.not_begun += 1
                return
            try:
                fetched = await fetcher.fetch(file)
            except WsparquetError as error:
                record_failure(self.summary, file, error)
                self.tell(Progress("failed", file.name, file.places[0], error=str(error)))
                return
        self.shelf.release(file.name)
        self.summary.downloaded.append(file.name)
        self.summary.downloaded_bytes += fetched.size

"""Downloads files into a folder or to a URL without converting them."""

from __future__ import annotations

import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path

from wsparquet.api import Client, FileGone, ListedFile, Retry
from wsparquet.conversion.summary import Failure
from wsparquet.errors import WsparquetError
from wsparquet.preflight import check_raw
from wsparquet.progress import Listener, Progress, ignore
from wsparquet.synchronisation.download import Fetcher
from wsparquet.synchronisation.listed import refused
from wsparquet.synchronisation.options import FetchOptions
from wsparquet.synchronisation.raw_files import Shelf, make_shelf
from wsparquet.synchronisation.stop import Stop
from wsparquet.synchronisation.summary import FetchSummary

__all__ = ["count_retry", "fetch", "record_failure"]


def record_failure(summary: FetchSummary, file: ListedFile, error: WsparquetError) -> None:
    """Count a file that could not be downloaded."""
    failure = Failure(file.name, file.urls[0], str(error))
    (summary.gone if isinstance(error, FileGone) else summary.failures).append(failure)


def count_retry(summary: FetchSummary, tell: Listener, retry: Retry) -> None:
    """Count a retried request and report it to the listener."""
    summary.retries += 1
    tell(Progress("retried", retry.url.rpartition("/")[2], retry.url, error=retry.reason))


def fetch(
    into: str,
    *,
    options: FetchOptions,
    on_progress: Listener | None = None,
    stop: Stop | None = None,
) -> FetchSummary:
    """Download every listed file that is not yet in ``into``, a folder or an fsspec URL.

    The files go to ``account/<account>/`` below ``into``, so that ``wsparquet convert`` knows their account. A file
    that fails is reported in the summary and does not stop the others.

    Raises:
        PlaceError: ``into`` lies in a root; it is a DatasetError.
        ApiError: the server cannot be asked for its list.
        DatasetError: ``into`` cannot be created, or its bucket does not exist; wsparquet never creates a bucket.

    """
    check_raw(into)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="wsparquet-") as scratch:
        shelf = make_shelf(
            into, account=options.account, scratch=Path(scratch), storage_options=options.storage_options or {}
        )
        run = _Fetch(shelf, options, on_progress or ignore, stop or Stop())
        asyncio.run(run.all())
    run.summary.seconds = time.monotonic() - started
    return run.summary


class _Fetch:
    """All files of one call."""

    def __init__(self, shelf: Shelf, options: FetchOptions, tell: Listener, stop: Stop) -> None:
        self.shelf = shelf
        self.options = options
        self.tell = tell
        self.stop = stop
        self.summary = FetchSummary(options.account)
        self.downloading = asyncio.Semaphore(options.downloads)

    async def all(self) -> None:
        """Download the missing files."""
        options, summary = self.options, self.summary
        retried = partial(count_retry, summary, self.tell)
        async with Client(options.account, options.credentials, options=options.api, on_retry=retried) as client:
            listing = await client.list_files(*options.span())
            summary.listed = len(listing.files)
            summary.refused = refused(listing)
            wanted = [file for file in listing.files if not self.shelf.kept(file.name)]
            summary.present = len(listing.files) - len(wanted)
            self.tell(Progress("found", "", files=len(wanted)))
            fetcher = Fetcher(client, self.shelf, self.tell)
            async with asyncio.TaskGroup() as group:
                for file in wanted:
                    group.create_task(self.one(fetcher, file))

    async def one(self, fetcher: Fetcher, file: ListedFile) -> None:
        """Download one file, unless a stop was requested."""
        async with self.downloading:
            if self.stop.asked:
                self.summary.interrupted = True
                return
            try:
                fetched = await fetcher.fetch(file)
            except WsparquetError as error:
                record_failure(self.summary, file, error)
                self.tell(Progress("failed", file.name, file.urls[0], error=str(error)))
                return
        self.shelf.release(file.name)
        self.summary.downloaded.append(file.name)
        self.summary.downloaded_bytes += fetched.size

"""One synchronization run: downloads and converts, concurrently, the listed files that are not committed."""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol, Unpack

from wsparquet.api import Client, FileGone, ListedFile, Listing
from wsparquet.commit import CommitHeader, CommitIndex
from wsparquet.conversion.converter import TRIES, Converter
from wsparquet.conversion.outcome import Outcome
from wsparquet.conversion.run import end_run, opened_to_write
from wsparquet.conversion.summary import Summary
from wsparquet.dataset import Root
from wsparquet.decode import active_decoder
from wsparquet.errors import WsparquetError
from wsparquet.options import make_options
from wsparquet.preflight import check_raw, check_root
from wsparquet.progress import Listener, Progress, logged
from wsparquet.source import Failed, Source, expand
from wsparquet.synchronisation.download import Fetched, Fetcher
from wsparquet.synchronisation.fetch import count_retry, record_failure
from wsparquet.synchronisation.listed import ARCHIVE, committed, refused
from wsparquet.synchronisation.loop import run_coroutine
from wsparquet.synchronisation.missing import Ledger
from wsparquet.synchronisation.options import SyncKeywords, SyncOptions
from wsparquet.synchronisation.raw_files import Shelf, make_shelf
from wsparquet.synchronisation.stop import Stop
from wsparquet.synchronisation.summary import FetchSummary, SyncSummary

__all__ = ["Notes", "SyncRun", "sync"]


def sync(
    to: str | os.PathLike[str],
    *,
    options: SyncOptions | None = None,
    on_progress: Listener | None = None,
    stop: Stop | None = None,
    **keywords: Unpack[SyncKeywords],
) -> SyncSummary:
    """Bring the root ``to`` up to date: download and convert the server's files that are not committed in it.

    Every run requests the server's complete list, so a later run also converts files that failed before or appeared
    late. If a file fails, the summary contains the reason, and the other files are still converted. ``on_progress`` is
    called from several threads. The keyword arguments are the fields of ``SyncOptions`` and override those of
    ``options``. The function also works inside a running event loop, as in Jupyter.

    >>> api = wsparquet.ApiOptions(base_url=server)
    >>> wsparquet.sync("new-lake", account="75555851", credentials=credentials, api=api).raise_for_failures()
    <SyncSummary account=75555851, listed=2, downloaded=2, seconds=..., root=...new-lake, committed=2, records=40>

    Raises:
        OptionError: a keyword argument is unknown or has an invalid value; this error is also a ValueError.
        PlaceError: ``to`` cannot become a root, or ``raw`` is in the root; this error is also a DatasetError.
        ApiError: the server does not send its list of files.
        DatasetError: the root, or the folder or URL for raw files, cannot be opened or written.
        SchemaError: the root has another schema version.

    """
    options = make_options(SyncOptions, options, keywords)
    check_root(to)
    if options.raw is not None:
        check_raw(options.raw, to)
    started = time.monotonic()
    decoder = active_decoder(options.convert.decoder)
    with opened_to_write(to, options.access) as root:
        ledger = Ledger.open(root, options.account)
        with root.scratch() as scratch:
            run = SyncRun(root, ledger, options, logged(on_progress), stop or Stop())
            run.converted = Summary(root=root.place, decoder=decoder)
            run_coroutine(run.all(scratch))
        if run.has_listed:
            ledger.write(root)
        end_run(root, run.converted, options.convert, compact=not run.fetched.interrupted)
    run.converted.seconds = run.fetched.seconds = time.monotonic() - started
    return SyncSummary(run.fetched, run.converted)


class Notes(Protocol):
    """What a run must know of earlier failures of a file, and what it notes about each file."""

    def has_failed(self, name: str) -> bool:
        """Return whether the file failed in the last run."""
        ...

    def failed(self, name: str, error: str, *, gone: bool) -> None:
        """Note that a file could not be downloaded or converted."""
        ...

    def taken(self, name: str) -> None:
        """Note that a file is committed."""
        ...


class SyncRun:
    """The state of one call of ``sync``, or of one task of a distributed synchronization."""

    def __init__(self, root: Root, notes: Notes, options: SyncOptions, tell: Listener, stop: Stop) -> None:
        self.root = root
        self.notes = notes
        self.options = options
        self.tell = tell
        self.stop = stop
        self.fetched = FetchSummary(options.account)
        self.converted = Summary()
        self.outcomes: list[Outcome] = []
        self.has_listed = False
        self.downloading = asyncio.Semaphore(options.downloads)

    async def all(self, scratch: Path) -> None:
        """List, download and convert."""
        try:
            await self._all(scratch)
        except BaseException:
            # After an interruption, no thread may keep waiting for a store that does not answer.
            self.root.interrupt()
            raise

    async def _all(self, scratch: Path) -> None:
        async with self._client() as client:
            if (found := await self._missing(client)) is not None:
                await self.take(*found, client, scratch)
                if any(outcome.kind == "committed" for outcome in self.outcomes):
                    await asyncio.to_thread(lambda: self.root.settle(self.root.commits()))

    def _client(self) -> Client:
        options = self.options
        retried = partial(count_retry, self.fetched, self.tell)
        return Client(options.account, options.credentials, options=options.api, on_retry=retried)

    async def missing(self) -> tuple[list[ListedFile], CommitIndex] | None:
        """Ask the server for its list. Return the files to download, oldest first, and the index of the commits.

        Return None if a stop was requested.
        """
        async with self._client() as client:
            return await self._missing(client)

    async def _missing(self, client: Client) -> tuple[list[ListedFile], CommitIndex] | None:
        options = self.options
        since, until = options.span()
        listing = await self.stop.unless_asked(client.list_files(since, until))
        if listing is None:
            self.fetched.interrupted = True
            return None
        self.has_listed = True
        commits = await asyncio.to_thread(self.root.commits, write_checkpoint=True)
        await asyncio.to_thread(self.root.settle, commits)
        wanted = await self._wanted(listing, commits, client)
        if isinstance(self.notes, Ledger):
            self.notes.begin(listing, wanted, commits, since=None if options.since is None else since)
        self._count(listing, wanted)
        return wanted, commits

    async def taken(self, wanted: list[ListedFile], commits: CommitIndex, scratch: Path) -> None:
        """Download and convert files; ``outcomes`` and ``fetched`` then have the results."""
        async with self._client() as client:
            await self.take(wanted, commits, client, scratch)

    async def take(self, wanted: list[ListedFile], commits: CommitIndex, client: Client, scratch: Path) -> None:
        """Download and convert files with a client."""
        options = self.options
        shelf = await asyncio.to_thread(self._shelf, scratch)
        self.fetcher = Fetcher(client, shelf, self.tell)
        convert = replace(options.convert, account=options.account)
        self.converter = Converter(self.root, commits, convert, self.tell, expected=len(wanted))
        threads = self.converter.threads
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="wsparquet")
        # Keep one or two downloaded files ready for each job, so that no job waits. More files would only fill the
        # disk.
        self.places = asyncio.Semaphore(options.downloads + threads + 2 * self.converter.plan.jobs)
        with self.stop.files_in_progress():
            await self._take(wanted, shelf)

    def _count(self, listing: Listing, wanted: list[ListedFile]) -> None:
        self.fetched.listed = len(listing.files)
        self.fetched.present = len(listing.files) - len(wanted)
        self.fetched.refused = refused(listing)
        self.converted.sources = len(wanted)
        self.tell(Progress("found", "", files=len(wanted)))

    def _shelf(self, scratch: Path) -> Shelf:
        options = self.options
        return make_shelf(
            options.raw, account=options.account, scratch=scratch, storage_options=options.storage_options or {}
        )

    # --- The files to download ----------------------------------------------------------------------------------------

    async def _wanted(self, listing: Listing, commits: CommitIndex, client: Client) -> list[ListedFile]:
        """Return the files to download, oldest first, because the server deletes the oldest first."""
        wanted = []
        for file in listing.files:
            head = committed(commits, self.options.account, file.name, unfinished=self.notes.has_failed(file.name))
            if head is None or (self.options.recheck and await self._changed(client, file, head)):
                wanted.append(file)
        return wanted

    async def _changed(self, client: Client, file: ListedFile, head: CommitHeader) -> bool:
        try:
            found = await client.stored_size(file)
        except FileGone:
            return False
        # A file that was skipped as a copy, or as an older content, is noted in the commit record.
        noted = {each.size for each in head.also if each.url in file.places}
        return found is not None and found not in {head.facts.size, *noted}

    # --- Downloading and converting -----------------------------------------------------------------------------------

    async def _take(self, wanted: list[ListedFile], shelf: Shelf) -> None:
        try:
            await self._take_all(wanted, shelf)
            for _ in range(TRIES):
                # These files were skipped as copies of another source. Later in this run, that source's rows were
                # replaced.
                lost = {source.listing.get("name") for source in self.converter.take_lost_references()}
                again = [file for file in wanted if file.name in lost]
                self.converted.sources += len(again)
                await self._take_all(again, shelf)
        except BaseExceptionGroup as errors:
            self.converter.stop()
            # Raise the first error only, because it caused the others.
            raise errors.exceptions[0] from None
        except BaseException:
            # After an interruption, the sources in progress delete their own files.
            self.converter.stop()
            raise
        finally:
            self.pool.shutdown(cancel_futures=True)

    async def _take_all(self, files: list[ListedFile], shelf: Shelf) -> None:
        async with asyncio.TaskGroup() as group:
            for file in files:
                group.create_task(self._one(file, shelf))

    async def _one(self, file: ListedFile, shelf: Shelf) -> None:
        """Download and convert one file, unless a stop was requested."""
        async with self.places:
            if self.stop.asked:
                self.fetched.interrupted = True
                self.fetched.not_begun += 1
                self.converted.not_begun += 1
                return
            try:
                async with self.downloading:
                    fetched = await self.fetcher.fetch(file, again=self.notes.has_failed(file.name))
            except WsparquetError as error:
                self._failed(file, error)
                return
            if fetched.download is not None:
                self.fetched.downloaded.append(file.name)
                self.fetched.downloaded_bytes += fetched.size
            outcomes = await asyncio.get_running_loop().run_in_executor(self.pool, self._convert, fetched)
            shelf.release(file.name)
            self._done(file, outcomes)

    def _failed(self, file: ListedFile, error: WsparquetError) -> None:
        self.converter.one(Failed(file.name, file.places[0], error))
        record_failure(self.fetched, file, error)
        self.notes.failed(file.name, str(error), gone=isinstance(error, FileGone))

    def _convert(self, fetched: Fetched) -> list[Outcome]:
        return [self.converter.one(source) for source in _sources(fetched)]

    def _done(self, file: ListedFile, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            outcome.add_to(self.converted)
        self.outcomes += outcomes
        errors = [outcome.error for outcome in outcomes if outcome.kind == "failed"]
        if errors:
            self.notes.failed(file.name, errors[0], gone=False)
        else:
            self.notes.taken(file.name)


def _sources(fetched: Fetched) -> list[Source | Failed]:
    """Return the sources of a file: the file itself with the listed name and URL, or each member of an archive."""
    file, download = fetched.file, fetched.download
    listing = {"name": file.name, "scopeStartDate": file.scope_start, "scopeEndDate": file.scope_end}
    said = {key: value for key, value in listing.items() if value is not None}
    url = download.url if download else file.places[0]
    here = fetched.path.as_uri()
    sources: list[Source | Failed] = []
    for found in expand([fetched.path]):
        if isinstance(found, Source) and found.url == here:
            etag, mtime = (download.etag, download.last_modified) if download else (None, None)
            sources.append(replace(found, name=file.name, url=url, etag=etag, mtime=mtime, listing=said))
        elif isinstance(found, Source):
            sources.append(replace(found, url=url + found.url.removeprefix(here), listing={**said, ARCHIVE: "zip"}))
        else:
            sources.append(Failed(file.name, url, found.error))
    return sources

"""The state of each file that the server lists: committed, missing or failed, and when the server will delete it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Unpack

from wsparquet.api import KEPT, Client, ListedFile, Listing
from wsparquet.commit import CommitHeader, CommitIndex
from wsparquet.conversion.summary import Failure
from wsparquet.dataset import Access, Root
from wsparquet.json_values import JsonResult, in_json
from wsparquet.layout import Identity
from wsparquet.names import parse_name
from wsparquet.options import make_options
from wsparquet.results import Result
from wsparquet.synchronisation.loop import run_coroutine
from wsparquet.synchronisation.options import FetchKeywords, FetchOptions
from wsparquet.synchronisation.state import State

__all__ = ["FileState", "Files", "committed", "expires", "list_files", "list_states", "refused"]

ARCHIVE = "archive"
"""The key in a commit's ``listing`` that marks its source as a member of a listed archive."""


def expires(end: datetime | None) -> datetime | None:
    """Return the earliest time at which the server may delete a file."""
    return None if end is None else end + KEPT


def committed(commits: CommitIndex, account: str, name: str, *, unfinished: bool = False) -> CommitHeader | None:
    """Return a listed file's commit, or None if the file has none or its commit refers to rows that no longer exist.

    An archive has one commit for each member. Set ``unfinished`` if some members may have no commit yet: an archive
    then never counts as committed.
    """
    known = parse_name(name)
    if known.is_api and (head := commits.counted(commits.get(Identity(account, known.stem)))):
        return head
    heads = [head for head in commits.by_listed_name(name) if head.identity.account == account]
    if not all(commits.counted(head) for head in heads):
        return None
    whole = [head for head in heads if any(_is_whole(listing, name) for listing in head.listings())]
    return next(iter(whole or ([] if unfinished else heads)), None)


def _is_whole(listing: Mapping[str, str], name: str) -> bool:
    """Return whether a commit's ``listing`` names the file ``name`` itself, not a member of an archive."""
    return listing.get("name") == name and ARCHIVE not in listing


def refused(listing: Listing) -> list[Failure]:
    """Return the listed files that must not be downloaded, because their URL does not belong to the API."""
    return [Failure(each.name, each.url, each.error) for each in listing.refused]


@dataclass(frozen=True, slots=True)
class FileState(JsonResult):
    """A file in the server's list. ``size``: in stored bytes; None if the file is not committed.

    >>> api = wsparquet.ApiOptions(base_url=server)
    >>> files = wsparquet.list_files("lake", account="75555851", credentials=credentials, api=api).files
    >>> [file.state for file in files]
    ['committed', 'committed']
    """

    name: str
    state: Literal["committed", "missing", "failed"]
    start: datetime | None
    end: datetime | None
    expires: datetime | None
    size: int | None = None
    committed_at: str | None = None
    error: str | None = field(default=None, metadata=in_json(message=True))
    url: str = ""


@dataclass(frozen=True, repr=False)
class Files(Result):
    """The files that the server lists. ``refused``: the files whose URL does not belong to the API.

    ``listed``: the number of files that the server lists. ``files`` has fewer entries if the caller wants only missing
    files.

    >>> api = wsparquet.ApiOptions(base_url=server)
    >>> wsparquet.list_files(account="75555851", credentials=credentials, api=api)
    <Files account=75555851, files=2, missing=2>
    """

    account: str
    files: tuple[FileState, ...]
    refused: tuple[Failure, ...]
    listed: int

    def facts(self) -> Mapping[str, object]:
        """The number of files in each state."""
        counts = {state: count or None for state, count in self.counts().items()}
        return {"account": self.account, "files": self.listed, **counts, "refused": len(self.refused) or None}

    def counts(self) -> dict[str, int]:
        """Return the number of listed files in each state."""
        missing, failed = (sum(file.state == state for file in self.files) for state in ("missing", "failed"))
        return {"committed": self.listed - missing - failed, "missing": missing, "failed": failed}

    def failed_sources(self) -> Iterable[tuple[str, str]]:
        """Return the names of the files that failed or were refused, with the reasons."""
        failed = [(file.name, file.error or "") for file in self.files if file.state == "failed"]
        return [*failed, *((each.name, each.error) for each in self.refused)]


def list_files(
    root: str | os.PathLike[str] | None = None,
    *,
    missing: bool = False,
    options: FetchOptions | None = None,
    **keywords: Unpack[FetchKeywords],
) -> Files:
    """Return the files that the server lists, each with its state in ``root``: committed, missing, or failed.

    Without a ``root``, all files count as missing. With ``missing``, the result omits the files that are committed in
    ``root``. The keyword arguments are the fields of ``FetchOptions`` and override those of ``options``. The function
    also works inside a running event loop, as in Jupyter.

    >>> api = wsparquet.ApiOptions(base_url=server)
    >>> wsparquet.list_files("lake", account="75555851", credentials=credentials, api=api)
    <Files account=75555851, files=2, committed=2>

    Raises:
        OptionError: a keyword argument is unknown or has an invalid value; this error is also a ValueError.
        ApiError: the server does not send its list of files.
        DatasetError: there is no root at ``root``, or a commit record is unreadable.
        SchemaError: the root has another schema version.

    """
    wanted = make_options(FetchOptions, options, keywords)
    access = Access(wanted.storage_options or {})
    opened = None if root is None else Root.open(root, create=False, access=access)
    return list_states(wanted, root=opened, missing=missing)


def list_states(options: FetchOptions, *, root: Root | None = None, missing: bool = False) -> Files:
    """Return the files that the server lists, each with its state in ``root``, if a root is given.

    With ``missing``, the result omits committed files.

    Raises:
        ApiError: the server does not send its list of files.
        DatasetError: a commit record is unreadable.

    """
    listing = run_coroutine(_list(options))
    commits = root.commits() if root else CommitIndex.empty()
    state = State.read(root, options.account) if root else State(options.account)
    files = [file for file in _states(listing.files, commits, state) if not missing or file.state != "committed"]
    return Files(options.account, tuple(files), tuple(refused(listing)), len(listing.files))


async def _list(options: FetchOptions) -> Listing:
    async with Client(options.account, options.credentials, options=options.api) as client:
        return await client.list_files(*options.span())


def _states(files: Iterable[ListedFile], commits: CommitIndex, state: State) -> Iterable[FileState]:
    for file in files:
        trouble = state.files.get(file.name)
        error = trouble.error if trouble else None
        head = committed(commits, state.account, file.name, unfinished=error is not None)
        yield FileState(
            name=file.name,
            url=file.places[0],
            start=file.start,
            end=file.end,
            state="committed" if head else "failed" if error else "missing",
            expires=expires(file.end),
            size=head.facts.size if head else None,
            committed_at=head.committed_at if head else None,
            error=None if head else error,
        )

"""Compares the server's list with a root: committed files, missing files, and when the server deletes them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from wsparquet.api import KEPT, Client, ListedFile, Listing
from wsparquet.commit import CommitHeader, CommitIndex
from wsparquet.conversion.summary import Failure
from wsparquet.dataset import Root
from wsparquet.json_values import JsonResult
from wsparquet.layout import Identity
from wsparquet.names import parse_name
from wsparquet.synchronisation.options import FetchOptions
from wsparquet.synchronisation.state import State

__all__ = ["FileState", "Files", "committed", "expires", "list_states", "refused"]

ARCHIVE = "archive"
"""The mark in the listing facts of a commit whose source is a member of the listed file."""


def expires(end: datetime | None) -> datetime | None:
    """The earliest time at which the server may delete a file. The server creates a file after its hour has ended."""
    return None if end is None else end + KEPT


def committed(commits: CommitIndex, account: str, name: str, *, unfinished: bool = False) -> CommitHeader | None:
    """The commit of a listed file; None if it has none.

    An archive has a commit for each of its members. It is ``unfinished`` if some of them may be missing.
    """
    known = parse_name(name)
    if known.is_api and (head := commits.get(Identity(account, known.stem))):
        return head
    heads = [head for head in commits.by_listed_name(name) if head.identity.account == account]
    whole = [head for head in heads if ARCHIVE not in head.facts.listing]
    return next(iter(whole or ([] if unfinished else heads)), None)


def refused(listing: Listing) -> list[Failure]:
    """Listed entries that must not be downloaded."""
    return [Failure(each.name, each.url, each.error) for each in listing.refused]


@dataclass(frozen=True, slots=True)
class FileState(JsonResult):
    """One file on the server or in a root.

    ``size``, in stored bytes, and ``rows`` are set only if the file is committed.
    """

    name: str
    state: Literal["committed", "missing", "failed"]
    start: datetime | None
    end: datetime | None
    expires: datetime | None
    size: int | None = None
    committed_at: str | None = None
    error: str | None = None
    url: str = ""


@dataclass(frozen=True)
class Files(JsonResult):
    """The files of a listing, and the entries that must not be downloaded."""

    account: str
    files: tuple[FileState, ...]
    refused: tuple[Failure, ...]


def list_states(options: FetchOptions, *, root: Root | None = None) -> Files:
    """The files that the server lists; with ``root``, also which of them are committed there.

    Raises:
        ApiError: the list cannot be read. DatasetError: a commit record is unreadable.

    """
    listing = asyncio.run(_list(options))
    commits = root.commits() if root else CommitIndex.empty()
    state = State.read(root, options.account) if root else State(options.account)
    files = tuple(_states(listing.files, commits, state))
    return Files(options.account, files, tuple(refused(listing)))


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
            url=file.urls[0],
            start=file.start,
            end=file.end,
            state="committed" if head else "failed" if error else "missing",
            expires=expires(file.end),
            size=head.facts.size if head else None,
            committed_at=head.committed_at if head else None,
            error=None if head else error,
        )

"""An index of the committed sources of a root, small enough for tens of thousands of commits."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Self

from wsparquet.commit.record import Commit, CommitHeader
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity

__all__ = ["CommitIndex"]


class CommitIndex:
    """The headers of all commits when the index was created; their parts and reports stay in the store.

    Iteration reads each complete commit again, in its current state, sorted by path; commits removed since then are
    skipped.
    """

    def __init__(self, read: Callable[[Identity], Commit | None], headers: Iterable[CommitHeader]) -> None:
        self._read = read
        self._headers = {header.identity: header for header in headers}
        self._by_url: dict[str, list[CommitHeader]] = {}
        self._by_checksum: dict[str, list[CommitHeader]] = {}
        self._by_source_name: dict[str, list[CommitHeader]] = {}
        self._by_listed_name: dict[str, list[CommitHeader]] = {}
        for header in self._headers.values():
            if header.facts.url is not None:
                self._by_url.setdefault(header.facts.url, []).append(header)
            self._by_checksum.setdefault(header.checksum, []).append(header)
            self._by_source_name.setdefault(header.facts.source_name, []).append(header)
            listed = header.facts.listing.get("name", header.facts.source_name)
            self._by_listed_name.setdefault(listed, []).append(header)

    @classmethod
    def empty(cls) -> Self:
        """Return an index without commits."""
        return cls(lambda _: None, ())

    def __len__(self) -> int:
        return len(self._headers)

    def __iter__(self) -> Iterator[Commit]:
        return (commit for identity in self._headers if (commit := self._read(identity)) is not None)

    def read(self, identity: Identity) -> Commit | None:
        """Read the complete current commit of a source; return None if the source is no longer committed.

        Raises DatasetError if the record is unreadable.
        """
        return self._read(identity)

    def updated(self, commit: Commit | None, identity: Identity) -> CommitIndex:
        """Return a copy of this index in which ``commit`` is the entry of ``identity``; None means no entry."""
        headers = [header for header in self._headers.values() if header.identity != identity]
        return CommitIndex(self._read, [*headers, *([commit.header] if commit else [])])

    def headers(self) -> tuple[CommitHeader, ...]:
        """Return the headers of all commits, sorted by path."""
        return tuple(self._headers.values())

    def get(self, identity: Identity) -> CommitHeader | None:
        """Return the header of one source's commit, or None if the source is not committed."""
        return self._headers.get(identity)

    def find_unchanged_source(
        self, *, url: str, size: int | None, etag: str | None, mtime: str | None, account: str | None = None
    ) -> CommitHeader | None:
        """Return the commit of the source at ``url`` if the source still has the same size (bytes) and the same ETag.

        If the commit or the source has no ETag, their modification times are compared instead; without these, the
        source counts as changed. With ``account``, only commits of that account are considered.
        """
        for header in self._by_url.get(url, ()):
            facts = header.facts
            if etag is not None and facts.etag is not None:
                same = etag == facts.etag
            else:
                same = mtime is not None and mtime == facts.mtime
            if same and size == facts.size and account in {None, header.identity.account}:
                return header
        return None

    def by_checksum(self, checksum: str) -> tuple[CommitHeader, ...]:
        """Return the commits whose source has this content (hex SHA-256), regardless of the source's name."""
        return tuple(self._by_checksum.get(checksum, ()))

    def by_source_name(self, source_name: str) -> tuple[CommitHeader, ...]:
        """Return the commits whose source has this file name, regardless of account and content."""
        return tuple(self._by_source_name.get(source_name, ()))

    def by_listed_name(self, name: str) -> tuple[CommitHeader, ...]:
        """Return the commits whose source has this name in the API's listing or, if never listed, this file name."""
        return tuple(self._by_listed_name.get(name, ()))

    def select(self, names: Iterable[str], *, account: str | None = None) -> tuple[Identity, ...]:
        """Return the identities with the given names.

        A name is a source's file name, an identity's name, or the file stem of its record. Raises DatasetError if a
        name is unknown (the message lists the nearest names), or if sources of several accounts share it.
        """
        by_name: dict[str, list[Identity]] = {}
        for header in self._headers.values():
            if account in {None, header.identity.account}:
                for name in {header.facts.source_name, header.identity.name, header.identity.key.name}:
                    by_name.setdefault(name, []).append(header.identity)
        wanted = list(names)
        if unknown := [name for name in wanted if name not in by_name]:
            raise DatasetError(_unknown(unknown, by_name))
        for name in wanted:
            _check_one_account(name, by_name[name])
        return tuple(dict.fromkeys(identity for name in wanted for identity in by_name[name]))


def _unknown(names: list[str], known: Iterable[str]) -> str:
    known = list(known)
    near = dict.fromkeys(match for name in names for match in difflib.get_close_matches(name, known, n=3))
    hint = f"the nearest names are {', '.join(near)}" if near else f"none of the root's {len(known)} names is similar"
    return f"expected names of committed sources, found {', '.join(names)}; {hint}"


def _check_one_account(name: str, identities: list[Identity]) -> None:
    accounts = sorted({identity.account for identity in identities})
    if len(accounts) > 1:
        raise DatasetError(f"{name}: expected a source of one account, found {', '.join(accounts)}; name the account")

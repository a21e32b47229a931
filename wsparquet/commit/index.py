"""An index of the committed sources of a root, small enough for tens of thousands of commits."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

from wsparquet.commit.record import Commit, CommitHeader, Sighting, Text
from wsparquet.commit.twins import preference, refer_to_rows
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity

__all__ = ["CommitIndex"]

K = TypeVar("K")


class _Groups(Generic[K]):
    """Headers, grouped by a key. Each group is in the order in which its headers were added."""

    def __init__(self) -> None:
        self._groups: dict[K, tuple[CommitHeader, ...]] = {}

    def __getitem__(self, key: K) -> tuple[CommitHeader, ...]:
        return self._groups.get(key, ())

    def fill(self, pairs: Iterable[tuple[K, CommitHeader]]) -> None:
        """Add many headers to empty groups. Adding them one by one would copy a large group once for each of them."""
        found: dict[K, list[CommitHeader]] = {}
        for key, header in pairs:
            found.setdefault(key, []).append(header)
        self._groups = {key: tuple(group) for key, group in found.items()}

    def add(self, key: K, header: CommitHeader) -> None:
        # A tuple is replaced, never changed, so that other threads can read it without a lock.
        self._groups[key] = (*self[key], header)

    def discard(self, key: K, header: CommitHeader) -> None:
        self._groups[key] = tuple(each for each in self[key] if each is not header)


class CommitIndex:
    """The headers of all commits at the time when the index was created. Parts and reports stay in the store.

    ``put`` enters later changes. Any number of threads may use one index. Iteration reads each complete commit from the
    store, in its current state, and skips commits that have been removed in the meantime.
    """

    def __init__(self, read: Callable[[Identity], Commit | None], headers: Iterable[CommitHeader]) -> None:
        self._read = read
        self._changing = threading.Lock()
        self._headers: dict[Identity, CommitHeader] = {}
        self._by_url = _Groups[str]()
        self._by_size = _Groups[int]()
        self._by_checksum = _Groups[str]()
        self._by_text = _Groups[Text]()
        self._by_older_text = _Groups[str]()
        self._by_source_name = _Groups[str]()
        self._by_listed_name = _Groups[str]()
        pairs: dict[_Groups[Any], list[tuple[Any, CommitHeader]]] = {}
        for header in headers:
            self._headers[header.identity] = header
            for groups, key in self._keys(header):
                pairs.setdefault(groups, []).append((key, header))
        for groups, found in pairs.items():
            groups.fill(found)

    @classmethod
    def empty(cls) -> Self:
        """Return an index without commits."""
        return cls(lambda _: None, ())

    def __len__(self) -> int:
        return len(self._headers)

    def __iter__(self) -> Iterator[Commit]:
        return (commit for identity in list(self._headers) if (commit := self._read(identity)) is not None)

    def read(self, identity: Identity) -> Commit | None:
        """Read the complete current commit of a source; return None if the source is no longer committed.

        Raises DatasetError if the record is unreadable.
        """
        return self._read(identity)

    def put(self, identity: Identity, commit: Commit | CommitHeader | None) -> None:
        """Make ``commit`` the entry of ``identity``; None removes the entry."""
        with self._changing:
            before = self._headers.pop(identity, None)
            if before is not None:
                for groups, key in self._keys(before):
                    groups.discard(key, before)
            if commit is not None:
                self._add(commit.header if isinstance(commit, Commit) else commit)

    def _add(self, header: CommitHeader) -> None:
        self._headers[header.identity] = header
        for groups, key in self._keys(header):
            groups.add(key, header)

    def _keys(self, header: CommitHeader) -> Iterator[tuple[_Groups[Any], Any]]:
        facts = header.facts
        for url in {facts.url, *(each.url for each in header.also)} - {None}:
            yield self._by_url, url
        if facts.size is not None:
            yield self._by_size, facts.size
        yield self._by_checksum, header.checksum
        yield self._by_source_name, facts.source_name
        for name in {listing.get("name") for listing in header.listings()} - {None}:
            yield self._by_listed_name, name
        if facts.text is not None:
            yield self._by_text, facts.text
        for text in header.texts_before:
            yield self._by_older_text, text

    def headers(self) -> tuple[CommitHeader, ...]:
        """Return the headers of all commits, sorted by path."""
        return tuple(self._headers.values())

    def get(self, identity: Identity) -> CommitHeader | None:
        """Return the header of one source's record, or None if the source has no record."""
        return self._headers.get(identity)

    def counted(self, header: CommitHeader | None) -> CommitHeader | None:
        """Return the header if its source is committed: it has rows, or the rows that it refers to exist."""
        return header if header is not None and self.with_rows(header) is not None else None

    def with_rows(self, header: CommitHeader) -> CommitHeader | None:
        """Follow the reference of a header to the header with the rows; return None if no record has the rows."""
        return refer_to_rows(header, self.get)

    def find_unchanged_source(
        self, *, url: str, size: int | None, etag: str | None, mtime: str | None, account: str | None = None
    ) -> tuple[CommitHeader, Sighting] | None:
        """Return the commit of the source at ``url`` if the source still has the same size (bytes) and the same ETag.

        Also return the place that the commit lists for the source. The text at this place may be a text that the commit
        has replaced.

        If the commit or the source has no ETag, the modification times are compared instead; if these are unknown, too,
        the source counts as changed. A commit also covers the other places that it lists. With ``account``, the
        source's own commit counts only if it has that account.
        """

        def same(then: Sighting) -> bool:
            if then.url != url or then.size != size:
                return False
            if etag is not None and then.etag is not None:
                return etag == then.etag
            return mtime is not None and mtime == then.mtime

        for header in self._by_url[url]:
            own, *others = header.places()
            places = [own, *others] if account in {None, header.identity.account} else others
            if (place := next(filter(same, places), None)) and self.counted(header):
                return header, place
        return None

    def by_size(self, size: int) -> tuple[CommitHeader, ...]:
        """Return the commits whose source has this size in stored bytes."""
        return self._by_size[size]

    def by_checksum(self, checksum: str) -> tuple[CommitHeader, ...]:
        """Return the commits whose source has this content (hex SHA-256), regardless of the source's name."""
        return self._by_checksum[checksum]

    def by_text(self, text: Text) -> tuple[CommitHeader, ...]:
        """Return the commits that have rows of this text, the preferred one first."""
        found = (header for header in self._by_text[text] if header.row_count)
        return tuple(sorted(found, key=lambda header: preference(header.identity)))

    def by_older_text(self, text: Text) -> tuple[CommitHeader, ...]:
        """Return the commits that have replaced this text."""
        return self._by_older_text[text.blake3]

    def by_source_name(self, source_name: str) -> tuple[CommitHeader, ...]:
        """Return the commits whose source has this file name, regardless of account and content."""
        return self._by_source_name[source_name]

    def by_listed_name(self, name: str) -> tuple[CommitHeader, ...]:
        """Return the commits that cover a file with this name in the API's listing.

        The commit of a source that was never listed covers the source's own file name.
        """
        return self._by_listed_name[name]

    def select(self, names: Iterable[str], *, account: str | None = None) -> tuple[Identity, ...]:
        """Return the identities with the given names, and all identities that refer to their rows.

        A name is a source's file name, an identity's name, the file stem of its record, or the name of another file
        with the same content. Raises DatasetError if a name is unknown (the message lists the nearest names), or if
        sources of several accounts share it.
        """
        by_name: dict[str, list[Identity]] = {}
        by_copy: dict[str, list[Identity]] = {}
        for header in self._headers.values():
            target = self.with_rows(header)
            # A record whose rows are gone has nothing to remove.
            if target is not None and account in {None, target.identity.account}:
                for name in (header.facts.source_name, header.identity.name, header.identity.key.name):
                    by_name.setdefault(name, []).append(target.identity)
                for name in _names_of_copies(header):
                    by_copy.setdefault(name, []).append(target.identity)
        # If a name belongs both to a committed source and to a copy, it means the committed source.
        by_name = by_copy | by_name
        wanted = list(names)
        if unknown := [name for name in wanted if name not in by_name]:
            raise DatasetError(_unknown(unknown, by_name))
        for name in wanted:
            _check_one_account(name, by_name[name])
        found = dict.fromkeys(identity for name in wanted for identity in by_name[name])
        referring = (header.identity for header in self._headers.values() if self._refers_to(header, found))
        # Identities that refer to the rows come first: if the removal is interrupted, the names still lead to the rows.
        return tuple({**dict.fromkeys(each for each in referring if each not in found), **found})

    def _refers_to(self, header: CommitHeader, identities: Container[Identity]) -> bool:
        target = self.with_rows(header) if header.same_as is not None else None
        return target is not None and target.identity in identities


def _names_of_copies(header: CommitHeader) -> set[str]:
    """Return the names of the places with the current text. The rows do not come from places with older texts."""
    return {each.name for each in header.also if header.text is not None and each.text == header.text.blake3}


def _unknown(names: list[str], known: Iterable[str]) -> str:
    known = list(known)
    near = dict.fromkeys(match for name in names for match in difflib.get_close_matches(name, known, n=3))
    hint = f"the nearest names are {', '.join(near)}" if near else f"none of the root's {len(known)} names is similar"
    return f"expected names of committed sources, found {', '.join(names)}; {hint}"


def _check_one_account(name: str, identities: list[Identity]) -> None:
    accounts = sorted({identity.account for identity in identities})
    if len(accounts) > 1:
        raise DatasetError(f"{name}: expected a source of one account, found {', '.join(accounts)}; name the account")

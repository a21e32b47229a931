"""An index of the committed sources of a root, small enough for a million commits."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Container, Iterable, Iterator
from heapq import merge
from typing import Self

from wsparquet.commit.lookup import Fact, Kind, facts_of, text_fact
from wsparquet.commit.record import Commit, CommitHeader, Sighting, Text
from wsparquet.commit.stored import Position, StoredCommits
from wsparquet.commit.twins import find_twins, preference, refer_to_rows
from wsparquet.errors import DatasetError
from wsparquet.layout import Identity

__all__ = ["CommitIndex"]


class _Groups:
    """Headers, grouped by each fact. Each group is in the order in which its headers were added."""

    def __init__(self) -> None:
        self._groups: dict[Fact, tuple[CommitHeader, ...]] = {}

    def __getitem__(self, fact: Fact) -> tuple[CommitHeader, ...]:
        return self._groups.get(fact, ())

    def fill(self, headers: Iterable[CommitHeader]) -> None:
        """Add many headers to empty groups. Adding them one by one would copy a large group once for each of them."""
        found: dict[Fact, list[CommitHeader]] = {}
        for header in headers:
            for fact in set(facts_of(header)):
                found.setdefault(fact, []).append(header)
        self._groups = {fact: tuple(group) for fact, group in found.items()}

    def add(self, header: CommitHeader) -> None:
        # A tuple is replaced, never changed, so that other threads can read it without a lock.
        for fact in set(facts_of(header)):
            self._groups[fact] = (*self[fact], header)

    def discard(self, header: CommitHeader) -> None:
        for fact in set(facts_of(header)):
            self._groups[fact] = tuple(each for each in self[fact] if each is not header)


class CommitIndex:
    """The headers of all commits at the time when the index was created. Parts and reports stay in the store.

    ``stored`` has the headers that a checkpoint has. They are decoded when they are needed, so that a root with a
    million commits can be opened. ``put`` enters later changes. Any number of threads may use one index. Iteration
    reads each complete commit from the store, in its current state, and skips commits that have been removed in the
    meantime.
    """

    def __init__(
        self,
        read: Callable[[Identity], Commit | None],
        headers: Iterable[CommitHeader],
        stored: StoredCommits | None = None,
    ) -> None:
        self._read = read
        self._changing = threading.Lock()
        self._headers = {header.identity: header for header in headers}
        self._groups = _Groups()
        self._groups.fill(self._headers.values())
        self._stored = stored
        self._hidden: frozenset[Position] = frozenset()

    @classmethod
    def empty(cls) -> Self:
        """Return an index without commits."""
        return cls(lambda _: None, ())

    def __len__(self) -> int:
        stored = len(self._stored) if self._stored is not None else 0
        return stored - len(self._hidden) + len(self._headers)

    def __iter__(self) -> Iterator[Commit]:
        identities = [header.identity for header in self.headers()]
        return (commit for identity in identities if (commit := self._read(identity)) is not None)

    def read(self, identity: Identity) -> Commit | None:
        """Read the complete current commit of a source; return None if the source is no longer committed.

        Raises DatasetError if the record is unreadable.
        """
        return self._read(identity)

    def put(self, identity: Identity, commit: Commit | CommitHeader | None) -> None:
        """Make ``commit`` the entry of ``identity``; None removes the entry."""
        with self._changing:
            self._hidden |= {position for position, _ in self._in_checkpoint(Fact.of_record(identity))}
            before = self._headers.pop(identity, None)
            if before is not None:
                self._groups.discard(before)
            if commit is not None:
                header = commit.header if isinstance(commit, Commit) else commit
                self._headers[header.identity] = header
                self._groups.add(header)

    def _in_checkpoint(self, fact: Fact) -> Iterator[tuple[Position, CommitHeader]]:
        """Yield the commits in the checkpoint that have a fact, and that no later change has replaced."""
        if self._stored is None:
            return
        for position in self._stored.find(fact):
            if position not in self._hidden:
                header = self._stored.header(position)
                if header is not None and fact in facts_of(header):
                    yield position, header

    def _find(self, kind: Kind, value: str) -> tuple[CommitHeader, ...]:
        return self._having(Fact(kind, value))

    def _having(self, fact: Fact) -> tuple[CommitHeader, ...]:
        return (*(header for _, header in self._in_checkpoint(fact)), *self._groups[fact])

    def headers(self) -> tuple[CommitHeader, ...]:
        """Return the headers of all commits, sorted by path."""
        stored = self._stored.headers() if self._stored is not None else iter(())
        current = (header for position, header in stored if position not in self._hidden)
        changed = sorted(self._headers.values(), key=_path)
        return tuple(merge(current, changed, key=_path))

    def get(self, identity: Identity) -> CommitHeader | None:
        """Return the header of one source's record, or None if the source has no record."""
        found = self._headers.get(identity)
        return found or next((header for _, header in self._in_checkpoint(Fact.of_record(identity))), None)

    def has_content(self, content_id: str) -> bool:
        """Return whether a commit has this content id. Only one commit can have it, because content ids are random."""
        fact = Fact(Kind.CONTENT, content_id)
        if self._groups[fact]:
            return True
        return self._stored is not None and any(each not in self._hidden for each in self._stored.find(fact))

    def twins(self) -> list[tuple[CommitHeader, CommitHeader]]:
        """Return a pair for each commit that must yield to a twin: the commit, and the twin that counts."""
        found = {}
        if self._stored is not None:
            positions = (each for each in self._stored.with_equal_texts() if each not in self._hidden)
            headers = (self._stored.header(position) for position in positions)
            found = {header.identity: header for header in headers if header is not None}
        for header in self._headers.values():
            if header.text is not None and len(same := self.by_text(header.text)) > 1:
                found.update((each.identity, each) for each in same)
        return list(find_twins(found.values()))

    def counted(self, header: CommitHeader | None) -> CommitHeader | None:
        """Return the header if its source is committed: either the header has rows, or it refers to rows that exist."""
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

        for header in self._find(Kind.URL, url):
            own, *others = header.places()
            places = [own, *others] if account in {None, header.identity.account} else others
            if (place := next(filter(same, places), None)) and self.counted(header):
                return header, place
        return None

    def by_size(self, size: int) -> tuple[CommitHeader, ...]:
        """Return the commits whose source has this size in stored bytes."""
        return self._find(Kind.SIZE, str(size))

    def by_checksum(self, checksum: str) -> tuple[CommitHeader, ...]:
        """Return the commits whose source has this content (hex SHA-256), regardless of the source's name."""
        return self._find(Kind.CHECKSUM, checksum)

    def by_text(self, text: Text) -> tuple[CommitHeader, ...]:
        """Return the commits that have rows of this text, the preferred one first."""
        found = (header for header in self._having(text_fact(text)) if header.row_count)
        return tuple(sorted(found, key=lambda header: preference(header.identity)))

    def by_older_text(self, text: Text) -> tuple[CommitHeader, ...]:
        """Return the commits that have replaced this text."""
        return self._find(Kind.OLDER_TEXT, text.blake3)

    def by_source_name(self, source_name: str) -> tuple[CommitHeader, ...]:
        """Return the commits whose source has this file name, regardless of account and content."""
        return self._find(Kind.SOURCE_NAME, source_name)

    def by_listed_name(self, name: str) -> tuple[CommitHeader, ...]:
        """Return the commits that cover a file with this name in the API's listing.

        The commit of a source that was never listed covers the source's own file name.
        """
        return self._find(Kind.LISTED_NAME, name)

    def select(self, names: Iterable[str], *, account: str | None = None) -> tuple[Identity, ...]:
        """Return the identities with the given names, and all identities that refer to their rows.

        A name is a source's file name, an identity's name, the file stem of its record, or the name of another file
        with the same content. Raises DatasetError if a name is unknown (the message lists the nearest names), or if
        sources of several accounts share it.
        """
        by_name: dict[str, list[Identity]] = {}
        by_copy: dict[str, list[Identity]] = {}
        headers = self.headers()
        for header in headers:
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
        return self.with_references(found)

    def with_references(self, identities: Iterable[Identity]) -> tuple[Identity, ...]:
        """Return identities, after all identities that refer to their rows.

        If a removal in this order is interrupted, the names still lead to the rows.
        """
        found = dict.fromkeys(identities)
        referring = (header.identity for header in self.headers() if self._refers_to(header, found))
        return tuple({**dict.fromkeys(each for each in referring if each not in found), **found})

    def _refers_to(self, header: CommitHeader, identities: Container[Identity]) -> bool:
        target = self.with_rows(header) if header.same_as is not None else None
        return target is not None and target.identity in identities


def _path(header: CommitHeader) -> str:
    return header.identity.key.record_path


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

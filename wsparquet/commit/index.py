"""Which sources a root holds already: an index of all commit records, small enough for tens of thousands."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Self

from wsparquet.commit.record import Commit, Head, decode_commit
from wsparquet.errors import DatasetError
from wsparquet.layout import COMMITS, Identity
from wsparquet.store.store import Store

__all__ = ["Commits", "all_commits"]


def all_commits(store: Store) -> Iterator[Commit]:
    """Every record that counts, each from its own file, sorted by path; that of a removed source does not."""
    for path, data in store.read_below(COMMITS):
        if not (commit := decode_commit(data, path)).removed:
            yield commit


class Commits:
    """The commits of a root as they were when it was asked; parts and reports stay in the store.

    Iteration reads the records again, as they are now, sorted by path; it passes over those that are gone.
    """

    def __init__(self, store: Store | None, heads: Iterable[Head]) -> None:
        self._store = store
        self._heads = {head.identity: head for head in heads}
        self._by_url: dict[str, list[Head]] = {}
        self._by_checksum: dict[str, list[Head]] = {}
        self._by_source_name: dict[str, list[Head]] = {}
        self._by_listed_name: dict[str, list[Head]] = {}
        for head in self._heads.values():
            if head.facts.url is not None:
                self._by_url.setdefault(head.facts.url, []).append(head)
            self._by_checksum.setdefault(head.checksum, []).append(head)
            self._by_source_name.setdefault(head.facts.source_name, []).append(head)
            listed = head.facts.listing.get("name", head.facts.source_name)
            self._by_listed_name.setdefault(listed, []).append(head)

    @classmethod
    def empty(cls) -> Self:
        """The commits of no root."""
        return cls(None, ())

    def __len__(self) -> int:
        return len(self._heads)

    def __iter__(self) -> Iterator[Commit]:
        return (commit for identity in self._heads if (commit := self.read(identity)) is not None)

    def read(self, identity: Identity) -> Commit | None:
        """The whole record of an identity as it is now; None if it is gone."""
        path = identity.key.commit_path
        data = self._store.read(path) if self._store else None
        commit = None if data is None else decode_commit(data, path)
        return None if commit is None or commit.removed else commit

    def updated(self, commit: Commit | None, identity: Identity) -> Commits:
        """These commits, but for one identity as it is now."""
        heads = [head for head in self._heads.values() if head.identity != identity]
        return Commits(self._store, [*heads, *([commit.head] if commit else [])])

    def heads(self) -> tuple[Head, ...]:
        """All commits, without what is large, sorted by path."""
        return tuple(self._heads.values())

    def get(self, identity: Identity) -> Head | None:
        """What was committed under an identity."""
        return self._heads.get(identity)

    def find_unchanged(
        self, *, url: str, size: int | None, etag: str | None, mtime: str | None, account: str | None = None
    ) -> Head | None:
        """The commit, of ``account`` if given, of what lay at ``url`` with the same size (bytes) and the same ETag.

        Where either has no ETag, the modification time stands in for it; without both nothing is unchanged.
        """
        for head in self._by_url.get(url, ()):
            facts = head.facts
            if etag is not None and facts.etag is not None:
                same = etag == facts.etag
            else:
                same = mtime is not None and mtime == facts.mtime
            if same and size == facts.size and account in {None, head.identity.account}:
                return head
        return None

    def by_checksum(self, checksum: str) -> tuple[Head, ...]:
        """The commits of this content (hex SHA-256), under whatever name."""
        return tuple(self._by_checksum.get(checksum, ()))

    def named(self, source_name: str) -> tuple[Head, ...]:
        """The commits of sources with this file name, of whatever account and content."""
        return tuple(self._by_source_name.get(source_name, ()))

    def listed_as(self, name: str) -> tuple[Head, ...]:
        """The commits of what the API lists under this name, or of sources with this file name."""
        return tuple(self._by_listed_name.get(name, ()))

    def select(self, names: Iterable[str], *, account: str | None = None) -> tuple[Identity, ...]:
        """The identities that go by the names: a source's file name, an identity's name, or a record's without suffix.

        Raises DatasetError if a name is unknown, listing the nearest ones, or belongs to several accounts' sources.
        """
        by_name: dict[str, list[Identity]] = {}
        for head in self._heads.values():
            if account in {None, head.identity.account}:
                for name in {head.facts.source_name, head.identity.name, head.identity.key.name}:
                    by_name.setdefault(name, []).append(head.identity)
        wanted = list(names)
        if unknown := [name for name in wanted if name not in by_name]:
            raise DatasetError(_unknown(unknown, by_name))
        for name in wanted:
            _check_one_account(name, by_name[name])
        return tuple(dict.fromkeys(identity for name in wanted for identity in by_name[name]))


def _unknown(names: list[str], known: Iterable[str]) -> str:
    known = list(known)
    near = dict.fromkeys(match for name in names for match in difflib.get_close_matches(name, known, n=3))
    hint = f"the nearest names are {', '.join(near)}" if near else f"none of the {len(known)} names there is like it"
    return f"expected names of committed sources, found {', '.join(names)}, which are none; {hint}"


def _check_one_account(name: str, identities: list[Identity]) -> None:
    accounts = sorted({identity.account for identity in identities})
    if len(accounts) > 1:
        raise DatasetError(f"{name}: expected a source of one account, found {', '.join(accounts)}; name the account")
